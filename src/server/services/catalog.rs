use std::collections::HashMap;

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use vendorscope_cache::{Cache, Loaded, Served};

use super::{
    Once, Sender, Written, analytics::until_midnight, by_vendor, changes, costed, from_json, listing, listing_detail,
    note, write,
};
use crate::{
    domain::{
        accounts::VendorRef,
        catalog::{
            BulkChange, Product, ProductInput, ProductPage, ProductQuery, ProductSort, ProductStatus, StockLevel,
            changed_price,
        },
        field_error::{Checks, FieldError},
        money::{Currency, MAX_AMOUNT},
        text::{non_empty, read_search, shown},
    },
    server::{
        AppError, cache_keys, cursor,
        db::{Db, Tx, catalog, movers, orders, vendors},
        identity::sessions::WritingVendor,
    },
    server_functions::products::ProductForm,
};

/// A vendor's products. Every write invalidates the vendor's analytics and listings before it is answered.
pub struct Catalog {
    pub(super) db: Db,
    pub(super) cache: Cache,
}

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
    let default = if stock == Some(StockLevel::Low) { ProductSort::Cover } else { ProductSort::default() };
    let sort = non_empty(parameters.sort).and_then(|text| checks.accept(text.parse())).unwrap_or(default);
    checks.require(stock == Some(StockLevel::Low) || !sort.is_of_low_stock(), "sort", || {
        format!("`{}` is accepted with stock=low alone", sort.as_str())
    });
    let by_text = sort == ProductSort::Name;
    let after = non_empty(parameters.after)
        .and_then(|text| checks.accept(cursor::decode(&list_name(sort, stock), by_text, text)));
    let category = non_empty(parameters.category).map(str::to_owned);
    checks.finish().map(|()| ProductQuery { search, status, category, stock, sort, after })
}

/// The list's name in cursors.
fn list_name(sort: ProductSort, stock: Option<StockLevel>) -> String {
    format!("products{}.{}", stock.map_or("", StockLevel::as_str), sort.as_str())
}

/// Reads a product's form: the id of the product to change (none for a new one) and what to write.
pub fn read_form(form: &ProductForm, currency: Currency) -> Result<(Option<String>, ProductInput), Vec<FieldError>> {
    let mut checks = Checks::default();
    let number = |field: &str, text: &str| {
        text.trim().parse::<i64>().map_err(|_| {
            FieldError::new(field, format!("`{text}` is not a whole number, such as 12", text = shown(text)))
        })
    };
    let unit_price = checks.accept(currency.parse_amount("unitPrice", form.unit_price.trim()));
    let stock = checks.accept(number("stock", &form.stock));
    let threshold = (!form.low_stock_threshold.trim().is_empty())
        .then(|| checks.accept(number("lowStockThreshold", &form.low_stock_threshold)))
        .flatten();
    let status = checks.accept(form.status.parse::<ProductStatus>());
    let product_id = Some(form.product_id.clone()).filter(|id| !id.is_empty());
    checks.finish()?;
    let input = ProductInput {
        product_id: product_id.clone(),
        name: form.name.clone(),
        // Forms send line ends as CR LF.
        description: form.description.replace("\r\n", "\n"),
        category: form.category.clone(),
        unit_price: unit_price.unwrap_or_default(),
        stock: stock.unwrap_or_default(),
        low_stock_threshold: threshold,
        status: status.unwrap_or(ProductStatus::Active),
    };
    Ok((product_id, input))
}

impl Catalog {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// A page of 50, through the cache.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.list", skip_all)]
    pub async fn list(&self, vendor: &VendorRef, query: &ProductQuery) -> Result<Served<ProductPage>, AppError> {
        self.page(vendor, query, from_json).await
    }

    /// The same page as JSON, as the API serves it.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.list_json", skip_all)]
    pub async fn list_json(&self, vendor: &VendorRef, query: &ProductQuery) -> Result<Served<bytes::Bytes>, AppError> {
        self.page(vendor, query, |bytes| Ok(bytes.clone())).await
    }

    async fn page<T>(
        &self,
        vendor: &VendorRef,
        query: &ProductQuery,
        decode: fn(&bytes::Bytes) -> Result<T, AppError>,
    ) -> Result<Served<T>, AppError> {
        let key = cache_keys::products_key(&vendor.external_id, &listing_detail(query));
        let tags = [cache_keys::vendor_tag(&vendor.external_id), cache_keys::products_tag(&vendor.external_id)];
        let (db, cache, vendor_id, query) = (self.db.clone(), self.cache.clone(), vendor.id, query.clone());
        self.cache
            .get_or_load_decoded(
                &key,
                &tags,
                move || costed(async move { load_page(&db, vendor_id, &query, cache.now()).await }),
                decode,
            )
            .await
    }

    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.find", skip_all)]
    pub async fn find(&self, vendor: &VendorRef, product_id: &str) -> Result<Product, AppError> {
        let mut tx = self.db.read().await?;
        let found = catalog::find_product(&mut tx, vendor.id, product_id).await?;
        tx.commit().await?;
        found.ok_or(AppError::NotFound)
    }

    /// Gives the product an id of its own.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.create", skip_all)]
    pub async fn create(&self, by: &WritingVendor, input: &ProductInput, sender: &Sender) -> Result<Product, AppError> {
        let vendor = &by.vendor;
        let (once, sender) = (sender.once("product created", &(&vendor.external_id, input))?, sender.clone());
        let input = input.clone().checked()?;
        if input.product_id.is_some() {
            return Err(FieldError::new("productId", "is given by Vendorscope: leave it out").into());
        }
        let product_id = format!("p{:016x}", rand::random::<u64>());
        self.write(vendor, "product created", once, move |tx, vendor_id| {
            async move {
                catalog::insert_product(tx, vendor_id, &product_id, &input).await?;
                let product = catalog::find_product(tx, vendor_id, &product_id).await?.ok_or(AppError::NotFound)?;
                note(tx, &sender, "product_create", &product_id, None, Some(as_noted(&product)?)).await?;
                Ok(product)
            }
            .boxed()
        })
        .await
    }

    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.update", skip_all)]
    pub async fn update(
        &self,
        by: &WritingVendor,
        product_id: &str,
        input: &ProductInput,
        sender: &Sender,
    ) -> Result<Product, AppError> {
        let vendor = &by.vendor;
        let once = sender.once("product updated", &(&vendor.external_id, product_id, input))?;
        let sender = sender.clone();
        let input = input.clone().checked()?;
        if input.product_id.as_ref().is_some_and(|id| id != product_id) {
            return Err(FieldError::new("productId", "cannot change: leave it out, or send the product's own").into());
        }
        self.write(vendor, "product updated", once, {
            let product_id = product_id.to_owned();
            move |tx, vendor_id| {
                async move {
                    let before = catalog::find_product(tx, vendor_id, &product_id).await?.ok_or(AppError::NotFound)?;
                    catalog::update_product(tx, vendor_id, &product_id, &input).await?;
                    let after = catalog::find_product(tx, vendor_id, &product_id).await?.ok_or(AppError::NotFound)?;
                    let (was, became) = changes(&before, &after)?;
                    note(tx, &sender, "product_change", &product_id, Some(was), Some(became)).await?;
                    Ok(after)
                }
                .boxed()
            }
        })
        .await
    }

    /// The product's sales remain.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.delete", skip_all)]
    pub async fn delete(&self, by: &WritingVendor, product_id: &str, sender: &Sender) -> Result<(), AppError> {
        let vendor = &by.vendor;
        let once = sender.once("product deleted", &(&vendor.external_id, product_id))?;
        let sender = sender.clone();
        self.write(vendor, "product deleted", once, {
            let product_id = product_id.to_owned();
            move |tx, vendor_id| {
                async move {
                    let before = catalog::find_product(tx, vendor_id, &product_id).await?.ok_or(AppError::NotFound)?;
                    if !catalog::delete_product(tx, vendor_id, &product_id).await? {
                        return Err(AppError::NotFound);
                    }
                    note(tx, &sender, "product_delete", &product_id, Some(as_noted(&before)?), None).await
                }
                .boxed()
            }
        })
        .await
    }

    /// All of the named products, or none: `NotFound` when one of them is not this vendor's. Returns how many were
    /// changed.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.change_many", skip_all)]
    pub async fn change_many(&self, by: &WritingVendor, change: &BulkChange, sender: &Sender) -> Result<u64, AppError> {
        let vendor = &by.vendor;
        let (once, sender) = (sender.once("products changed", &(&vendor.external_id, change))?, sender.clone());
        let change = change.clone().checked()?;
        self.write(vendor, "products changed", once, move |tx, vendor_id| {
            async move {
                let ids: Vec<&str> = change.product_ids.iter().map(String::as_str).collect();
                let before = orders::find_products(tx, vendor_id, &ids).await?;
                let prices = change.changes.unit_price_change_bps.map(|bps| new_prices(&before, bps)).transpose()?;
                let changed = catalog::change_products(tx, vendor_id, &change).await?;
                if changed != change.product_ids.len() as u64 {
                    return Err(AppError::NotFound);
                }
                // Prices alone of what was: the rest of a product is no money.
                let has_price = change.changes.unit_price.is_some() || prices.is_some();
                let was = before.into_iter().map(|(id, product)| (id, product.unit_price.into()));
                let was = has_price.then(|| was.collect::<serde_json::Map<_, _>>().into());
                let mut became = as_noted(&change.changes)?;
                if let Some(prices) = prices {
                    became["unitPrices"] = prices.into();
                }
                note(tx, &sender, "products_change", &ids.join(" "), was, Some(became)).await?;
                Ok(changed)
            }
            .boxed()
        })
        .await
    }

    /// One transaction, after which this vendor's figures and listings are stale.
    async fn write<T, W>(
        &self,
        vendor: &VendorRef,
        why: &'static str,
        once: Option<Once>,
        work: W,
    ) -> Result<T, AppError>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        W: for<'a> FnOnce(&'a mut Tx, i64) -> BoxFuture<'a, Result<T, AppError>> + Send + 'static,
    {
        let (vendor, cause) = (vendor.clone(), by_vendor(vendor, why));
        write(&self.db, &self.cache, cause, once, move |tx| {
            async move {
                // Orders take from the stock that is written here.
                orders::lock_vendor(tx, vendor.id).await?;
                let answer = work(tx, vendor.id).await?;
                Ok(Written::stale(
                    answer,
                    vec![cache_keys::vendor_tag(&vendor.external_id), cache_keys::products_tag(&vendor.external_id)],
                ))
            }
            .boxed()
        })
        .await
    }
}

/// What prices come to after a change by so many hundredths of a percent, by the marketplace's ids.
fn new_prices(
    before: &HashMap<String, orders::OnSale>,
    bps: i64,
) -> Result<serde_json::Map<String, serde_json::Value>, FieldError> {
    let changed = before.iter().map(|(id, product)| (id, changed_price(product.unit_price, bps)));
    let checked = changed.map(|(id, price)| match price {
        0..=MAX_AMOUNT => Ok((id.clone(), price.into())),
        _ => Err(FieldError::new(
            "changes.unitPriceChangeBps",
            format!("makes the price of `{}` more than {MAX_AMOUNT} minor units, the most accepted", shown(id)),
        )),
    });
    checked.collect()
}

fn as_noted(value: &impl Serialize) -> Result<serde_json::Value, AppError> {
    serde_json::to_value(value).map_err(|error| AppError::Internal(format!("as JSON: {error}")))
}

async fn load_page(db: &Db, vendor_id: i64, query: &ProductQuery, now: Timestamp) -> Result<Loaded, AppError> {
    let mut tx = db.read().await?;
    let zone = vendors::find_time_zone(&mut tx, vendor_id).await?.ok_or(AppError::NotFound)?;
    // Days of cover, what sold lately and the order by either are those of another day after midnight.
    let (today, until_midnight) = (now.to_zoned(zone.clone()).date(), until_midnight(&zone, now));
    let mut listed = catalog::list_products(&mut tx, vendor_id, query, today, PAGE as i64 + 1).await?;
    let more = listed.len() > PAGE;
    listed.truncate(PAGE);
    let ids: Vec<&str> = listed.iter().map(|one| one.product.product_id.as_str()).collect();
    let sold = movers::list_recent(&mut tx, vendor_id, today, &ids).await?;
    let mut changed = catalog::list_price_changes(&mut tx, vendor_id, &ids).await?;
    let sums = catalog::sum_products(&mut tx, vendor_id, query, today).await?;
    tx.commit().await?;
    let name = list_name(query.sort, query.stock);
    let next = listed.last().filter(|_| more).map(|last| cursor::encode(&name, &last.position));
    let covers = query.stock.is_some().then(|| listed.iter().filter_map(|one| one.cover).collect());
    let recent = listed.iter().map(|one| sold.get(&one.product.product_id).copied().unwrap_or_default()).collect();
    let price_changes = listed.iter().map(|one| changed.remove(&one.product.product_id)).collect();
    let is_empty = listed.is_empty();
    let products = listed.into_iter().map(|one| one.product).collect();
    let page = ProductPage { products, covers, recent, price_changes, sums, next };
    let bytes = serde_json::to_vec(&page).map_err(|error| AppError::Internal(format!("product listing: {error}")))?;
    let is_one_of_many = query.search.is_some() || query.category.is_some() || query.after.is_some();
    Ok(listing(bytes, is_one_of_many, is_empty).ending_in(until_midnight))
}
