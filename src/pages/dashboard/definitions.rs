use leptos::prelude::*;

/// A figure of the dashboard, to be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    pub text: &'static str,
}

pub const NET_SALES: Definition = Definition {
    name: "Net sales",
    text: "Gross sales minus discounts and returns. Excludes tax and shipping. Can be negative on days when returns \
        exceed sales.",
};
pub const PAYABLE: Definition =
    Definition { name: "Payable", text: "Net sales minus commission: what you are paid for this period." };
pub const ORDERS: Definition = Definition {
    name: "Orders",
    text: "Orders placed in this period with at least one of your products. Pending, failed and cancelled orders \
        don't count.",
};
pub const AVERAGE_ORDER_VALUE: Definition = Definition { name: "Average order value", text: "Net sales ÷ orders." };
pub const UNITS: Definition =
    Definition { name: "Units", text: "Units sold minus units returned. Returns count on the day they are refunded." };
pub const CUSTOMERS: Definition =
    Definition { name: "Customers", text: "Unique customers who ordered in this period." };
pub const RETURNS: Definition = Definition {
    name: "Returns",
    text: "Refunds issued in this period, excluding tax and shipping, whatever the order date.",
};
pub const WATERFALL: Definition = Definition {
    name: "How your payout is calculated",
    text: "Gross sales: price × quantity. Discounts: on items and, split across them, on orders. Commission: the rate \
        in force when the item was sold, minus commission returned on refunds. Payable: net sales minus commission.",
};
pub const BY_STATUS: Definition = Definition {
    name: "Orders by status",
    text: "Orders placed in this period, by current status. Pending, failed and cancelled orders are left out of all \
        other figures.",
};
pub const NEW_CUSTOMERS: Definition = Definition {
    name: "New and returning customers",
    text: "New: first order with you falls in this period. Returning: everyone else.",
};
pub const TOP: Definition = Definition { name: "Top products", text: "By net sales in this period, after returns." };
pub const MOVERS: Definition = Definition {
    name: "Biggest movers",
    text: "Products whose net sales rose or fell most against the previous period. Only days that are over are \
        compared.",
};
pub const TOP_CATEGORIES: Definition =
    Definition { name: "Top categories", text: "By net sales in this period, after returns." };
pub const LOW_STOCK: Definition = Definition {
    name: "Low stock",
    text: "Active products at or below their threshold, or gone within 7 days. Lasts: stock ÷ average daily units of \
        the last 28 days.",
};

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
