use super::age;

pub const SKIP: &str = "Skip to content";
pub const GO_TO_DASHBOARD: &str = "Go to dashboard";

// Errors.
pub const SESSION_ENDED: &str = "Your session has ended. Log in, then try again.";
pub const LOG_IN_IN_A_NEW_TAB: &str = "Log in in a new tab";
pub const NO_ACCESS: &str = "You don't have access to this page.";
pub const NOT_FOUND: &str = "We couldn't find that.";
pub const PAGE_NOT_FOUND: &str = "Page not found";
pub const UNAVAILABLE: &str = "Vendorscope isn't responding. Please try again shortly.";
pub const PAGE_NOT_LOADED: &str = "Couldn't load this page";
pub const RANGE_REFUSED: &str = "This date range isn't valid";
pub const FILTERS_REFUSED: &str = "These filters don't work";
pub const IN_THE_FUTURE: &str = "This period hasn't started yet.";

pub const SESSIONS_DOWN: &str =
    "The store of sessions (Redis) isn't responding, so nobody can log in at the moment. Please try again shortly.";
pub const DATABASE_DOWN: &str = "The database isn't responding. Please try again shortly.";

/// The heading of a page that says why there is none, by its HTTP status.
pub fn problem_title(status: u16) -> &'static str {
    match status {
        401 => "Logged out",
        403 => "No access",
        404 => PAGE_NOT_FOUND,
        413 => "Too large",
        422 => "That isn't valid",
        429 => "Too many requests",
        503 => "Vendorscope isn't responding",
        500.. => "Something went wrong",
        _ => "That didn't work",
    }
}

/// What is wrong with an address, by its parameter; `message` is the server's.
pub fn range_refused(field: &str, message: &str) -> String {
    let name = match field {
        "dateFrom" => "Start date",
        "dateTo" => "End date",
        "compare" => "Comparison",
        "interval" => "Grouping",
        other => other,
    };
    if message.contains("orders match") {
        "More than 5,000 orders match. Choose dates, a status or a search to sort them by more than the date."
            .to_owned()
    } else if message.contains("lies before") {
        "The end date must be on or after the start date.".to_owned()
    } else if message.contains("longer than") {
        "Choose a period of at most 10 years.".to_owned()
    } else if message.contains("is accepted for at most") {
        "Hours can be shown for short periods only. Choose days instead.".to_owned()
    } else if message.contains("hasn't started") {
        message.to_owned()
    } else {
        format!("{name}: {message}")
    }
}

// Forms.
pub const NOT_SAVED: &str = "Changes not saved. Fix the following:";
pub const SAVED: &str = "Saved.";

pub fn whole_number(most: i64) -> String {
    format!("Enter a whole number up to {}.", crate::format::count(most))
}

// Products.
pub const FIRST_PRODUCT: &str = "Add your first product to start tracking sales.";
pub const NO_MATCHING_PRODUCTS: &str = "No matching products";
pub const CLEAR_FILTERS: &str = "Clear filters";
pub const PRODUCT_DELETED: &str = "Product deleted.";
pub const DELETE_PRODUCT: &str =
    "This removes the product from all lists; past sales stay in your reports. This can't be undone.";
pub const ARCHIVED: &str = "Archived (hidden from sale, history kept)";

pub fn price_between(least: &str, most: &str) -> String {
    format!("Enter a price between {least} and {most}.")
}

pub fn text_up_to(what: &str, most: usize) -> String {
    format!("Enter a {what} (up to {most} characters).")
}

// Orders.
pub const NO_ORDERS: &str = "Your first order will appear here.";
pub const NO_MATCHING_ORDERS: &str = "No matching orders";
pub const COUNTED: &str = "Counted as sales";
pub const NOT_COUNTED: &str = "Not counted";
pub const LINES_OF_PRODUCT: &str = "Only this product";
pub const LINES_OF_CATEGORY: &str = "Only this category";
pub const RETURNED_THEN: &str = "Returned on these days";

pub fn newest_order(id: &str) -> String {
    format!("Newest order: {id}")
}

/// `what` in the plural.
pub fn too_many_to_sum(what: &str, most: i64) -> String {
    format!("More than {} {what} match: narrow them to see what they come to.", crate::format::count(most))
}

pub fn price_until(was: &str, day: &str) -> String {
    format!("{was} until {day}")
}

/// Of what is in stock, at its prices.
pub fn worth(value: &str) -> String {
    format!("Worth {value}")
}

/// Where there are too many to be summed up, and to be sorted by anything but their date.
pub fn too_many_to_sort(most: i64) -> String {
    format!(
        "More than {} orders match: narrow them to see what they come to, and to sort them by more than the date.",
        crate::format::count(most)
    )
}

/// Short enough for a phone's select.
pub fn sort_of_orders(sort: crate::domain::orders::OrderSort) -> &'static str {
    use crate::domain::orders::OrderSort::*;
    match sort {
        PlacedDesc => "Newest first",
        PlacedAsc => "Oldest first",
        OrderAsc => "Order A–Z",
        OrderDesc => "Order Z–A",
        CustomerAsc => "Customer A–Z",
        CustomerDesc => "Customer Z–A",
        StatusAsc => "Pending first",
        StatusDesc => "Failed first",
        UnitsDesc => "Most units",
        UnitsAsc => "Fewest units",
        TotalDesc => "Largest total",
        TotalAsc => "Smallest total",
        RefundedDesc => "Most refunded",
        RefundedAsc => "Least refunded",
    }
}

/// `sorted`: how the list is.
pub fn sorted_list(sorted: &str, zone: &str) -> String {
    format!("{sorted} · times in {zone}")
}

pub fn final_status(status: &str) -> String {
    format!("This order is {}; its status can no longer change.", status.to_lowercase())
}

pub fn status_updated(status: &str) -> String {
    format!("Status updated to {status}.")
}

pub fn refunded(amount: &str) -> String {
    format!("Refunded {amount}.")
}

pub const REFUND_UNDONE: &str = "Refund undone.";
pub const UNDO_HINT: &str = "You can undo this for one minute.";

// Many at once.
pub const NOTHING_PICKED: &str = "Select at least one row first.";
pub const PERCENT: &str = "Enter a percentage from −99 to +900, such as 5 or −2.5.";
pub const NO_ACTION: &str = "Choose what to do with the selected products.";
pub const NO_ORDER_MAY: &str = "None of these orders can change to that status.";
pub const STAYS: &str = "can't change";
pub const CANCELLING_MANY: &str = "A cancelled order no longer counts in your sales. This can't be undone.";

pub fn orders_stay(count: i64) -> String {
    match count {
        1 => "1 order can't change and stays as it is.".to_owned(),
        count => format!("{} orders can't change and stay as they are.", crate::format::count(count)),
    }
}

pub fn changed(count: &str, one: &str, many: &str) -> String {
    let count = count.parse().unwrap_or_default();
    format!("{} changed.", crate::format::counted(count, one, many))
}

// Returns.
pub const NOTHING_RETURNED: &str = "Nothing came back in this period";
pub const RETURNS_HINT: &str = "By the day of the refund, whatever the order date.";
pub const RATE_HINT: &str = "Rate: units returned ÷ units sold in the same period.";
pub const NO_REASON: &str = "No reason given";

pub fn reason(reason: Option<crate::domain::returns::RefundReason>) -> &'static str {
    use crate::domain::returns::RefundReason::*;
    match reason {
        Some(Damaged) => "Damaged or faulty",
        Some(NotAsDescribed) => "Not as described",
        Some(WrongItem) => "Wrong item sent",
        Some(Unwanted) => "Changed their mind",
        Some(Late) => "Arrived too late",
        Some(Other) => "Other",
        None => NO_REASON,
    }
}

/// Where a list is longer than what is shown of it.
pub fn shown_of(shown: usize, all: i64, what: &str) -> String {
    format!("The top {shown} of {} {what} are shown.", crate::format::count(all))
}

// Refunds.
pub const RESTOCK: &str = "Restock";

/// What becomes of the units of a refund.
pub fn back_into_stock(units: i64, restocked: i64) -> String {
    use crate::format::{count, counted};
    match restocked {
        _ if units == 0 => "No units are returned.".to_owned(),
        0 => format!("{} returned, not restocked.", counted(units, "unit", "units")),
        all if all == units => format!("{} back into stock.", counted(all, "unit goes", "units go")),
        some => format!("{} of {} go back into stock.", count(some), counted(units, "unit", "units")),
    }
}

pub const NOTHING_TO_REFUND: &str = "Enter units to return or an amount to refund.";
pub const NOT_BOTH: &str = "Enter either units to return or a fixed amount, not both.";

pub fn refund_up_to(amount: &str) -> String {
    format!("You can refund up to {amount}.")
}

pub fn units_up_to(product: &str, units: i64) -> String {
    match units {
        0 => format!("{product}: nothing left to return."),
        1 => format!("{product}: only 1 unit can be returned."),
        units => format!("{product}: only {units} units can be returned."),
    }
}

// Marketplace.
pub const MARKET_HINT: &str =
    "Orders containing two vendors count once for each. Commission is what the marketplace earns, net of refunds.";

pub fn standings_of(range: &str) -> String {
    format!(
        "{range}, compared with the 28 days before. Days follow each vendor's time zone; last orders and logins \
         are in UTC."
    )
}

pub fn vendors_with_sales(range: &str, active: i64, all: i64) -> String {
    let of = crate::format::counted(all, "vendor", "vendors");
    format!("{range}: {} of {of} had sales. Days follow each vendor's time zone.", crate::format::count(active))
}

// What happened.
pub const SOLD_OUT: &str = "sold out";
pub const BACK_IN_STOCK: &str = "back in stock";

pub fn price_changed(was: &str, became: &str) -> String {
    format!("price changed from {was} to {became}")
}

pub const VIEW_SAVED: &str = "View saved. It is in the menu of periods.";
pub const VIEW_DELETED: &str = "View deleted.";
pub const NOTE_SAVED: &str = "Note saved. Everyone who works for you sees it.";
pub const NOTE_DELETED: &str = "Note deleted.";

pub fn large_refund(amount: &str, usual: &str) -> String {
    format!("refund of {amount}, where {usual} is usual")
}

pub fn since(looked: &str) -> String {
    format!("New since {looked}:")
}

pub fn zone_moved(was: &str, became: &str) -> String {
    format!("Time zone changed from {was} to {became}")
}

pub fn commission_changed(was: &str, became: &str) -> String {
    format!("Commission changed from {was} to {became}")
}

pub fn notes_of(count: usize) -> String {
    format!("{count} things happened")
}

// Dashboard.
pub const NOTHING_SOLD: &str = "No sales in this period";
pub const NOTHING_RUNS_OUT: &str = "Nothing is running low.";
pub const SO_FAR: &str = "so far";
pub const CAME_BACK: &str = "Returns";
/// How long a stock lasts, as pages write it elsewhere: `lasts 1.5 days`, `sold out`, `not selling`.
pub fn lasts(cover: &str) -> String {
    if cover.ends_with('s') { format!("lasts {cover}") } else { cover.to_lowercase() }
}

pub const OTHERS: &str = "Others";
pub const NO_ORDERS_OR_RETURNS: &str = "There were no orders or returns.";

/// Which days are compared, where today is not among them or is.
pub fn only_over(range: &str, before: &str, is_without_today: bool) -> String {
    let today = if is_without_today { "; today is left out" } else { "" };
    format!("Net sales of {range} against {before}{today}.")
}

/// What there was in a period without sales.
pub fn none_counts(orders: i64) -> String {
    format!(
        "No order counted as a sale: {} pending, cancelled or failed.",
        if orders == 1 { "1 is".to_owned() } else { format!("{} are", crate::format::count(orders)) }
    )
}

// How a comparison stands beside what it is compared with.
pub const BY_HOUR: &str = "aligned by hour";
pub const BY_DAY: &str = "aligned by day";
pub const BY_MONTH: &str = "aligned by month";
pub const BY_LENGTH: &str = "each point beside one of as many days";

/// What the comparison is in a chart, of `bars` or lines. `until_hour`: where its last day is cut to be compared.
pub fn dashed(range: &str, bars: bool, beside: &str, until_hour: Option<i8>) -> String {
    let drawn = if bars { GREY_BARS } else { DASHED_LINE };
    match until_hour {
        Some(hour) if hour < 24 => format!(
            "{drawn}: {range}, {beside}. Drawn to the end; changes compare its last day until {hour:02}:00, as \
             today."
        ),
        _ => format!("{drawn}: {range}, {beside}."),
    }
}

pub const DASHED_LINE: &str = "Dashed line";
pub const GREY_BARS: &str = "Grey bars";

pub fn zone_and_currency(zone: &str, currency: &str) -> String {
    format!("Times in {zone} · Amounts in {currency}")
}

/// How old figures are that could not be computed anew.
pub fn stale(seconds: u64) -> String {
    format!("Showing figures from {} ago: the database isn't responding", age(seconds))
}
