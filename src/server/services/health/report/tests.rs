use std::{collections::HashMap, time::Duration};

use vendorscope_cache::stats::Stats;

use super::*;

/// Every counter and family of tags with a number of its own.
fn counted() -> Counts {
    let counters = Counter::ALL.iter().zip(1..).map(|(counter, place)| (counter.name().to_owned(), 10_000 - place));
    let families = ["vendor", "products", "orders", "analytics", "marketplace"];
    let families = families.iter().zip(1..).map(|(family, place)| (format!("misses_by_{family}_tag"), place));
    Counts::read(&counters.chain(families).collect::<HashMap<_, _>>())
}

#[test]
fn every_figure_is_the_counter_that_it_is_called_after() {
    let counts = counted();
    let of = |counter| counts.get(counter);
    let found = window(&counts);
    let misses = [
        of(Counter::MissesAbsent),
        of(Counter::MissesExpired),
        of(Counter::MissesInvalidated),
        of(Counter::MissesCorrupt),
        of(Counter::MissesUndecodable),
    ];
    let by_reason = &found.misses_by_reason;
    assert_eq!(
        [by_reason.absent, by_reason.expired, by_reason.invalidated, by_reason.corrupt, by_reason.undecodable],
        misses
    );
    let by_tag = &found.misses_by_tag;
    let by_tag = [by_tag.vendor, by_tag.products, by_tag.orders, by_tag.analytics, by_tag.marketplace];
    assert_eq!((by_tag, found.misses), ([1, 2, 3, 4, 5], misses.iter().sum()));
    assert_eq!((found.hits, found.l1_hits), (of(Counter::Hits), of(Counter::L1Hits)));
    assert_eq!(found.store_hits, found.hits - found.l1_hits);
    assert_eq!(found.lookups, found.hits + found.misses + found.bypasses);
    for (figure, counter) in [
        (found.bypasses, Counter::Bypasses),
        (found.stale, Counter::Stale),
        (found.loads, Counter::Loads),
        (found.load_failures, Counter::LoadFailures),
        (found.coalesced, Counter::Coalesced),
        (found.lease_waits, Counter::LeaseWaits),
        (found.refreshes, Counter::Refreshes),
        (found.warmed, Counter::Warmed),
        (found.invalidated_tags, Counter::InvalidatedTags),
        (found.write_failures, Counter::WriteFailures),
    ] {
        assert_eq!(figure, of(counter), "{}", counter.name());
    }
    let answered = (found.hits + found.misses) as f64;
    assert_eq!(found.hit_rate, Some((found.hits as f64 * 10_000.0 / answered).round() / 100.0));
}

/// 100 lookups, 90 of them hits or bypassed; ten loads, two of which failed, took 40 statements and 4 s.
#[test]
fn what_is_saved_is_what_lookups_without_a_load_would_have_taken() {
    let stats = Stats::default();
    for (counter, count) in [
        (Counter::Hits, 85),
        (Counter::MissesAbsent, 10),
        (Counter::Bypasses, 5),
        (Counter::Loads, 10),
        (Counter::LoadFailures, 2),
        (Counter::LoadStatements, 40),
    ] {
        stats.add_many(counter, count);
    }
    (0..8).for_each(|_| stats.time(Timing::Load, Duration::from_millis(500)));
    let counts = stats.take();
    assert_eq!(
        savings(&counts),
        Savings {
            loads: 90,
            percent: Some(90.0),
            statements_per_load: Some(5.0),
            statements: 450,
            database_seconds: 45.0
        }
    );
    assert_eq!(
        percentiles(counts.times(Timing::Load)).map(|times| times.p50 > 250.0 && times.p50 <= 500.0),
        Some(true)
    );
    for (count, milliseconds) in [(90, 2), (9, 20), (1, 8_000)] {
        (0..count).for_each(|_| stats.time(Timing::Hit, Duration::from_millis(milliseconds)));
    }
    let hits = percentiles(stats.take().times(Timing::Hit));
    assert_eq!(hits, Some(Percentiles { p50: 1.833, p95: 18.333, p99: 25.0 }));
    assert_eq!(window(&counts).load_time, percentiles(counts.times(Timing::Load)));
    assert_eq!(window(&counts).hit_time, None, "nothing else was timed");
    let nothing = savings(&Counts::default());
    assert_eq!((nothing.percent, nothing.statements_per_load, nothing.database_seconds), (None, None, 0.0));
}
