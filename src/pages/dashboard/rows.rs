use crate::{domain::accounts::encode_segment, domain::snapshot::Snapshot, pages::ranges::RangeQuery};

/// The orders that a figure is made of: those of the range that count, narrowed as the figures are and by one thing
/// more. Another's are for nobody else.
pub fn orders_href(snapshot: &Snapshot, query: &RangeQuery, more: Option<(&str, &str)>) -> Option<String> {
    let others = query.filters().into_iter().filter(|(other, _)| more.is_none_or(|(name, _)| name != *other));
    let narrowed: Vec<_> = others
        .chain(more.map(|(name, value)| (name, Some(value))))
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    // Of one status all are counted.
    let counted = if narrowed.iter().any(|(name, _)| *name == "status") { "" } else { "&counted=true" };
    let pairs: String = narrowed.iter().map(|(name, value)| format!("&{name}={}", encode_segment(value))).collect();
    let (from, to) = (snapshot.range.from, snapshot.range.to);
    query.vendor_id.is_none().then(|| format!("/orders?dateFrom={from}&dateTo={to}{counted}{pairs}"))
}

/// What came back, which is a page of its own. Of a part of what is sold, that page has the list alone: the orders of
/// the part say what came back of it.
pub fn returns_href(snapshot: &Snapshot, query: &RangeQuery) -> Option<(String, &'static str)> {
    if query.filters().iter().any(|(_, value)| value.is_some()) {
        return orders_href(snapshot, query, None).map(|href| (href, "orders"));
    }
    let (from, to) = (snapshot.range.from, snapshot.range.to);
    query.vendor_id.is_none().then(|| (format!("/returns?dateFrom={from}&dateTo={to}"), "returns"))
}

/// The orders of the range that do not count.
pub fn uncounted_href(snapshot: &Snapshot, query: &RangeQuery) -> Option<String> {
    orders_href(snapshot, query, None).map(|href| href.replace("&counted=true", "&counted=false"))
}
