use futures::future::FutureExt;

use super::{Written, by_vendor, write};
use crate::{
    domain::{
        invalid::Invalid,
        orders::{Order, OrderPage, OrderStatus},
    },
    server::{
        AppError, VendorRef,
        cache::{Cache, Tag},
        db::{
            Db, orders,
            rollups::{self, Touched},
        },
    },
};

/// A vendor's parts of orders. Every write invalidates the vendor's analytics before it is answered.
pub struct Orders {
    db: Db,
    cache: Cache,
}

/// Orders on one page of a list.
const PAGE: usize = 50;

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderQuery {
    pub status: Option<OrderStatus>,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// Reads the parameters of a list. Empty texts, which forms send, count as absent.
pub fn parse_query(status: Option<&str>, after: Option<String>) -> Result<OrderQuery, Invalid> {
    let status = status.filter(|text| !text.is_empty()).map(str::parse).transpose()?;
    Ok(OrderQuery { status, after: after.filter(|id| !id.is_empty()) })
}

impl Orders {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// A page of 50, newest first.
    pub async fn list(&self, vendor: &VendorRef, query: &OrderQuery) -> Result<OrderPage, AppError> {
        let mut tx = self.db.read().await?;
        let found = orders::list_orders(&mut tx, vendor.id, query.status, query.after.as_deref(), PAGE as i64 + 1).await?;
        tx.commit().await?;
        let mut orders = found.ok_or_else(|| Invalid::new("after", "names no order of this vendor: use `next` of the page before"))?;
        let more = orders.len() > PAGE;
        orders.truncate(PAGE);
        let next = orders.last().filter(|_| more).map(|order| order.order_id.clone());
        Ok(OrderPage { orders, next })
    }

    pub async fn find(&self, vendor: &VendorRef, order_id: &str) -> Result<Order, AppError> {
        let mut tx = self.db.read().await?;
        let found = orders::find_order(&mut tx, vendor.id, order_id).await?;
        tx.commit().await?;
        found.ok_or(AppError::NotFound)
    }

    /// `Conflict` where the order may not go from its status to `next`; the same status again changes nothing.
    pub async fn set_status(&self, vendor: &VendorRef, order_id: &str, next: OrderStatus) -> Result<Order, AppError> {
        let (vendor, order_id, cause) = (vendor.clone(), order_id.to_owned(), by_vendor(vendor, "order status changed"));
        write(&self.db, &self.cache, cause, move |tx| {
            async move {
                orders::lock_vendor(tx, vendor.id).await?;
                let (id, status) = orders::find_status(tx, vendor.id, &order_id).await?.ok_or(AppError::NotFound)?;
                let mut stale = Vec::new();
                if status != next {
                    if !status.may_become(next) {
                        return Err(AppError::Conflict(format!("The order is {status} and cannot become {next}.")));
                    }
                    let touched = [(vendor.id, id)];
                    rollups::retract(tx, &Touched::Orders(&touched)).await?;
                    orders::update_status(tx, vendor.id, id, next).await?;
                    rollups::add(tx, &Touched::Orders(&touched)).await?;
                    stale = vec![Tag::vendor(&vendor.external_id), Tag::orders(&vendor.external_id)];
                }
                let answer = orders::find_order(tx, vendor.id, &order_id).await?.ok_or(AppError::NotFound)?;
                Ok(Written { answer, stale })
            }
            .boxed()
        })
        .await
    }
}
