use jiff::Timestamp;
use leptos::prelude::*;

use super::{number, or_dash, time};
use crate::{
    components::table::{Cell, Column, Row, scrolling, table},
    domain::accounts::encode_segment,
    format,
    server_functions::cache_health::{HealthEvent, InvalidationShown, MostRead},
};

/// Tags that are written out.
const TAGS: usize = 4;

pub fn invalidations(done: &[InvalidationShown], now: Timestamp) -> AnyView {
    let rows = done.iter().map(|done| {
        Row::from(vec![
            time(done.at, now).into(),
            tags(&done.tags).into(),
            Cell::Written(done.who.clone()),
            Cell::Text(done.why.clone()),
            number(done.times).into(),
        ])
    });
    let columns = vec![
        Column::text("Last at"),
        Column::text("Tags"),
        Column::text("Who"),
        Column::text("Why"),
        Column::number("Times in that minute"),
    ];
    let rows: Vec<_> = rows.collect();
    let shown = if rows.is_empty() {
        view! { <p>"Nothing was invalidated within the last day."</p> }.into_any()
    } else {
        scrolling("scroll tall", "The last invalidations", table("plain", columns, rows, None))
    };
    view! {
        <section class="card">
            <h2>"The last invalidations"</h2>
            <p class="hint">"What each change made stale: it was loaded again by whoever asked next. Instances write them down every 10 seconds."</p>
            {shown}
        </section>
    }
    .into_any()
}

pub fn tags(tags: &[String]) -> AnyView {
    if tags.is_empty() {
        return "too many to tell apart".into_any();
    }
    let more = tags.len().saturating_sub(TAGS);
    let shown = tags.iter().take(TAGS).map(|tag| view! { <code>{tag.clone()}</code> " " });
    let more = (more > 0).then(|| format!("and {more} more"));
    view! { {shown.collect::<Vec<_>>()} {more} }.into_any()
}

pub fn entry_address(key: &str) -> String {
    format!("/admin/cache/entry?key={}", encode_segment(key))
}

pub fn most_read(read: &[MostRead]) -> AnyView {
    let rows = read.iter().map(|read| {
        let standing = if read.is_served { "Served" } else { "Loaded next time" };
        Row::from(vec![
            Cell::Link { href: entry_address(&read.key), text: read.key.clone() },
            number(read.reads).into(),
            Cell::Text(standing.to_owned()),
            or_dash(read.age_seconds.map(format::seconds)).into(),
            or_dash(read.left_seconds.map(format::seconds)).into(),
            or_dash(read.size.map(format::bytes)).into(),
        ])
    });
    let columns = vec![
        Column::text("Key"),
        Column::number("Reads"),
        Column::text("Now"),
        Column::number("Age"),
        Column::number("Life left"),
        Column::number("Size"),
    ];
    let rows: Vec<_> = rows.collect();
    let shown = if rows.is_empty() {
        view! { <p>"Nobody has asked this instance for a dashboard within the last ten minutes."</p> }.into_any()
    } else {
        scrolling("scroll", "Most-read entries", table("plain", columns, rows, None))
    };
    view! {
        <section class="card">
            <h2>"Most-read entries"</h2>
            <p class="hint">"Dashboards that this instance is asked for most. A key says which: the vendor and the days."</p>
            {shown}
        </section>
    }
    .into_any()
}

pub fn events(events: &[HealthEvent], now: Timestamp) -> AnyView {
    let rows = events.iter().map(|event| {
        let kind = match event.kind.as_str() {
            "verdict" => "Verdict",
            "started" | "released" | "stopped" => "Instance",
            "counters_reset" => "Admin",
            _ => "Redis",
        };
        Row::from(vec![
            time(event.at, now).into(),
            Cell::Text(kind.to_owned()),
            Cell::Written(event.text.clone()),
            Cell::Text(event.instance.clone()),
        ])
    });
    let columns = vec![Column::text("At"), Column::text("Of"), Column::text("What happened"), Column::text("Instance")];
    let rows: Vec<_> = rows.collect();
    let shown = if rows.is_empty() {
        view! { <p>"Nothing within the last day."</p> }.into_any()
    } else {
        scrolling("scroll tall", "What happened", table("plain", columns, rows, None))
    };
    view! { <section class="card"><h2>"What happened"</h2>{shown}</section> }.into_any()
}
