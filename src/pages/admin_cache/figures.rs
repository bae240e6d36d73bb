use leptos::prelude::*;

use super::{milliseconds, number, or_dash, percent};
use crate::{
    components::table::{Cell, Column, Row, scrolling, table},
    format,
    server_functions::{
        admin::{CacheStats, Percentiles},
        cache_health::{CacheReport, CountsWindow},
    },
    words,
};

/// The figures that matter first.
pub fn cards(stats: &CacheStats, report: &CacheReport) -> AnyView {
    let windows = &report.windows;
    let memory_note = match report.store.as_str() {
        "redis" => "Memory used by the whole Redis server",
        _ => "Memory used by entries in this process",
    };
    let day = &windows.day.savings;
    let p95 = |times: &Option<Percentiles>| or_dash(times.as_ref().map(|times| milliseconds(times.p95)));
    let since = if report.counted_since.is_some() { "since the last reset" } else { "since the beginning" };
    let figures = [
        ("Hit rate", percent(windows.now.hit_rate), "Of the last 5 minutes".to_owned()),
        ("Hit rate, 1 hour", percent(windows.hour.hit_rate), of_lookups(&windows.hour)),
        ("Hit rate, 24 hours", percent(windows.day.hit_rate), of_lookups(&windows.day)),
        ("Hit rate, 7 days", percent(windows.week.hit_rate), of_lookups(&windows.week)),
        (
            "Queries saved, 24 hours",
            percent(day.percent),
            format!(
                "{} fewer, and {} of the database's time",
                format::counted(signed(day.statements), "statement", "statements"),
                seconds(day.database_seconds)
            ),
        ),
        ("Load time, 1 hour", p95(&windows.hour.load_time), "95% of loads were faster".to_owned()),
        ("Lookup time, 1 hour", p95(&windows.hour.hit_time), "95% of hits were faster".to_owned()),
        ("Hits", number(stats.hits), format!("Lookups answered from the cache, {since}")),
        ("Misses", number(stats.misses), format!("Lookups that went to the database, {since}")),
        ("Loads", number(stats.loads), "Database computations (concurrent requests share one)".to_owned()),
        (
            "Keys",
            or_dash(report.is_whole.then(|| number(stats.total_keys))),
            "Entries of this cache in the store".to_owned(),
        ),
        ("Memory", or_dash(report.is_whole.then(|| format::bytes(stats.memory_usage))), memory_note.to_owned()),
    ];
    let figures = figures.into_iter().map(|(name, value, note)| {
        view! {
            <div class="card figure"><dt>{name}</dt><dd class="value">{value}</dd><dd class="hint">{note}</dd></div>
        }
    });
    view! { <dl class="cards health">{figures.collect::<Vec<_>>()}</dl> }.into_any()
}

fn of_lookups(window: &CountsWindow) -> String {
    format!("Of {}", format::counted(signed(window.hits + window.misses), "lookup", "lookups"))
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds(value: f64) -> String {
    if value < 120.0 { format!("{value:.1} s") } else { format::seconds(value as u64) }
}

/// Every count there is, over every stretch of time.
pub fn table_of_counts(stats: &CacheStats, report: &CacheReport) -> AnyView {
    let windows = &report.windows;
    let in_all = CountsWindow {
        lookups: stats.lookups,
        hits: stats.hits,
        l1_hits: stats.l1_hits,
        store_hits: stats.store_hits,
        misses: stats.misses,
        misses_by_reason: stats.misses_by_reason.clone(),
        misses_by_tag: stats.misses_by_tag.clone(),
        bypasses: stats.bypasses,
        stale: stats.stale,
        hit_rate: stats.hit_rate,
        loads: stats.loads,
        load_failures: stats.load_failures,
        coalesced: stats.coalesced,
        lease_waits: stats.lease_waits,
        refreshes: stats.refreshes,
        warmed: stats.warmed,
        invalidated_tags: stats.invalidated_tags,
        write_failures: stats.write_failures,
        load_time: stats.load_time.clone(),
        hit_time: stats.hit_time.clone(),
        savings: stats.savings.clone(),
    };
    let all = [&windows.now, &windows.hour, &windows.day, &windows.week, &in_all];
    let near = if report.store == "redis" { "… from Redis" } else { "… from memory" };
    let count = |name: &str, class: &'static str, of: fn(&CountsWindow) -> u64| {
        row(name, class, all.map(|window| number(of(window))))
    };
    let time = |name: &str, of: fn(&CountsWindow) -> Option<f64>| {
        row(name, "", all.map(|window| or_dash(of(window).map(milliseconds))))
    };
    let rows = vec![
        count("Lookups", "level", |w| w.lookups),
        count("Hits", "level", |w| w.hits),
        count("… from the instance's own memory", "", |w| w.l1_hits),
        count(near, "", |w| w.store_hits),
        count("Misses", "level", |w| w.misses),
        count("… no entry", "", |w| w.misses_by_reason.absent),
        count("… expired", "", |w| w.misses_by_reason.expired),
        count("… invalidated", "", |w| w.misses_by_reason.invalidated),
        count("… … by a vendor's tag", "", |w| w.misses_by_tag.vendor),
        count("… … by its products' tag", "", |w| w.misses_by_tag.products),
        count("… … by its orders' tag", "", |w| w.misses_by_tag.orders),
        count("… … by the tag of all figures", "", |w| w.misses_by_tag.analytics),
        count("… … by the marketplace's tag", "", |w| w.misses_by_tag.marketplace),
        count("… unreadable", "", |w| w.misses_by_reason.corrupt),
        count("… of another release", "", |w| w.misses_by_reason.undecodable),
        count("Bypassed: Redis not asked, or not believed", "level", |w| w.bypasses),
        count("Served stale, with its age", "", |w| w.stale),
        row("Hit rate", "level", all.map(|window| percent(window.hit_rate))),
        count("Loads from the database", "level", |w| w.loads),
        count("… failed", "", |w| w.load_failures),
        count("… ahead of time, of popular entries", "", |w| w.refreshes + w.warmed),
        count("Callers that shared somebody's load", "", |w| w.coalesced),
        count("Loads that waited for another instance's", "", |w| w.lease_waits),
        count("Values that Redis did not take", "", |w| w.write_failures),
        count("Tags invalidated", "", |w| w.invalidated_tags),
        time("Load time, p50", |w| Some(w.load_time.as_ref()?.p50)),
        time("… p95", |w| Some(w.load_time.as_ref()?.p95)),
        time("… p99", |w| Some(w.load_time.as_ref()?.p99)),
        time("Lookup time of hits, p50", |w| Some(w.hit_time.as_ref()?.p50)),
        time("… p95", |w| Some(w.hit_time.as_ref()?.p95)),
        time("… p99", |w| Some(w.hit_time.as_ref()?.p99)),
        row("Queries saved", "level", all.map(|window| percent(window.savings.percent))),
        count("… statements", "", |w| w.savings.statements),
        row("… time of the database", "", all.map(|window| seconds(window.savings.database_seconds))),
    ];
    let in_all = if report.counted_since.is_some() { "Since the reset" } else { "In all" };
    let columns = vec![
        Column::text("What"),
        Column::number("5 minutes"),
        Column::number("1 hour"),
        Column::number("24 hours"),
        Column::number("7 days"),
        Column::number(in_all),
    ];
    view! {
        <section class="card">
            <h2>"Where lookups end"</h2>
            <p class="hint">{words::WHERE_LOOKUPS_END}</p>
            {scrolling("scroll", "Where lookups end", table("plain counts", columns, rows, None))}
        </section>
    }
    .into_any()
}

fn row(name: &str, class: &'static str, values: [String; 5]) -> Row {
    let cells = std::iter::once(Cell::Text(name.to_owned())).chain(values.into_iter().map(Cell::Text));
    Row { id: None, class, cells: cells.collect() }
}
