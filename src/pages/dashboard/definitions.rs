use leptos::prelude::*;

use crate::words;

/// A figure of the dashboard, to be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    pub text: &'static str,
}

pub const NET_SALES: Definition = Definition { name: "Net sales", text: words::NET_SALES };
pub const PAYABLE: Definition = Definition { name: "Payable", text: words::PAYABLE };
pub const ORDERS: Definition = Definition { name: "Orders", text: words::ORDERS };
pub const AVERAGE_ORDER_VALUE: Definition =
    Definition { name: "Average order value", text: words::AVERAGE_ORDER_VALUE };
pub const UNITS: Definition = Definition { name: "Units", text: words::UNITS };
pub const CUSTOMERS: Definition = Definition { name: "Customers", text: words::CUSTOMERS };
pub const RETURNS: Definition = Definition { name: "Returns", text: words::RETURNS };
pub const WATERFALL: Definition = Definition { name: "How your payout is calculated", text: words::WATERFALL };
pub const BY_STATUS: Definition = Definition { name: "Orders by status", text: words::BY_STATUS };
pub const NEW_CUSTOMERS: Definition = Definition { name: "New and returning customers", text: words::NEW_CUSTOMERS };
pub const TOP: Definition = Definition { name: "Top products", text: words::TOP };
pub const MOVERS: Definition = Definition { name: "Biggest movers", text: words::MOVERS };
pub const TOP_CATEGORIES: Definition = Definition { name: "Top categories", text: words::TOP };
pub const LOW_STOCK: Definition = Definition { name: "Low stock", text: words::LOW_STOCK };

/// The definition behind a question mark, and how the figure that is shown comes about; opens without scripts.
pub fn explained(definition: Definition, sum: Option<String>) -> AnyView {
    let sum = sum.map(|sum| view! { <br/> <b>{sum}</b> });
    view! {
        <details class="define" name="define">
            <summary aria-label=format!("About “{}”", definition.name)><span aria-hidden="true">"?"</span></summary>
            <p>{definition.text} {sum}</p>
        </details>
    }
    .into_any()
}
