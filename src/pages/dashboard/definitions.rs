use leptos::prelude::*;

/// A figure of the dashboard, to be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    pub text: &'static str,
}

pub const NET_SALES: Definition = Definition {
    name: "Net sales",
    text: "Gross sales less discounts and returns. Without tax and shipping. A day with more returned than sold is below zero.",
};
pub const ORDERS: Definition = Definition {
    name: "Orders",
    text: "Orders placed in the range with at least one of your products, except pending, failed and cancelled ones.",
};
pub const AVERAGE_ORDER_VALUE: Definition =
    Definition { name: "Average order value", text: "Net sales divided by orders. A dash where there were no orders." };
pub const UNITS: Definition =
    Definition { name: "Units", text: "Units sold less units returned; a return counts on the day of the refund." };
pub const CUSTOMERS: Definition = Definition {
    name: "Customers",
    text: "Different customers with a counted order in the range. Someone who orders twice is one customer.",
};
pub const RETURNS: Definition = Definition {
    name: "Returns",
    text: "What was refunded, without tax and shipping, on the day of the refund, whenever the order was placed.",
};
pub const WATERFALL: Definition = Definition {
    name: "From gross to payable",
    text: "Gross sales: price times quantity. Discounts: those on a line and its share of those on the order. Commission: as agreed when each line was sold, less its reversal on refunds. Payable: net sales less commission.",
};
pub const BY_STATUS: Definition = Definition {
    name: "Orders by status",
    text: "Every order placed in the range by where it stands now. Pending, failed and cancelled orders count in no other figure here.",
};
pub const NEW_CUSTOMERS: Definition = Definition {
    name: "New and returning customers",
    text: "New: their first counted order with you ever lies in the range. Returning: all other customers of the range.",
};
pub const TOP: Definition = Definition { name: "Top products", text: "By net sales in the range, after returns." };
pub const TOP_CATEGORIES: Definition = Definition { name: "Top categories", text: "By net sales in the range, after returns." };
pub const LOW_STOCK: Definition = Definition {
    name: "Low stock",
    text: "Products on sale whose stock is at or below their threshold, or sells out within 7 days; what runs out first stands first. Days of cover: stock divided by the average daily units of the last 28 days.",
};

/// The definition behind a question mark; opens without scripts.
pub fn explained(definition: Definition) -> AnyView {
    view! {
        <details class="define" name="define">
            <summary aria-label=format!("What is {}?", definition.name)><span aria-hidden="true">"?"</span></summary>
            <p>{definition.text}</p>
        </details>
    }
    .into_any()
}
