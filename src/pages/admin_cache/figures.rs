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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::components::html;

    /// A stretch of time of which every figure is another number.
    fn window(from: u64) -> Value {
        let mut next = from;
        let mut number = || {
            next += 1;
            next
        };
        let mut names = |names: &[&str]| -> Value {
            names.iter().map(|name| ((*name).to_owned(), json!(number()))).collect::<serde_json::Map<_, _>>().into()
        };
        let mut window = names(&[
            "lookups",
            "hits",
            "l1Hits",
            "storeHits",
            "misses",
            "bypasses",
            "stale",
            "loads",
            "loadFailures",
            "coalesced",
            "leaseWaits",
            "refreshes",
            "warmed",
            "invalidatedTags",
            "writeFailures",
        ]);
        window["missesByReason"] = names(&["absent", "expired", "invalidated", "corrupt", "undecodable"]);
        window["missesByTag"] = names(&["vendor", "products", "orders", "analytics", "marketplace"]);
        window["loadTime"] = names(&["p50", "p95", "p99"]);
        window["hitTime"] = names(&["p50", "p95", "p99"]);
        window["savings"] = names(&["loads", "percent", "statementsPerLoad", "statements", "databaseSeconds"]);
        window["hitRate"] = names(&["percent"])["percent"].clone();
        window
    }

    fn report() -> (CacheStats, CacheReport) {
        let mut stats = window(500);
        (stats["totalKeys"], stats["memoryUsage"]) = (json!(601), json!(602));
        let verdict = json!({ "rule": "well", "level": "ok", "sentence": "", "reason": "", "remedy": "", "docs": "",
            "since": null });
        let report = json!({
            "computedAt": "2026-11-27T10:00:00Z", "store": "redis", "isWhole": true, "countedSince": null,
            "verdict": verdict, "also": [], "instances": [], "redis": [], "namespaces": null, "invalidations": [],
            "namesSince": "2026-11-27T09:00:00Z", "mostRead": [], "missedTags": [], "events": [],
            "windows": { "now": window(100), "hour": window(200), "day": window(300), "week": window(400) },
        });
        (serde_json::from_value(stats).expect("figures"), serde_json::from_value(report).expect("a report"))
    }

    /// The cells of a row, without its heading.
    fn cells(html: &str, heading: &str) -> Vec<Vec<String>> {
        let rows = html.split("<tr").filter(|row| row.contains(&format!(">{heading}</th>")));
        let text = |cell: &str| cell.split_once('>').map_or("", |(_, rest)| rest).split('<').next().map(str::to_owned);
        rows.map(|row| row.split("<td").skip(1).filter_map(text).collect()).collect()
    }

    #[test]
    fn every_row_has_its_figure_of_every_stretch_of_time() {
        let (stats, report) = report();
        let html = Owner::new().with(|| html(table_of_counts(&stats, &report)));
        let of_window = |place: u64| [101, 201, 301, 401, 501].map(|first| first + place);
        for (heading, place) in [
            ("Lookups", 0),
            ("Hits", 1),
            ("… from the instance's own memory", 2),
            ("… from Redis", 3),
            ("Misses", 4),
            ("Bypassed: Redis not asked, or not believed", 5),
            ("Served stale, with its age", 6),
            ("Loads from the database", 7),
            ("… failed", 8),
            ("Callers that shared somebody's load", 9),
            ("Loads that waited for another instance's", 10),
            ("Tags invalidated", 13),
            ("Values that Redis did not take", 14),
            ("… no entry", 15),
            ("… expired", 16),
            ("… invalidated", 17),
            ("… unreadable", 18),
            ("… of another release", 19),
            ("… … by a vendor's tag", 20),
            ("… … by its products' tag", 21),
            ("… … by its orders' tag", 22),
            ("… … by the tag of all figures", 23),
            ("… … by the marketplace's tag", 24),
            ("… statements", 34),
        ] {
            assert_eq!(cells(&html, heading), [of_window(place).map(|number| number.to_string())], "{heading}");
        }
        let ahead = of_window(11).map(|refreshes| number(2 * refreshes + 1));
        assert_eq!(cells(&html, "… ahead of time, of popular entries"), [ahead], "refreshed and warmed");
        let percent = |place| of_window(place).map(|number| format!("{number}.0%"));
        assert_eq!(cells(&html, "Hit rate"), [percent(36)]);
        assert_eq!(cells(&html, "Queries saved"), [percent(32)]);
        let milliseconds = |place| of_window(place).map(|number| format!("{number} ms"));
        assert_eq!(cells(&html, "Load time, p50"), [milliseconds(25)]);
        assert_eq!(cells(&html, "Lookup time of hits, p50"), [milliseconds(28)]);
        // Of loads first, of hits below.
        assert_eq!(cells(&html, "… p95"), [milliseconds(26), milliseconds(29)]);
        assert_eq!(cells(&html, "… p99"), [milliseconds(27), milliseconds(30)]);
        let time = of_window(35).map(|number| seconds(number as f64));
        assert_eq!(cells(&html, "… time of the database"), [time]);
    }

    #[test]
    fn every_card_has_the_figure_that_it_is_called_after() {
        let (stats, mut report) = report();
        let card = |report: &CacheReport, name: &str| {
            let html = Owner::new().with(|| html(cards(&stats, report)));
            let (_, card) = html.split_once(&format!("<dt>{name}</dt>")).unwrap_or_else(|| panic!("{name}: {html}"));
            let text = card.split("</div>").next().unwrap_or_default().replace("</dd>", "|");
            text.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<String>()
        };
        for (name, value) in [
            ("Hit rate", "137.0%|"),
            ("Hit rate, 1 hour", "237.0%|Of 407 lookups|"),
            ("Hit rate, 24 hours", "337.0%|Of 607 lookups|"),
            ("Hit rate, 7 days", "437.0%|Of 807 lookups|"),
            ("Queries saved, 24 hours", "333.0%|335 statements fewer, and "),
            ("Load time, 1 hour", "227 ms|"),
            ("Lookup time, 1 hour", "230 ms|"),
            ("Hits", "502|"),
            ("Misses", "505|"),
            ("Loads", "508|"),
            ("Keys", "601|"),
            ("Memory", "602 bytes|"),
        ] {
            let found = card(&report, name);
            assert!(found.starts_with(value), "{name}: {found}");
        }
        // What Redis does not say now is not known.
        report.is_whole = false;
        assert!(card(&report, "Keys").starts_with('—') && card(&report, "Memory").starts_with('—'));
    }
}
