#![no_main]
//! The parameters of a snapshot, one a line: read as a range, or refused by field.

use libfuzzer_sys::fuzz_target;
use vendorscope::server::services::analytics::SnapshotQuery;

fuzz_target!(|text: &str| {
    let mut lines = text.lines().map(Some).chain(std::iter::repeat(None));
    let mut next = || lines.next().flatten();
    let today = jiff::civil::date(2026, 3, 1);
    match SnapshotQuery::parse(next(), next(), next(), next(), Some(today)) {
        Ok(query) => assert!(query.range.from <= query.range.to),
        Err(errors) => assert!(errors.iter().all(|error| !error.field.is_empty())),
    }
});
