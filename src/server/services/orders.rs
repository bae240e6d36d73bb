use futures::future::FutureExt;
use jiff::Timestamp;
use vendorscope_cache::{Cache, Loaded, Served, Tag};

use super::{Sender, Written, by_vendor, changes, costed, from_json, listing, listing_detail, note, write};
use crate::{
    domain::{
        accounts::VendorRef,
        allocation::commission,
        field_error::{Checks, FieldError},
        order_commands::{Buyer, NewOrder, OrderChange, refund_may_be_of},
        orders::{MOST_SUMMED, Order, OrderColumn, OrderPage, OrderQuery, OrderSort, OrderStatus},
        period::{day_from_number, parse_day},
        text::{non_empty, read_search},
    },
    server::{
        AppError, cache_keys, cursor,
        db::{
            Db, Tx,
            moment::Moment,
            orders::{self, LineRow, OrderRow, VendorTerms},
            refunds,
            rollups::{self, Touched},
            stock, vendors,
        },
        identity::sessions::WritingVendor,
    },
};

/// A vendor's parts of orders. Every write keeps sums and stock, and invalidates the vendor's analytics and listings
/// before it is answered.
pub struct Orders {
    pub(super) db: Db,
    pub(super) cache: Cache,
}

/// Orders on one page of a list.
const PAGE: usize = 50;
/// The most orders that are changed at once.
const MOST_AT_ONCE: usize = 50;
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
    let refunded = given(parameters.refunded).and_then(|text| checks.accept(parse_refunded(text)));
    let (product, category) = (given(parameters.product), given(parameters.category));
    let (product, category) = (product.map(str::to_owned), category.map(str::to_owned));
    let sort: OrderSort = given(parameters.sort).and_then(|text| checks.accept(text.parse())).unwrap_or_default();
    let by_text = matches!(sort.column(), OrderColumn::Order | OrderColumn::Customer);
    let after = given(parameters.after).and_then(|text| checks.accept(cursor::decode(&list_name(sort), by_text, text)));
    checks.finish().map(|()| OrderQuery { status, from, to, search, refunded, product, category, sort, after })
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

fn parse_refunded(text: &str) -> Result<bool, FieldError> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(FieldError::unknown("refunded", other, &["true", "false"])),
    }
}

impl Orders {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// A page of 50, through the cache. `Invalid` for `sort` where more than `MOST_SUMMED` match and it is not by date.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.list", skip_all)]
    pub async fn list(&self, vendor: &VendorRef, query: &OrderQuery) -> Result<Served<OrderPage>, AppError> {
        let key = cache_keys::orders_key(&vendor.external_id, &listing_detail(query));
        let tags = [cache_keys::vendor_tag(&vendor.external_id), cache_keys::orders_tag(&vendor.external_id)];
        let (db, vendor_id, sort, query) = (self.db.clone(), vendor.id, query.sort, query.clone());
        let load = move || costed(async move { load_page(&db, vendor_id, &query).await });
        let served: Served<OrderPage> = self.cache.get_or_load_decoded(&key, &tags, load, from_json).await?;
        // Without sums they are too many.
        if sort.reads_all() && served.value.sums.is_none() { Err(too_many(sort)) } else { Ok(served) }
    }

    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.find", skip_all)]
    pub async fn find(&self, vendor: &VendorRef, order_id: &str) -> Result<Order, AppError> {
        let mut tx = self.db.read().await?;
        let found = orders::find_order(&mut tx, vendor.id, order_id).await?;
        tx.commit().await?;
        found.ok_or(AppError::NotFound)
    }

    /// Gives the order an id of its own. `Invalid` by field, for a product or a customer that is not this vendor's too;
    /// `Conflict` where the order counts and there is not enough in stock.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.create", skip_all)]
    pub async fn create(&self, by: &WritingVendor, new: NewOrder, sender: &Sender) -> Result<Order, AppError> {
        let vendor = &by.vendor;
        let now = Timestamp::now();
        let (once, sender) = (sender.once("order created", &(&vendor.external_id, &new))?, sender.clone());
        let new = new.checked(now)?;
        let vendor_ref = vendor.clone();
        write(&self.db, &self.cache, by_vendor(vendor, "order created"), once, move |tx| {
            async move {
                let seller = lock(tx, &vendor_ref).await?;
                let order_id = place(tx, &vendor_ref, &seller, &new, now).await?;
                let order = orders::find_order(tx, vendor_ref.id, &order_id).await?.ok_or(AppError::NotFound)?;
                let became = serde_json::json!({
                    "status": order.status,
                    "lines": order.lines.len(),
                    "amount": order.lines.iter().map(|line| line.gross - line.discount).sum::<i64>(),
                });
                note(tx, &sender, "order_create", &order_id, None, Some(became)).await?;
                written(tx, &vendor_ref, &order_id, true).await
            }
            .boxed()
        })
        .await
    }

    /// Changes status and date. `Conflict` where the order may not go from its status to the next, or would take more
    /// than there is in stock; what is as it is already changes nothing.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.change", skip_all)]
    pub async fn change(
        &self,
        by: &WritingVendor,
        order_id: &str,
        change: OrderChange,
        sender: &Sender,
    ) -> Result<Order, AppError> {
        let vendor = &by.vendor;
        change.check(Timestamp::now())?;
        let once = sender.once("order changed", &(&vendor.external_id, order_id, &change))?;
        let sender = sender.clone();
        let (vendor_ref, order_id) = (vendor.clone(), order_id.to_owned());
        write(&self.db, &self.cache, by_vendor(vendor, "order changed"), once, move |tx| {
            async move {
                let seller = lock(tx, &vendor_ref).await?;
                let before = orders::find_order(tx, vendor_ref.id, &order_id).await?.ok_or(AppError::NotFound)?;
                let has_changed = apply(tx, &vendor_ref, &seller, &order_id, &change).await?;
                if has_changed {
                    let after = orders::find_order(tx, vendor_ref.id, &order_id).await?.ok_or(AppError::NotFound)?;
                    let (was, became) = changes(&before, &after)?;
                    note(tx, &sender, "order_change", &order_id, Some(was), Some(became)).await?;
                }
                written(tx, &vendor_ref, &order_id, has_changed).await
            }
            .boxed()
        })
        .await
    }

    /// Moves all of the orders to a status, or none: `Conflict` where one of them may not go there. Returns how many.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.change_many", skip_all)]
    pub async fn change_many(
        &self,
        by: &WritingVendor,
        order_ids: Vec<String>,
        next: OrderStatus,
        sender: &Sender,
    ) -> Result<u64, AppError> {
        let vendor = &by.vendor;
        let mut checks = Checks::default();
        checks.require((1..=MOST_AT_ONCE).contains(&order_ids.len()), "orderIds", || {
            format!("must name 1 to {MOST_AT_ONCE} orders")
        });
        checks.finish()?;
        let (once, sender) = (sender.once("orders changed", &(&vendor.external_id, &order_ids, next))?, sender.clone());
        let vendor_ref = vendor.clone();
        write(&self.db, &self.cache, by_vendor(vendor, "orders changed"), once, move |tx| {
            async move {
                let seller = lock(tx, &vendor_ref).await?;
                let change = OrderChange { status: Some(next), placed_at: None };
                let mut changed = 0;
                for order_id in &order_ids {
                    let part = orders::find_part(tx, vendor_ref.id, order_id).await?.ok_or(AppError::NotFound)?;
                    if apply(tx, &vendor_ref, &seller, order_id, &change).await? {
                        let (was, became) =
                            (serde_json::json!({ "status": part.status }), serde_json::json!({ "status": next }));
                        note(tx, &sender, "order_change", order_id, Some(was), Some(became)).await?;
                        changed += 1;
                    }
                }
                Ok(match changed {
                    0 => Written::nothing(0, Some(stale(&vendor_ref))),
                    changed => Written::stale(changed, stale(&vendor_ref)),
                })
            }
            .boxed()
        })
        .await
    }
}

async fn load_page(db: &Db, vendor_id: i64, query: &OrderQuery) -> Result<Loaded, AppError> {
    let mut tx = db.read().await?;
    // A list that has to be sorted is counted first: it may be too long for that.
    let counted = match query.sort.reads_all() {
        true => Some(orders::sum_orders(&mut tx, vendor_id, query).await?),
        false => None,
    };
    let mut listed = match counted {
        Some(None) => Vec::new(),
        _ => orders::list_orders(&mut tx, vendor_id, query, PAGE as i64 + 1).await?,
    };
    let more = listed.len() > PAGE;
    let sums = match counted {
        Some(sums) => sums,
        None if query.after.is_none() && !more => Some(listed.iter().map(|(order, _)| order).collect()),
        None => orders::sum_orders(&mut tx, vendor_id, query).await?,
    };
    tx.commit().await?;
    listed.truncate(PAGE);
    let next = listed.last().filter(|_| more).map(|(_, position)| cursor::encode(&list_name(query.sort), position));
    let orders: Vec<_> = listed.into_iter().map(|(order, _)| order).collect();
    let narrowed = [&query.search, &query.product, &query.category].into_iter().any(Option::is_some);
    let (is_one_of_many, is_empty) = (narrowed || query.after.is_some(), orders.is_empty());
    let bytes = serde_json::to_vec(&OrderPage { orders, sums, next })
        .map_err(|error| AppError::Internal(format!("order listing: {error}")))?;
    Ok(listing(bytes, is_one_of_many, is_empty))
}

pub(super) async fn lock(tx: &mut Tx, vendor: &VendorRef) -> Result<VendorTerms, AppError> {
    orders::lock_vendor(tx, vendor.id).await?.ok_or(AppError::NotFound)
}

/// The order as it is now, and what is stale where it has changed: what shows stock, too.
pub(super) async fn written(
    tx: &mut Tx,
    vendor: &VendorRef,
    order_id: &str,
    has_changed: bool,
) -> Result<Written<Order>, AppError> {
    let answer = orders::find_order(tx, vendor.id, order_id).await?.ok_or(AppError::NotFound)?;
    let tags = stale(vendor);
    Ok(if has_changed { Written::stale(answer, tags) } else { Written::nothing(answer, Some(tags)) })
}

/// What a write to orders makes stale: what shows stock, too.
fn stale(vendor: &VendorRef) -> Vec<Tag> {
    let id = vendor.external_id.as_str();
    vec![
        cache_keys::vendor_tag(id),
        cache_keys::orders_tag(id),
        cache_keys::products_tag(id),
        cache_keys::marketplace_tag(),
    ]
}

/// Writes a new order and everything that follows from it. Returns the marketplace's id.
async fn place(
    tx: &mut Tx,
    vendor: &VendorRef,
    seller: &VendorTerms,
    new: &NewOrder,
    now: Timestamp,
) -> Result<String, AppError> {
    let ids: Vec<&str> = new.lines.iter().map(|line| line.product_id.as_str()).collect();
    let products = orders::find_products(tx, vendor.id, &ids).await?;
    let mut checks = Checks::default();
    for (at, line) in new.lines.iter().enumerate() {
        checks.require(products.contains_key(&line.product_id), &format!("lines[{at}].productId"), || {
            format!("there is no product `{}` of yours", line.product_id)
        });
    }
    checks.finish()?;
    let on_sale: Vec<_> = new.lines.iter().filter_map(|line| Some((line, products.get(&line.product_id)?))).collect();
    let prices: Vec<i64> =
        on_sale.iter().map(|(line, product)| line.unit_price.unwrap_or(product.unit_price)).collect();
    let lines: Vec<LineRow> = on_sale
        .iter()
        .zip(new.price(&prices)?)
        .map(|((line, product), priced)| LineRow {
            product_id: product.id,
            quantity: line.quantity,
            gross: priced.gross,
            discount: priced.discount,
            commission: commission(priced.gross - priced.discount, seller.commission_bps),
        })
        .collect();
    let customer_id = find_or_insert_customer(tx, vendor, &new.customer).await?;
    let order_id = format!("o{:016x}", rand::random::<u64>());
    let placed = Moment::new(new.placed_at.unwrap_or(now), &vendors::time_zone(&seller.time_zone)?);
    let row = OrderRow { order_id: &order_id, customer_id, status: new.status, placed, lines: &lines };
    let id = orders::insert_order(tx, vendor.id, &row).await?;
    if new.status.is_counted() {
        take_stock(tx, vendor, id).await?;
    }
    rollups::add(tx, &Touched::Orders(&[(vendor.id, id)])).await?;
    Ok(order_id)
}

async fn find_or_insert_customer(tx: &mut Tx, vendor: &VendorRef, buyer: &Buyer) -> Result<i64, AppError> {
    match buyer {
        Buyer { customer_id: Some(id), .. } => orders::find_customer(tx, vendor.id, id).await?.ok_or_else(|| {
            FieldError::new("customer.customerId", format!("no customer `{id}` has ordered from you")).into()
        }),
        Buyer { name, country, .. } => {
            let customer_id = format!("c{:016x}", rand::random::<u64>());
            let (name, country) = (name.as_deref().unwrap_or_default(), country.as_deref().unwrap_or_default());
            Ok(orders::insert_customer(tx, &customer_id, name, country).await?)
        }
    }
}

/// Whether anything has changed.
async fn apply(
    tx: &mut Tx,
    vendor: &VendorRef,
    seller: &VendorTerms,
    order_id: &str,
    change: &OrderChange,
) -> Result<bool, AppError> {
    let part = orders::find_part(tx, vendor.id, order_id).await?.ok_or(AppError::NotFound)?;
    let next = change.status.unwrap_or(part.status);
    let zone = change.placed_at.map(|_| vendors::time_zone(&seller.time_zone)).transpose()?;
    let placed = change.placed_at.zip(zone).map(|(at, zone)| Moment::new(at, &zone));
    let placed = placed.filter(|placed| placed.us != part.placed_us);
    if next != part.status && !part.status.may_become(next) {
        return Err(AppError::Conflict(format!("The order is {} and cannot become {next}.", part.status)));
    }
    if next == part.status && placed.is_none() {
        return Ok(false);
    }
    if let Some(placed) = &placed
        && let Some(refunded) = refunds::first_day(tx, vendor.id, part.id).await?
        && !refund_may_be_of(refunded, placed.day)
    {
        let refunded_on = day_from_number(refunded);
        return Err(FieldError::new(
            "placedAt",
            format!("lies behind the day of a refund of the order, {refunded_on}"),
        )
        .into());
    }
    let touched = [(vendor.id, part.id)];
    rollups::retract(tx, &Touched::Orders(&touched)).await?;
    if next != part.status {
        orders::update_status(tx, vendor.id, part.id, next).await?;
    }
    if let Some(placed) = &placed {
        orders::update_placed(tx, vendor.id, part.id, placed).await?;
    }
    match (part.status.is_counted(), next.is_counted()) {
        (false, true) => take_stock(tx, vendor, part.id).await?,
        (true, false) => stock::give_back(tx, vendor.id, part.id).await?,
        _ => {}
    }
    rollups::add(tx, &Touched::Orders(&touched)).await?;
    Ok(true)
}

/// Refuses, naming the products, where there is not enough of them.
async fn take_stock(tx: &mut Tx, vendor: &VendorRef, id: i64) -> Result<(), AppError> {
    let short = stock::take(tx, vendor.id, id).await?;
    if short.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = short
        .iter()
        .map(|short| {
            format!(
                "{} of `{}` ({}) are in stock, {} are wanted",
                short.stock, short.product_id, short.name, short.wanted
            )
        })
        .collect();
    Err(AppError::Conflict(format!("There is not enough in stock: {}.", named.join("; "))))
}
