use leptos::prelude::*;

use crate::domain::{catalog::ProductStatus, orders::OrderStatus};

/// A status in words, with a tone that only repeats them.
pub fn status(status: impl Into<Shown>) -> AnyView {
    let Shown { name, tone } = status.into();
    view! { <span class=format!("status {tone}")>{name}</span> }.into_any()
}

/// How a status is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub name: &'static str,
    tone: &'static str,
}

impl From<OrderStatus> for Shown {
    fn from(status: OrderStatus) -> Self {
        let (name, tone) = match status {
            OrderStatus::Pending => ("Pending", "waiting"),
            OrderStatus::Processing => ("Processing", "moving"),
            OrderStatus::Shipped => ("Shipped", "moving"),
            OrderStatus::Delivered => ("Delivered", "done"),
            OrderStatus::Cancelled => ("Cancelled", "off"),
            OrderStatus::Failed => ("Failed", "failed"),
        };
        Self { name, tone }
    }
}

impl From<ProductStatus> for Shown {
    fn from(status: ProductStatus) -> Self {
        let (name, tone) = match status {
            ProductStatus::Active => ("Active", "done"),
            ProductStatus::Archived => ("Archived", "off"),
        };
        Self { name, tone }
    }
}
