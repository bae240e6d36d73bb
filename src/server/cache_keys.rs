//! What Vendorscope keeps in the cache: every key, tag, lifetime and schema, in one table.
//!
//! | key | holds | life |
//! | --- | --- | --- |
//! | `analytics:{vendor}:snapshot:FROM:TO:COMPARE:INTERVAL` | snapshot, as JSON | 300 s ± 10 %; 60 s ± 10 % where the range includes today; eight times as long after each reload that found nothing changed, up to 12 h or the vendor's midnight |
//! | `vendors:{vendor}:profile` | name, currency, zone | 300 s ± 10 % |
//! | `products:{vendor}:list:HASH`, `orders:{vendor}:list:HASH` | one page of a listing | 120 s ± 10 % |
//! | `admin:metrics:DETAIL` | figures of the whole marketplace | 300 s ± 10 % |
//! | `cache:stats` | hash of counts, summed over instances | until reset |
//! | `cache:stats:minute:N`, `cache:stats:hour:N` | the same of one minute or hour, counted from 1970 | 25 hours, 8 days |
//! | `tag:vendor:{vendor}`, `tag:products:{vendor}`, `tag:orders:{vendor}`, `tag:analytics`, `tag:marketplace` | the tag's generation | 7 days after its last use |
//!
//! `{…}` is written as it stands: on Redis Cluster the keys of one vendor share a slot by it. Ids are percent-encoded.

use std::time::Duration;

use vendorscope_cache::{Event, Key, Namespace, Outcome, Tag};

use crate::{
    domain::{accounts::encode_segment, field_error::FieldError},
    server_functions::dashboard::Source,
};

pub const SNAPSHOT_TTL: Duration = Duration::from_secs(300);
/// A range that includes today goes on changing without a write to it (a day ends), so it is kept a shorter time.
pub const SNAPSHOT_TODAY_TTL: Duration = Duration::from_secs(60);
/// What reloads go on finding unchanged lives longer, up to this, and never past the vendor's midnight.
pub const SNAPSHOT_LONGEST_TTL: Duration = Duration::from_secs(12 * 3600);
pub const PROFILE_TTL: Duration = Duration::from_secs(300);
pub const LISTING_TTL: Duration = Duration::from_secs(120);
pub const ADMIN_METRICS_TTL: Duration = Duration::from_secs(300);

/// Numbers of what the JSON of a type means. Whoever changes such a type (a field, a name, a unit) counts its number one further: what
/// another release stored is then loaded again instead of being misread. `tests/contracts/schemas.rs` notices when that was forgotten.
pub mod schema {
    pub const SNAPSHOT: u32 = 1;
    pub const PROFILE: u32 = 1;
    pub const PRODUCT_PAGE: u32 = 1;
    pub const ORDER_PAGE: u32 = 1;
    pub const MARKET_METRICS: u32 = 1;
}

/// The families of keys that entries have.
pub fn namespace() -> Namespace {
    Namespace::new(["analytics", "vendors", "products", "orders", "admin:metrics"])
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

/// Figures of the whole marketplace; `detail` names the range.
pub fn admin_metrics_key(detail: &str) -> Key {
    Key::new(format!("admin:metrics:{detail}")).with_schema(schema::MARKET_METRICS)
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
    Tag::new(format!("{family}:{{{}}}", encode_segment(vendor)))
}

/// Every snapshot.
pub fn analytics_tag() -> Tag {
    Tag::new("analytics")
}

/// Figures of the whole marketplace: stale with every vendor's sales.
pub fn marketplace_tag() -> Tag {
    Tag::new("marketplace")
}

/// Reads a tag as people write it: `vendor:42`, `products:42`, `orders:42`, `analytics` or `marketplace`, with or without `tag:`
/// before it.
pub fn parse_tag(text: &str) -> Result<Tag, FieldError> {
    let name = text.strip_prefix("tag:").unwrap_or(text);
    let id = |id: &str| Some(id.strip_prefix('{').and_then(|id| id.strip_suffix('}')).unwrap_or(id).to_owned()).filter(|id| !id.is_empty());
    match name.split_once(':').map_or((name, None), |(family, rest)| (family, id(rest))) {
        ("analytics", None) => Ok(analytics_tag()),
        ("marketplace", None) => Ok(marketplace_tag()),
        ("vendor", Some(id)) => Ok(vendor_tag(&id)),
        ("products", Some(id)) => Ok(products_tag(&id)),
        ("orders", Some(id)) => Ok(orders_tag(&id)),
        _ => Err(FieldError::new("tags", format!("`{text}` is not accepted: vendor:ID, products:ID, orders:ID, analytics or marketplace"))),
    }
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
mod tests {
    use vendorscope_cache::{Cause, Invalidation};

    use super::*;

    #[test]
    fn a_message_says_what_changed_for_whom() {
        let event = |tags: &[Tag]| {
            let cause = Cause { who: "test".to_owned(), why: "product updated" };
            Event::Invalidated(Invalidation::new(tags, &cause, jiff::Timestamp::UNIX_EPOCH))
        };
        let of_42 = |tags: &[Tag]| changed_for(&event(tags), "42");
        assert_eq!(of_42(&[vendor_tag("42")]), ["products", "orders"]);
        assert_eq!(of_42(&[vendor_tag("42"), orders_tag("42")]), ["orders"]);
        assert_eq!(of_42(&[analytics_tag()]), ["products", "orders"]);
        assert!(of_42(&[vendor_tag("4"), products_tag("4"), marketplace_tag()]).is_empty());
        assert_eq!(changed_for(&Event::Reconnected, "42"), ["products", "orders"]);
    }

    #[test]
    fn tags_are_read_as_people_write_them() {
        for (text, tag) in [
            ("vendor:42", vendor_tag("42")),
            ("tag:orders:{42}", orders_tag("42")),
            ("products:a b", products_tag("a b")),
            ("analytics", analytics_tag()),
            ("tag:marketplace", marketplace_tag()),
        ] {
            assert_eq!(parse_tag(text), Ok(tag), "{text}");
        }
        for wrong in ["", "vendor", "vendor:", "vendor:{}", "sess:1", "analytics:1"] {
            assert!(parse_tag(wrong).is_err_and(|error| error.field == "tags"), "{wrong}");
        }
    }
}
