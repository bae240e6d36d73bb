//! Lists of products: what may be asked for, and a page of one.

use jiff::Timestamp;
use vendorscope_cache::Loaded;

use super::{analytics::until_midnight, listing};
use crate::{
    domain::{
        field_error::{Checks, FieldError},
        product_lists::{MOST_SUMMED, ProductColumn, ProductPage, ProductQuery, ProductSort, StockLevel},
        text::{non_empty, read_search},
    },
    server::{
        AppError, cursor,
        db::{Db, product_lists, vendors},
    },
};

/// Products on one page of a listing.
const PAGE: usize = 50;
/// The longest search text, in characters.
const MAX_SEARCH: usize = 100;

/// The parameters of a listing, as texts from an address. Empty ones, which forms send, count as absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProductParameters<'a> {
    pub search: Option<&'a str>,
    pub status: Option<&'a str>,
    pub category: Option<&'a str>,
    pub stock: Option<&'a str>,
    pub sort: Option<&'a str>,
    pub after: Option<&'a str>,
}

/// Reads the parameters of a listing. Those that are low are listed by what runs out first, unless told otherwise.
pub fn parse_query(parameters: &ProductParameters<'_>) -> Result<ProductQuery, Vec<FieldError>> {
    let mut checks = Checks::default();
    let search = parameters.search.and_then(|text| checks.accept(read_search(text, MAX_SEARCH))).flatten();
    let status = non_empty(parameters.status).and_then(|text| checks.accept(text.parse()));
    let stock = non_empty(parameters.stock).and_then(|text| checks.accept(text.parse()));
    let default = if stock == Some(StockLevel::Low) { ProductSort::CoverAsc } else { ProductSort::default() };
    let sort = non_empty(parameters.sort).and_then(|text| checks.accept(text.parse())).unwrap_or(default);
    checks.require(stock == Some(StockLevel::Low) || !sort.is_of_low_stock(), "sort", || {
        format!("`{}` is accepted with stock=low alone", sort.as_str())
    });
    let by_text = matches!(sort.column(), ProductColumn::Name | ProductColumn::Category);
    let after = non_empty(parameters.after)
        .and_then(|text| checks.accept(cursor::decode(&list_name(sort, stock), by_text, text)));
    let category = non_empty(parameters.category).map(str::to_owned);
    checks.finish().map(|()| ProductQuery { search, status, category, stock, sort, after })
}

/// The list's name in cursors.
fn list_name(sort: ProductSort, stock: Option<StockLevel>) -> String {
    // Names were sorted in letters as they are once: places in those lists are none in these.
    let how = if sort.column() == ProductColumn::Name { ".folded" } else { "" };
    format!("products{}.{}{how}", stock.map_or("", StockLevel::as_str), sort.as_str())
}

/// The refusal of a list that is too long to be sorted so.
pub(super) fn too_many(sort: ProductSort) -> AppError {
    let message = format!(
        "`{}` is accepted where at most {MOST_SUMMED} products match: narrow them by search, category, status or \
         stock, or sort by something else",
        sort.as_str()
    );
    FieldError::new("sort", message).into()
}

/// Works out a page of a list.
pub(super) async fn load_page(
    db: &Db,
    vendor_id: i64,
    query: &ProductQuery,
    now: Timestamp,
) -> Result<Loaded, AppError> {
    let mut tx = db.read().await?;
    let zone = vendors::find_time_zone(&mut tx, vendor_id).await?.ok_or(AppError::NotFound)?;
    // Days of cover, what sold lately and the order by either are those of another day after midnight.
    let (today, until_midnight) = (now.to_zoned(zone.clone()).date(), until_midnight(&zone, now));
    // A list of which every product has to be looked at may be too long for that.
    let sums = product_lists::sum_products(&mut tx, vendor_id, query, today).await?;
    let mut listed = match query.reads_all() && sums.is_none() {
        true => Vec::new(),
        false => product_lists::list_products(&mut tx, vendor_id, query, today, PAGE as i64 + 1).await?,
    };
    let more = listed.len() > PAGE;
    listed.truncate(PAGE);
    let ids: Vec<&str> = listed.iter().map(|(product, _)| product.product_id.as_str()).collect();
    let sold = product_lists::list_recent(&mut tx, vendor_id, today, &ids).await?;
    let mut changed = product_lists::list_price_changes(&mut tx, vendor_id, &ids).await?;
    tx.commit().await?;
    let name = list_name(query.sort, query.stock);
    let next = listed.last().filter(|_| more).map(|(_, position)| cursor::encode(&name, position));
    // One transaction: all that were listed are there.
    let (recent, covers) = ids.iter().filter_map(|id| sold.get(*id).copied()).unzip();
    let price_changes = ids.iter().map(|id| changed.remove(*id)).collect();
    let is_empty = listed.is_empty();
    let products = listed.into_iter().map(|(product, _)| product).collect();
    let page = ProductPage { products, covers, recent, price_changes, sums, next };
    let bytes = serde_json::to_vec(&page).map_err(|error| AppError::Internal(format!("product listing: {error}")))?;
    let is_one_of_many = query.search.is_some() || query.category.is_some() || query.after.is_some();
    Ok(listing(bytes, is_one_of_many, is_empty).ending_in(until_midnight))
}
