//! What Vendorscope keeps in the cache: every key, tag, lifetime and schema, in one list.
//!
//! - `analytics:{vendor}:snapshot:FROM:TO:COMPARE:INTERVAL`: a snapshot, as JSON. 300 s ± 10 %; 60 s ± 10 % where the
//!   range includes today; eight times as long after each reload that found nothing changed, up to 12 h or the vendor's
//!   midnight.
//! - `analytics:{vendor}:returns:FROM:TO:COMPARE[:HOUR]`: what came back, as JSON. 300 s ± 10 %; 60 s ± 10 % where the
//!   range includes today.
//! - `analytics:{vendor}:customers:FROM:TO:HOUR`: customers of a range whose last day counts up to an hour.
//!   300 s ± 10 %.
//! - `analytics:{vendor}:movers:FROM:TO:FROM:TO`: changes between two ranges, `…:HASH` of a part. 300 s ± 10 %.
//! - `analytics:{vendor}:notes:FROM:TO`: what happened in a range. 300 s ± 10 %.
//! - `analytics:{vendor}:views`: views that the vendor's users have saved. 300 s ± 10 %.
//! - `analytics:{vendor}:first-day`: the first day that there is anything of. 300 s ± 10 %.
//! - `analytics:{vendor}:since:SECONDS`: what came in since somebody last looked. 300 s ± 10 %.
//! - `vendors:{vendor}:profile`: name, currency, zone. 300 s ± 10 %.
//! - `products:{vendor}:list:HASH`, `orders:{vendor}:list:HASH`, `orders:{vendor}:refunds:HASH`: one page of a listing.
//!   120 s ± 10 %.
//! - `admin:metrics:DETAIL`: figures of the whole marketplace, and of all vendors side by side; its first day.
//!   300 s ± 10 %.
//! - `cache:stats`: a hash of counts, summed over instances. Until reset.
//! - `cache:stats:minute:N`, `cache:stats:hour:N`: the same of one minute or hour, counted from 1970. 25 hours, 8 days.
//! - `tag:vendor:{vendor}`, `tag:products:{vendor}`, `tag:orders:{vendor}`, `tag:analytics`, `tag:marketplace`: the
//!   tag's generation. 7 days after its last use.
//!
//! `{…}` is written as it stands: on Redis Cluster the keys of one vendor share a slot by it. Ids are percent-encoded.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use vendorscope_cache::{Event, Key, Namespace, Outcome, Served, Tag};

use crate::{
    domain::{accounts::encode_segment, field_error::FieldError, text::shown},
    server_functions::dashboard::{Freshness, Source},
};

pub const SNAPSHOT_TTL: Duration = Duration::from_secs(300);
/// A range that includes today goes on changing without a write to it (a day ends), so it is kept a shorter time.
pub const SNAPSHOT_TODAY_TTL: Duration = Duration::from_secs(60);
/// What reloads go on finding unchanged lives longer, up to this, and never past the vendor's midnight.
pub const SNAPSHOT_LONGEST_TTL: Duration = Duration::from_secs(12 * 3600);
pub const PROFILE_TTL: Duration = Duration::from_secs(300);
pub const LISTING_TTL: Duration = Duration::from_secs(120);
pub const ADMIN_METRICS_TTL: Duration = Duration::from_secs(300);

/// Numbers of what the JSON of a type means. Whoever changes such a type (a field, a name, a unit) counts its number
/// one further: what another release stored is then loaded again instead of being misread. `tests/contracts/schemas.rs`
/// notices when that was forgotten.
pub mod schema {
    pub const SNAPSHOT: u32 = 6;
    pub const CUSTOMERS: u32 = 1;
    pub const MOVERS: u32 = 2;
    pub const NOTES: u32 = 3;
    pub const SINCE: u32 = 1;
    pub const VIEWS: u32 = 1;
    pub const FIRST_DAY: u32 = 1;
    pub const PROFILE: u32 = 1;
    pub const PRODUCT_PAGE: u32 = 6;
    pub const ORDER_PAGE: u32 = 6;
    pub const REFUND_PAGE: u32 = 1;
    pub const RETURNS: u32 = 2;
    pub const MARKET_METRICS: u32 = 3;
    pub const STANDINGS: u32 = 1;
    pub const MARKET_COMPARISON: u32 = 1;
}

/// The families of keys that entries have.
pub const FAMILIES: [&str; 5] = ["analytics", "vendors", "products", "orders", "admin:metrics"];

pub fn namespace() -> Namespace {
    Namespace::new(FAMILIES)
}

/// A key as it stands in the table above, with the number of the schema that this release reads under it. Its
/// installation's name may stand at its end.
pub fn parse_key(text: &str) -> Result<Key, FieldError> {
    let name = text.trim();
    let name = name.rsplit_once('@').map_or(name, |(name, _)| name);
    let family =
        FAMILIES.into_iter().find(|family| name.strip_prefix(family).is_some_and(|rest| rest.starts_with(':')));
    let what = name.split_once(":{").and_then(|(_, rest)| rest.split_once("}:")).map_or("", |(_, what)| what);
    let schema = match (family, what.split(':').next().unwrap_or_default()) {
        (Some("analytics"), "returns") => schema::RETURNS,
        (Some("analytics"), "customers") => schema::CUSTOMERS,
        (Some("analytics"), "movers") => schema::MOVERS,
        (Some("analytics"), "notes") => schema::NOTES,
        (Some("analytics"), "since") => schema::SINCE,
        (Some("analytics"), "views") => schema::VIEWS,
        (Some("analytics"), "first-day") => schema::FIRST_DAY,
        (Some("analytics"), _) => schema::SNAPSHOT,
        (Some("vendors"), _) => schema::PROFILE,
        (Some("products"), _) => schema::PRODUCT_PAGE,
        (Some("orders"), "refunds") => schema::REFUND_PAGE,
        (Some("orders"), _) => schema::ORDER_PAGE,
        (Some("admin:metrics"), _) if name == "admin:metrics:first-day" => schema::FIRST_DAY,
        (Some("admin:metrics"), _) if name.starts_with("admin:metrics:vendors:") => schema::STANDINGS,
        (Some("admin:metrics"), _) if name.starts_with("admin:metrics:compared:") => schema::MARKET_COMPARISON,
        (Some("admin:metrics"), _) => schema::MARKET_METRICS,
        _ => {
            let message =
                format!("`{}` is no key of an entry: those begin with {}", shown(text), FAMILIES.join(":, ") + ":");
            return Err(FieldError::new("key", message));
        }
    };
    let key = Key::new(name).with_schema(schema);
    Ok(match vendor_of_key(name) {
        Some(vendor) => key.owned_by(vendor),
        None => key,
    })
}

/// The vendor whose entry this is, by its id; `None` for the marketplace's.
pub fn vendor_of_key(name: &str) -> Option<String> {
    let (_, rest) = name.split_once(":{")?;
    let (id, _) = rest.split_once('}')?;
    percent_decode_str(id).decode_utf8().ok().map(Into::into)
}

/// Whether the entry of this name carries the tag, by the table above.
pub fn carries(name: &str, tag: &Tag) -> bool {
    let family = name.split(':').next().unwrap_or_default();
    match (tag.family(), family) {
        ("analytics", family) => family == "analytics",
        ("marketplace", family) => family == "admin",
        (of, family) => {
            let is_of_vendor = tag.name().split_once(':').is_some_and(|(_, id)| name.contains(&format!(":{id}:")));
            is_of_vendor && (of == "vendor" || of == family)
        }
    }
}

/// `detail` names the range, comparison and interval: calendar days, never a preset's name.
pub fn snapshot_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "analytics", &format!("snapshot:{detail}"), schema::SNAPSHOT)
}

pub fn profile_key(vendor: &str) -> Key {
    of_vendor(vendor, "vendors", "profile", schema::PROFILE)
}

pub fn products_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "products", &format!("list:{detail}"), schema::PRODUCT_PAGE)
}

pub fn orders_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "orders", &format!("list:{detail}"), schema::ORDER_PAGE)
}

/// `detail` names the range and the hour.
pub fn customers_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "analytics", &format!("customers:{detail}"), schema::CUSTOMERS)
}

/// `detail` names both ranges.
pub fn movers_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "analytics", &format!("movers:{detail}"), schema::MOVERS)
}

pub fn notes_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "analytics", &format!("notes:{detail}"), schema::NOTES)
}

/// Of all users of the vendor.
pub fn views_key(vendor: &str) -> Key {
    of_vendor(vendor, "analytics", "views", schema::VIEWS)
}

/// The first day that there is anything of.
pub fn first_day_key(vendor: &str) -> Key {
    of_vendor(vendor, "analytics", "first-day", schema::FIRST_DAY)
}

/// The same of the whole marketplace.
pub fn market_first_day_key() -> Key {
    Key::new("admin:metrics:first-day").with_schema(schema::FIRST_DAY)
}

/// `detail` is the instant, in seconds since 1970.
pub fn since_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "analytics", &format!("since:{detail}"), schema::SINCE)
}

pub fn refunds_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "orders", &format!("refunds:{detail}"), schema::REFUND_PAGE)
}

/// `detail` names the range, the comparison, and the hour that it is cut at.
pub fn returns_key(vendor: &str, detail: &str) -> Key {
    of_vendor(vendor, "analytics", &format!("returns:{detail}"), schema::RETURNS)
}

/// Figures of the whole marketplace; `detail` names the range.
pub fn admin_metrics_key(detail: &str) -> Key {
    Key::new(format!("admin:metrics:{detail}")).with_schema(schema::MARKET_METRICS)
}

/// All vendors side by side; `detail` names the range.
pub fn standings_key(detail: &str) -> Key {
    Key::new(format!("admin:metrics:vendors:{detail}")).with_schema(schema::STANDINGS)
}

/// The marketplace against the time before; `detail` names both ranges, and the moment that the second is cut at.
pub fn market_comparison_key(detail: &str) -> Key {
    Key::new(format!("admin:metrics:compared:{detail}")).with_schema(schema::MARKET_COMPARISON)
}

fn of_vendor(vendor: &str, family: &str, what: &str, schema: u32) -> Key {
    Key::new(format!("{family}:{{{}}}:{what}", encode_segment(vendor))).owned_by(vendor).with_schema(schema)
}

/// Everything of one vendor: every write to its data renews it.
pub fn vendor_tag(vendor: &str) -> Tag {
    tag_of_vendor("vendor", vendor)
}

pub fn products_tag(vendor: &str) -> Tag {
    tag_of_vendor("products", vendor)
}

pub fn orders_tag(vendor: &str) -> Tag {
    tag_of_vendor("orders", vendor)
}

fn tag_of_vendor(family: &str, vendor: &str) -> Tag {
    // Not `format!`, which was a tenth of the instructions of a hot request.
    Tag::new([family, ":{", &encode_segment(vendor), "}"].concat())
}

/// Every snapshot.
pub fn analytics_tag() -> Tag {
    Tag::new("analytics")
}

/// Figures of the whole marketplace: stale with every vendor's sales.
pub fn marketplace_tag() -> Tag {
    Tag::new("marketplace")
}

/// Reads a tag as people write it: `vendor:42`, `products:42`, `orders:42`, `analytics` or `marketplace`. With `tag:`
/// before it, it may be the key that it has in the store: `tag:vendor:{42}`.
pub fn parse_tag(text: &str) -> Result<Tag, FieldError> {
    let key = text.strip_prefix("tag:");
    let name = key.unwrap_or(text);
    let id = |id: &str| {
        let in_key = key.and_then(|_| id.strip_prefix('{')?.strip_suffix('}'));
        let id = match in_key {
            Some(id) => percent_decode_str(id).decode_utf8().ok()?.into_owned(),
            None => id.to_owned(),
        };
        Some(id).filter(|id| !id.is_empty() && !id.contains('\0'))
    };
    match name.split_once(':').map_or((name, None), |(family, rest)| (family, id(rest))) {
        ("analytics", None) => Ok(analytics_tag()),
        ("marketplace", None) => Ok(marketplace_tag()),
        ("vendor", Some(id)) => Ok(vendor_tag(&id)),
        ("products", Some(id)) => Ok(products_tag(&id)),
        ("orders", Some(id)) => Ok(orders_tag(&id)),
        _ => {
            let message = format!(
                "`{}` is not accepted: vendor:ID, products:ID, orders:ID, analytics or marketplace",
                shown(text)
            );
            Err(FieldError::new("tags", message))
        }
    }
}

/// A tag as people write it, and `parse_tag` reads it.
pub fn written_tag(tag: &Tag) -> String {
    let Some((family, id)) = tag.name().split_once(':') else { return tag.name().to_owned() };
    let id = id.trim_start_matches('{').trim_end_matches('}');
    format!("{family}:{}", percent_decode_str(id).decode_utf8_lossy())
}

/// The vendor whose tag this is, by its id; `None` for those of all.
pub fn vendor_of_tag(tag: &Tag) -> Option<String> {
    written_tag(tag).split_once(':').map(|(_, id)| id.to_owned())
}

/// Which of a vendor's data an event says has changed: `products`, `orders`, or both. None where it is about others.
pub fn changed_for(event: &Event, vendor: &str) -> Vec<&'static str> {
    const ANYTHING: [&str; 2] = ["products", "orders"];
    if matches!(event, Event::Reconnected) {
        return ANYTHING.to_vec();
    }
    let named = [("products", products_tag(vendor)), ("orders", orders_tag(vendor))];
    let changed: Vec<_> = named.into_iter().filter(|(_, tag)| event.concerns(tag)).map(|(what, _)| what).collect();
    // A vendor's own tag alone says that something has, and not what.
    let something = event.concerns(&vendor_tag(vendor)) || event.concerns(&analytics_tag());
    if changed.is_empty() && something { ANYTHING.to_vec() } else { changed }
}

/// Where a value came from and how old it is, as pages say it.
pub fn freshness<T>(served: &Served<T>) -> Freshness {
    Freshness { source: source(served.outcome), age_seconds: served.age.as_secs() }
}

/// Where a value came from, as answers say it.
pub fn source(outcome: Outcome) -> Source {
    match outcome {
        Outcome::Hit => Source::Hit,
        Outcome::Miss => Source::Miss,
        Outcome::Stale => Source::Stale,
        Outcome::Bypass => Source::Bypass,
    }
}

#[cfg(test)]
mod tests;
