use jiff::Timestamp;
use leptos::prelude::*;

use super::{number, or_dash, time};
use crate::{
    components::table::{Cell, Column, Row, scrolling, table},
    domain::accounts::encode_segment,
    format,
    server_functions::cache_health::{HealthEvent, InvalidationShown, MissedTag, MostRead},
    words,
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
        view! { <p>{words::NOTHING_INVALIDATED}</p> }.into_any()
    } else {
        scrolling("scroll tall", "The last invalidations", table("plain whole", columns, rows, None))
    };
    view! {
        <section class="card">
            <h2>"The last invalidations"</h2>
            <p class="hint">{words::INVALIDATIONS}</p>
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

/// A count that may be too high is said to be one.
fn at_most(count: u64, is_estimate: bool) -> Cell {
    if is_estimate { Cell::Text(format!("≤ {}", number(count))) } else { Cell::Text(number(count)) }
}

pub fn most_read(read: &[MostRead], since: Timestamp, now: Timestamp) -> AnyView {
    let rows = read.iter().map(|read| {
        let standing = if read.is_served { "Served" } else { "Loaded next time" };
        Row::from(vec![
            Cell::Link { href: entry_address(&read.key), text: read.key.clone() },
            at_most(read.reads, read.is_estimate),
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
        view! { <p>{words::NOBODY_ASKED}</p> }.into_any()
    } else {
        scrolling("scroll", "Most-read entries", table("plain", columns, rows, None))
    };
    view! {
        <section class="card">
            <h2>"Most-read entries"</h2>
            <p class="hint">"What all instances were asked for most since " {time(since, now)} ". A key says which: \
                the vendor, the figures and the days."</p>
            {shown}
        </section>
    }
    .into_any()
}

pub fn missed_tags(missed: &[MissedTag], since: Timestamp, now: Timestamp) -> AnyView {
    if missed.is_empty() {
        return ().into_any();
    }
    let rows = missed.iter().map(|missed| {
        let (who, why, times) = match &missed.cause {
            Some(cause) => (Cell::Written(cause.who.clone()), cause.why.clone(), number(cause.times)),
            None => (Cell::Text("—".to_owned()), "—".to_owned(), "—".to_owned()),
        };
        Row::from(vec![
            tags(std::slice::from_ref(&missed.tag)).into(),
            at_most(missed.misses, missed.is_estimate),
            who,
            Cell::Text(why),
            Cell::Text(times),
        ])
    });
    let columns = vec![
        Column::text("Tag"),
        Column::number("Misses"),
        Column::text("Invalidated most by"),
        Column::text("Why"),
        Column::number("Times"),
    ];
    view! {
        <section class="card">
            <h2>"Tags that made lookups miss"</h2>
            <p class="hint">"Of all instances, since " {time(since, now)} ". A miss that several tags caused counts \
                for each."</p>
            {scrolling("scroll", "Tags that made lookups miss", table("plain whole", columns, rows.collect(), None))}
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
        view! { <p>{words::NOTHING_WITHIN_A_DAY}</p> }.into_any()
    } else {
        scrolling("scroll tall", "What happened", table("plain whole", columns, rows, None))
    };
    view! { <section class="card"><h2>"What happened"</h2>{shown}</section> }.into_any()
}
