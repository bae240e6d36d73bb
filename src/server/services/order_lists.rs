//! Lists of orders: what may be asked for, and a page of one.

use jiff::Timestamp;
use vendorscope_cache::Loaded;

use super::{analytics::until_midnight, listing, narrowed::totals_of};
use crate::{
    domain::{
        field_error::{Checks, FieldError},
        orders::{MOST_SUMMED, OrderColumn, OrderPage, OrderQuery, OrderSort},
        period::parse_day,
        text::{non_empty, read_search},
    },
    server::{
        AppError, cursor,
        db::{Db, order_lists, vendors},
    },
};

/// Orders on one page of a list.
const PAGE: usize = 50;
/// The longest search text, in characters.
const MAX_SEARCH: usize = 100;

/// The parameters of a list, as texts from an address. Empty ones, which forms send, count as absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderParameters<'a> {
    pub status: Option<&'a str>,
    pub date_from: Option<&'a str>,
    pub date_to: Option<&'a str>,
    pub search: Option<&'a str>,
    pub refunded: Option<&'a str>,
    pub counted: Option<&'a str>,
    pub product: Option<&'a str>,
    pub category: Option<&'a str>,
    pub sort: Option<&'a str>,
    pub after: Option<&'a str>,
}

/// Reads the parameters of a list.
pub fn parse_query(parameters: &OrderParameters<'_>) -> Result<OrderQuery, Vec<FieldError>> {
    let mut checks = Checks::default();
    let mut day = |field, text| given(text).and_then(|text| checks.accept(parse_day(field, text)));
    let (from, to) = (day("dateFrom", parameters.date_from), day("dateTo", parameters.date_to));
    let status = given(parameters.status).and_then(|text| checks.accept(text.parse()));
    let search = parameters.search.and_then(|text| checks.accept(read_search(text, MAX_SEARCH))).flatten();
    if let (Some(from), Some(to)) = (from, to) {
        checks.require(from <= to, "dateTo", || {
            format!("`{to}` lies before dateFrom `{from}`: the same day or a later one is accepted")
        });
    }
    let mut choice = |field, text| given(text).and_then(|text| checks.accept(parse_choice(field, text)));
    let (refunded, counted) = (choice("refunded", parameters.refunded), choice("counted", parameters.counted));
    let (product, category) = (given(parameters.product), given(parameters.category));
    let (product, category) = (product.map(str::to_owned), category.map(str::to_owned));
    let sort: OrderSort = given(parameters.sort).and_then(|text| checks.accept(text.parse())).unwrap_or_default();
    let by_text = matches!(sort.column(), OrderColumn::Order | OrderColumn::Customer);
    let after = given(parameters.after).and_then(|text| checks.accept(cursor::decode(&list_name(sort), by_text, text)));
    checks.finish().map(|()| OrderQuery { status, from, to, search, refunded, counted, product, category, sort, after })
}

/// What is written in a field, if anything is.
fn given(text: Option<&str>) -> Option<&str> {
    non_empty(text.map(str::trim))
}

/// The list's name in cursors.
fn list_name(sort: OrderSort) -> String {
    format!("orders.{}", sort.as_str())
}

/// The refusal of a list that is too long to be sorted by anything but its date.
pub(super) fn too_many(sort: OrderSort) -> AppError {
    let message = format!(
        "`{}` is accepted where at most {MOST_SUMMED} orders match: narrow them by date, status or search, or sort by \
         placed_desc or placed_asc",
        sort.as_str()
    );
    FieldError::new("sort", message).into()
}

fn parse_choice(field: &str, text: &str) -> Result<bool, FieldError> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(FieldError::unknown(field, other, &["true", "false"])),
    }
}

/// Works out a page of a list.
pub(super) async fn load_page(db: &Db, vendor_id: i64, query: &OrderQuery, now: Timestamp) -> Result<Loaded, AppError> {
    let mut tx = db.read().await?;
    let zone = vendors::find_time_zone(&mut tx, vendor_id).await?.ok_or(AppError::NotFound)?;
    // How many days ago an order was placed is another number after midnight.
    let (today, until_midnight) = (now.to_zoned(zone.clone()).date(), until_midnight(&zone, now));
    // A list that has to be sorted is counted first: it may be too long for that.
    let counted = match query.sort.reads_all() {
        true => Some(order_lists::sum_orders(&mut tx, vendor_id, query).await?),
        false => None,
    };
    let mut listed = match counted {
        Some(None) => Vec::new(),
        _ => order_lists::list_orders(&mut tx, vendor_id, query, today, PAGE as i64 + 1).await?,
    };
    let more = listed.len() > PAGE;
    let sums = match counted {
        Some(sums) => sums,
        None if query.after.is_none() && !more => Some(listed.iter().map(|(order, _)| order).collect()),
        None => order_lists::sum_orders(&mut tx, vendor_id, query).await?,
    };
    let is_of_lines = query.product.is_some() || query.category.is_some();
    let lines = match sums {
        Some(_) if is_of_lines => Some(order_lists::sum_lines(&mut tx, vendor_id, query).await?),
        _ => None,
    };
    // Of a part they are read from every line of it: once for a list that is too long to be summed up, not page by page.
    let figures = match query.figures() {
        Some((range, part)) if part.is_whole() || sums.is_some() || query.after.is_none() => {
            Some(totals_of(&mut tx, vendor_id, range, &part).await?)
        }
        _ => None,
    };
    tx.commit().await?;
    listed.truncate(PAGE);
    let next = listed.last().filter(|_| more).map(|(_, position)| cursor::encode(&list_name(query.sort), position));
    let orders: Vec<_> = listed.into_iter().map(|(order, _)| order).collect();
    let narrowed = [&query.search, &query.product, &query.category].into_iter().any(Option::is_some);
    let (is_one_of_many, is_empty) = (narrowed || query.after.is_some(), orders.is_empty());
    let bytes = serde_json::to_vec(&OrderPage { orders, sums, lines, figures, next })
        .map_err(|error| AppError::Internal(format!("order listing: {error}")))?;
    Ok(listing(bytes, is_one_of_many, is_empty).ending_in(until_midnight))
}
