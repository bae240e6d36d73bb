use futures::future::FutureExt;
use jiff::Timestamp;
use vendorscope_cache::{Cache, Served, Tag};

use super::{Sender, Written, by_vendor, changes, costed, from_json, listing_detail, note, order_lists, write};
use crate::{
    domain::{
        accounts::VendorRef,
        allocation::commission,
        field_error::{Checks, FieldError},
        order_commands::{Buyer, NewOrder, OrderChange},
        orders::{Order, OrderPage, OrderQuery, OrderStatus},
        period::day_from_number,
        refund_commands::refund_may_be_of,
    },
    server::{
        AppError, cache_keys,
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
    words,
};

/// A vendor's parts of orders. Every write keeps sums and stock, and invalidates the vendor's analytics and listings
/// before it is answered.
pub struct Orders {
    pub(super) db: Db,
    pub(super) cache: Cache,
}

/// The most orders that are changed at once.
const MOST_AT_ONCE: usize = 50;

impl Orders {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// A page of 50, through the cache. `Invalid` for `sort` where more than `MOST_SUMMED` match and it is not by date.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.list", skip_all)]
    pub async fn list(&self, vendor: &VendorRef, query: &OrderQuery) -> Result<Served<OrderPage>, AppError> {
        let key = cache_keys::orders_key(&vendor.external_id, &listing_detail(query));
        let tags = [cache_keys::vendor_tag(&vendor.external_id), cache_keys::orders_tag(&vendor.external_id)];
        let (db, cache, vendor_id, sort, query) =
            (self.db.clone(), self.cache.clone(), vendor.id, query.sort, query.clone());
        let load = move || costed(async move { order_lists::load_page(&db, vendor_id, &query, cache.now()).await });
        let served: Served<OrderPage> = self.cache.get_or_load_decoded(&key, &tags, load, from_json).await?;
        // Without sums they are too many.
        if sort.reads_all() && served.value.sums.is_none() { Err(order_lists::too_many(sort)) } else { Ok(served) }
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

    /// Changes status and date. `Conflict` where the order may not go from its status to the next, no longer has the one
    /// that was `shown` to whoever changes it, or would take more than there is in stock; what is as it is already
    /// changes nothing.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.change", skip_all)]
    pub async fn change(
        &self,
        by: &WritingVendor,
        order_id: &str,
        change: OrderChange,
        shown: Option<OrderStatus>,
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
                let has_changed = apply(tx, &vendor_ref, &seller, &order_id, &change, shown).await?;
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

    /// Moves all of the orders, each with the status that was shown of it, to a status, or none: `Conflict` where one of
    /// them may not go there, or has another status by now. Returns how many.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.change_many", skip_all)]
    pub async fn change_many(
        &self,
        by: &WritingVendor,
        orders: Vec<(String, Option<OrderStatus>)>,
        next: OrderStatus,
        sender: &Sender,
    ) -> Result<u64, AppError> {
        let vendor = &by.vendor;
        let mut checks = Checks::default();
        checks.require((1..=MOST_AT_ONCE).contains(&orders.len()), "orderIds", || {
            format!("must name 1 to {MOST_AT_ONCE} orders")
        });
        checks.finish()?;
        let ids: Vec<_> = orders.iter().map(|(id, _)| id).collect();
        let (once, sender) = (sender.once("orders changed", &(&vendor.external_id, ids, next))?, sender.clone());
        let vendor_ref = vendor.clone();
        write(&self.db, &self.cache, by_vendor(vendor, "orders changed"), once, move |tx| {
            async move {
                let seller = lock(tx, &vendor_ref).await?;
                let change = OrderChange { status: Some(next), placed_at: None };
                let mut changed = 0;
                for (order_id, shown) in &orders {
                    let part = orders::find_part(tx, vendor_ref.id, order_id).await?.ok_or(AppError::NotFound)?;
                    if apply(tx, &vendor_ref, &seller, order_id, &change, *shown).await? {
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
pub(super) fn stale(vendor: &VendorRef) -> Vec<Tag> {
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
    shown: Option<OrderStatus>,
) -> Result<bool, AppError> {
    let part = orders::find_part(tx, vendor.id, order_id).await?.ok_or(AppError::NotFound)?;
    let next = change.status.unwrap_or(part.status);
    let zone = change.placed_at.map(|_| vendors::time_zone(&seller.time_zone)).transpose()?;
    let placed = change.placed_at.zip(zone).map(|(at, zone)| Moment::new(at, &zone));
    let placed = placed.filter(|placed| placed.us != part.placed_us);
    if let Some(shown) = shown.filter(|shown| next != part.status && *shown != part.status) {
        return Err(AppError::Conflict(words::moved_on_meanwhile(order_id, part.status.as_str(), shown.as_str())));
    }
    if next != part.status && !part.status.may_become(next) {
        return Err(AppError::Conflict(format!("Order {order_id} is {} and cannot become {next}.", part.status)));
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
