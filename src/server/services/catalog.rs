use std::collections::{HashMap, HashSet};

use futures::future::{BoxFuture, FutureExt};
use serde::{Serialize, de::DeserializeOwned};
use vendorscope_cache::{Cache, Served};

use super::{
    Once, Sender, Written, by_vendor, changes, costed, from_json, listing_detail, note,
    product_edits::{NONE, ProductEdit, Shown},
    product_lists, write,
};
use crate::{
    domain::{
        accounts::VendorRef,
        catalog::{BulkChange, Product, ProductInput, ProductStatus, changed_price},
        field_error::{Checks, FieldError},
        money::{Currency, MAX_AMOUNT},
        product_lists::{ProductPage, ProductQuery},
        snapshot::Narrowed,
        text::shown,
    },
    server::{
        AppError, cache_keys,
        db::{Db, Tx, catalog, orders},
        identity::sessions::WritingVendor,
    },
    server_functions::products::ProductForm,
    words,
};

/// A vendor's products. Every write invalidates the vendor's analytics and listings before it is answered.
pub struct Catalog {
    pub(super) db: Db,
    pub(super) cache: Cache,
}

/// What a page showed of products before they were changed.
pub struct Reviewed {
    /// For each of the products, in their order; `None` where the page does not say.
    pub shown: Vec<Option<String>>,
    /// The same of a product as it is.
    pub now: Box<dyn Fn(&Product) -> String + Send + Sync>,
}

/// Reads a product's form: the id of the product to change (none for a new one) and what to write.
pub fn read_form(form: &ProductForm, currency: Currency) -> Result<(Option<String>, ProductEdit), Vec<FieldError>> {
    let mut checks = Checks::default();
    let price = |field: &str, text: &str| currency.parse_amount(field, text.trim());
    let number = |field: &str, text: &str| {
        text.trim().parse::<i64>().map_err(|_| {
            FieldError::new(field, format!("`{text}` is not a whole number, such as 12", text = shown(text)))
        })
    };
    let number_or_none = |field: &str, text: &str| match text.trim() {
        "" => Ok(None),
        text => number(field, text).map(Some),
    };
    let status_of = |text: &str| text.parse::<ProductStatus>();
    let unit_price = checks.accept(price("unitPrice", &form.unit_price));
    let stock = checks.accept(number("stock", &form.stock));
    let threshold = checks.accept(number_or_none("lowStockThreshold", &form.low_stock_threshold)).flatten();
    let status = checks.accept(status_of(&form.status));
    let product_id = Some(form.product_id.clone()).filter(|id| !id.is_empty());
    // An empty field is as good as none to whoever reads forms.
    let shown_threshold = form.shown_low_stock_threshold.as_deref().map(|text| if text == NONE { "" } else { text });
    let shown = Shown {
        name: form.shown_name.clone(),
        description: form.shown_description.clone(),
        category: form.shown_category.clone(),
        unit_price: checks
            .accept(form.shown_unit_price.as_deref().map(|text| price("form", text)).transpose())
            .flatten(),
        stock: checks.accept(form.shown_stock.as_deref().map(|text| number("form", text)).transpose()).flatten(),
        low_stock_threshold: checks
            .accept(shown_threshold.map(|text| number_or_none("form", text)).transpose())
            .flatten(),
        status: checks.accept(form.shown_status.as_deref().map(status_of).transpose()).flatten(),
    };
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
    Ok((product_id, ProductEdit { input, shown }))
}

impl Catalog {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// A page of 50, through the cache. `Invalid` for `sort` where more than `MOST_SUMMED` match and all of them would
    /// have to be looked at for it.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.list", skip_all)]
    pub async fn list(&self, vendor: &VendorRef, query: &ProductQuery) -> Result<Served<ProductPage>, AppError> {
        let key = cache_keys::products_key(&vendor.external_id, &listing_detail(query));
        let tags = [cache_keys::vendor_tag(&vendor.external_id), cache_keys::products_tag(&vendor.external_id)];
        let (db, cache, vendor_id, asked) = (self.db.clone(), self.cache.clone(), vendor.id, query.clone());
        let load = move || costed(async move { product_lists::load_page(&db, vendor_id, &asked, cache.now()).await });
        let served: Served<ProductPage> = self.cache.get_or_load_decoded(&key, &tags, load, from_json).await?;
        // Without sums they are too many.
        match query.reads_all() && served.value.sums.is_none() {
            true => Err(product_lists::too_many(query.sort)),
            false => Ok(served),
        }
    }

    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.find", skip_all)]
    pub async fn find(&self, vendor: &VendorRef, product_id: &str) -> Result<Product, AppError> {
        let mut tx = self.db.read().await?;
        let found = catalog::find_product(&mut tx, vendor.id, product_id).await?;
        tx.commit().await?;
        found.ok_or(AppError::NotFound)
    }

    /// What a product is called, and whether it was deleted: what it sold remains.
    pub async fn find_name(&self, vendor: &VendorRef, product_id: &str) -> Result<Option<(String, bool)>, AppError> {
        let mut tx = self.db.read().await?;
        let found = catalog::find_name(&mut tx, vendor.id, product_id).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Which of these products, by the marketplace's ids, the figures are narrowed to, whatever their orders' status.
    pub async fn list_of_part(
        &self,
        vendor: &VendorRef,
        part: &Narrowed,
        ids: impl Iterator<Item = &str> + Send,
    ) -> Result<HashSet<String>, AppError> {
        let ids: Vec<_> = ids.filter(|id| part.product.as_deref().is_none_or(|product| product == *id)).collect();
        let Some(category) = part.category.as_deref().filter(|_| !ids.is_empty()) else {
            return Ok(ids.into_iter().map(str::to_owned).collect());
        };
        let mut tx = self.db.read().await?;
        let found = catalog::list_in_category(&mut tx, vendor.id, &ids, category).await?;
        tx.commit().await?;
        Ok(found)
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
        self.write_anew(vendor, product_id, once, sender, move |_| Ok(input)).await
    }

    /// Writes what was edited of a product, and leaves the rest as it has become. `Invalid` for what was edited and has
    /// changed to something else since the form was opened, each field under its name after `changed.`.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.edit", skip_all)]
    pub async fn edit(
        &self,
        by: &WritingVendor,
        product_id: &str,
        edit: ProductEdit,
        sender: &Sender,
    ) -> Result<Product, AppError> {
        let vendor = &by.vendor;
        let once = sender.once("product edited", &(&vendor.external_id, product_id, &edit))?;
        let checked = edit.input.clone().checked()?;
        self.write_anew(vendor, product_id, once, sender.clone(), move |now| edit.applied_to(now, checked)).await
    }

    /// Writes a product as `input` makes it of what it is.
    async fn write_anew(
        &self,
        vendor: &VendorRef,
        product_id: &str,
        once: Option<Once>,
        sender: Sender,
        input: impl FnOnce(&Product) -> Result<ProductInput, Vec<FieldError>> + Send + 'static,
    ) -> Result<Product, AppError> {
        self.write(vendor, "product updated", once, {
            let product_id = product_id.to_owned();
            move |tx, vendor_id| {
                async move {
                    let before = catalog::find_product(tx, vendor_id, &product_id).await?.ok_or(AppError::NotFound)?;
                    catalog::update_product(tx, vendor_id, &product_id, &input(&before)?).await?;
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

    /// All of the named products, or none: `NotFound` when one of them is not this vendor's, `Conflict` where one is no
    /// longer what was `reviewed`. Returns how many were changed.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "catalog.change_many", skip_all)]
    pub async fn change_many(
        &self,
        by: &WritingVendor,
        change: &BulkChange,
        reviewed: Option<Reviewed>,
        sender: &Sender,
    ) -> Result<u64, AppError> {
        let vendor = &by.vendor;
        let (once, sender) = (sender.once("products changed", &(&vendor.external_id, change))?, sender.clone());
        let change = change.clone().checked()?;
        self.write(vendor, "products changed", once, move |tx, vendor_id| {
            async move {
                let ids: Vec<&str> = change.product_ids.iter().map(String::as_str).collect();
                let before = catalog::find_products(tx, vendor_id, &ids).await?;
                if let Some(reviewed) = reviewed {
                    check_reviewed(&before, &ids, reviewed)?;
                }
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

/// Refuses, naming the products, where some are no longer what was shown of them.
fn check_reviewed(there: &HashMap<String, Product>, ids: &[&str], reviewed: Reviewed) -> Result<(), AppError> {
    let mut names = Vec::new();
    for (id, shown) in ids.iter().zip(reviewed.shown) {
        let now = there.get(*id).ok_or(AppError::NotFound)?;
        if shown.is_some_and(|shown| shown != (reviewed.now)(now)) {
            names.push(now.name.clone());
        }
    }
    if names.is_empty() { Ok(()) } else { Err(AppError::Conflict(words::products_changed_meanwhile(&names))) }
}

/// What prices come to after a change by so many hundredths of a percent, by the marketplace's ids.
fn new_prices(
    before: &HashMap<String, Product>,
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
