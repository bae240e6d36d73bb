use crate::{
    domain::{
        invalid::Invalid,
        orders::{Order, OrderPage, OrderStatus},
    },
    server::{AppError, VendorRef, cache::Cache, db::Db},
};

/// A vendor's parts of orders. Every write invalidates the vendor's analytics before it is answered.
pub struct Orders {
    db: Db,
    cache: Cache,
}

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderQuery {
    pub status: Option<OrderStatus>,
    /// `next` of the page before: the instant and database id it ended with.
    pub after: Option<(i64, i64)>,
}

/// Reads the parameters of a list.
pub fn parse_query(status: Option<&str>, after: Option<String>) -> Result<OrderQuery, Invalid> {
    let _ = (status, after);
    todo!()
}

impl Orders {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// A page of 50, newest first.
    pub async fn list(&self, vendor: &VendorRef, query: &OrderQuery) -> Result<OrderPage, AppError> {
        let _ = (&self.db, &self.cache, vendor, query);
        todo!()
    }

    pub async fn find(&self, vendor: &VendorRef, order_id: &str) -> Result<Order, AppError> {
        let _ = (vendor, order_id);
        todo!()
    }

    /// `Conflict` where the order may not go from its status to `next`; the same status again changes nothing.
    pub async fn set_status(&self, vendor: &VendorRef, order_id: &str, next: OrderStatus) -> Result<Order, AppError> {
        let _ = (vendor, order_id, next);
        todo!()
    }
}
