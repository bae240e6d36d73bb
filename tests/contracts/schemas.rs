//! What is cached as JSON, and the number that says how it is to be read. The digest of each type's schema,
//! descriptions left out, stands here beside its number: who changes such a type sees this fail, counts the number in
//! `cache_keys::schema` one further, and writes the new digest down.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use vendorscope::{
    domain::{
        accounts::Vendor,
        market::{MarketMetrics, VendorStanding},
        market_comparison::MarketComparison,
        movers::{Movers, NewSince, Notes},
        orders::OrderPage,
        product_lists::ProductPage,
        returns::{RefundedPage, Returns},
        snapshot::{CustomersUntil, Snapshot},
        views::SavedView,
    },
    server::cache_keys::schema,
};

const KNOWN: [(&str, u32, &str); 14] = [
    ("snapshot", 6, "daf7bc5e3b58381a"),
    ("profile", 1, "cdfb8524976ace0c"),
    ("product page", 6, "0b7352c6e69a9a4f"),
    ("order page", 6, "b6e34ba7af03bd38"),
    ("refund page", 1, "0da8f98ed3976ec2"),
    ("returns", 2, "e096597377add6c5"),
    ("customers", 1, "cd8aef6a8e1d0da0"),
    ("movers", 2, "f619c09461d0ba4d"),
    ("notes", 3, "ac403446eca313d1"),
    ("since", 1, "a39b87b285f93689"),
    ("views", 1, "5c838b4dcdda48d8"),
    ("standings", 1, "03d5a2b2ce1e35e2"),
    ("market metrics", 3, "4fa56465b6d6ad72"),
    ("market comparison", 1, "78412fab81bc0e40"),
];

#[test]
fn a_cached_type_that_changes_has_another_number() {
    let now = [
        ("snapshot", schema::SNAPSHOT, digest::<Snapshot>()),
        ("profile", schema::PROFILE, digest::<Vendor>()),
        ("product page", schema::PRODUCT_PAGE, digest::<ProductPage>()),
        ("order page", schema::ORDER_PAGE, digest::<OrderPage>()),
        ("refund page", schema::REFUND_PAGE, digest::<RefundedPage>()),
        ("returns", schema::RETURNS, digest::<Returns>()),
        ("customers", schema::CUSTOMERS, digest::<CustomersUntil>()),
        ("movers", schema::MOVERS, digest::<Movers>()),
        ("notes", schema::NOTES, digest::<Notes>()),
        ("since", schema::SINCE, digest::<NewSince>()),
        ("views", schema::VIEWS, digest::<SavedView>()),
        ("standings", schema::STANDINGS, digest::<VendorStanding>()),
        ("market metrics", schema::MARKET_METRICS, digest::<MarketMetrics>()),
        ("market comparison", schema::MARKET_COMPARISON, digest::<MarketComparison>()),
    ];
    let known = KNOWN.map(|(name, number, digest)| (name, number, digest.to_owned()));
    assert_eq!(
        now, known,
        "a cached type has changed: count its number in cache_keys::schema up, and write number and digest here"
    );
}

/// Of the type's schema and of every schema that it refers to.
fn digest<T: ToSchema>() -> String {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    parts.push((T::name().into_owned(), T::schema()));
    let parts: BTreeMap<_, _> = parts
        .into_iter()
        .map(|(name, part)| (name, without_words(serde_json::to_value(part).expect("JSON"))))
        .collect();
    Sha256::digest(serde_json::to_vec(&parts).expect("JSON"))[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is said to people about a type changes nothing in it.
fn without_words(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, value)| name != "description" || !value.is_string())
            .map(|(name, value)| (name, without_words(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_words).collect(),
        other => other,
    }
}
