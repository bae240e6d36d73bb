//! What holds for any bytes, one function for each place where bytes come in from outside. The fuzz targets call these,
//! and so does `tests/inputs`, with random input on any compiler.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use vendorscope_cache::entry::Entry;

use vendorscope::server::{
    cache_keys,
    config::Config,
    db::Db,
    identity::sessions::SessionCookie,
    import::{ImportOptions, Progress},
    services::analytics::SnapshotQuery,
    services::import::import_bundle,
};

/// Bytes from Redis are refused, or are an entry that is written the same again.
pub fn cache_entry(bytes: &[u8]) {
    let key = cache_keys::profile_key("7");
    if let Ok(entry) = Entry::decode(&key, &Bytes::copy_from_slice(bytes)) {
        assert_eq!(Entry::decode(&key, &entry.encode(&key)), Ok(entry));
    }
}

static COOKIE: LazyLock<SessionCookie> = LazyLock::new(|| SessionCookie::new(&Config::for_tests()));

/// No Cookie header that was not signed here holds a session's id.
pub fn cookie(bytes: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        assert!(COOKIE.read(&HeaderMap::from_iter([(header::COOKIE, value)])).is_empty());
    }
}

/// The parameters of a snapshot, one a line, are a range, or refused by field.
pub fn query(text: &str) {
    let mut lines = text.lines();
    let today = jiff::civil::date(2026, 3, 1);
    match SnapshotQuery::parse(lines.next(), lines.next(), lines.next(), lines.next(), Some(today)) {
        Ok(query) => assert!(query.range.from <= query.range.to && query.range.days() <= 3_660),
        Err(errors) => assert!(
            !errors.is_empty() && errors.iter().all(|error| !error.field.is_empty() && !error.message.is_empty())
        ),
    }
}

/// A small bundle, as it should be.
pub const BUNDLE: [(&str, &str); 5] = [
    (
        "vendors.csv",
        "vendor_id,name,country,time_zone,currency\nv-1,\"One, and \
         more\",DE,Europe/Berlin,EUR\nv-2,Zwei,JP,Asia/Tokyo,JPY\n",
    ),
    (
        "products.csv",
        "product_id,vendor_id,name,category,unit_price,stock,status\n\
         p-1,v-1,Tea,Drinks,2.50,10,active\np-2,v-2,Chai,Drinks,1200,0,archived\n",
    ),
    ("customers.csv", "customer_id,name,country\nc-1,Ann,DE\nc-2,Ren,JP\n"),
    (
        "orders.csv",
        "order_id,customer_id,placed_at,status\n\
         o-1,c-1,2026-03-01T09:30:00Z,delivered\no-2,c-2,2026-03-02T09:30:00Z,shipped\n",
    ),
    (
        "order_items.csv",
        "order_id,line,product_id,quantity,gross,discount\no-1,1,p-1,2,5.00,0.50\no-2,1,p-2,1,1200,0\n",
    ),
];

struct Unwatched;

impl Progress for Unwatched {
    fn phase(&self, _: &str, _: u64) {}
    fn done(&self, _: u64) {}
}

/// A bundle with other bytes in place of one of its files is imported as a whole, or refused with nothing changed.
/// Whether it was taken.
pub async fn csv_import(db: &Db, file: usize, bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, (name, text)) in BUNDLE.iter().enumerate() {
        let bytes = if number == file % BUNDLE.len() { bytes } else { text.as_bytes() };
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    import_bundle(db, folder.path(), ImportOptions::default(), &Unwatched).await.is_ok()
}
