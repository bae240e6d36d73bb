use jiff::Timestamp;
use leptos::prelude::*;

use super::{milliseconds, number, or_dash, percent, time};
use crate::{
    charts::course::{CourseChart, Moment, Series, Shape, course_chart, percent_scale, scale_of},
    components::table::{Cell, Column, Row, scrolling, table},
    domain::clock::WallClock,
    format,
    server_functions::cache_health::{CacheCourse, CoursePoint, CourseRange, HealthEvent},
    words,
};

/// Moments that are marked with a number; of more, the newest.
const MARKED: usize = 12;

/// Hit rate, lookups and load times over time, with what happened meanwhile.
pub fn section(course: &CacheCourse) -> AnyView {
    let now = course.points.last().map_or_else(Timestamp::now, |point| point.at);
    let labels: Vec<_> = course.points.iter().map(|point| label(point.at, course.range, now)).collect();
    let from = course.events.len().saturating_sub(MARKED);
    let marked: Vec<&HealthEvent> = course.events[from..].iter().collect();
    let moments: Vec<_> = marked.iter().enumerate().map(|(i, event)| moment(i + 1, event, course)).collect();
    let strip: Vec<u64> = course.points.iter().map(|point| point.invalidated_tags).collect();
    let range = course.range.name();
    let links = CourseRange::ALL.into_iter().map(|range| {
        let current = (range == course.range).then_some("true");
        let href = format!("/admin/cache?range={}", range.as_str());
        view! { <li><a href=href aria-current=current data-noscroll="">{range.name()}</a></li> }
    });
    let chart = |name: &str, title: String, shape: Shape, series: Vec<Series>, text: fn(i64) -> String, is_percent| {
        let scale = if is_percent { percent_scale() } else { scale_of(&series, shape) };
        let chart =
            CourseChart { title, shape, series, labels: &labels, scale, text, moments: &moments, strip: &strip };
        view! { <figure class="card chart course"><h3>{name.to_owned()}</h3>{course_chart(&chart)}</figure> }.into_any()
    };
    let hit_rate = chart(
        "Hit rate",
        format!("Hit rate over the last {range}."),
        Shape::Lines,
        vec![series(course, "Hit rate", "a", |point| point.hit_rate.map(|rate| (rate * 100.0) as i64))],
        |hundredths| format!("{}%", (hundredths + 50) / 100),
        true,
    );
    let outcomes = vec![
        series(course, "own memory", "a", |point| Some(signed(point.l1_hits))),
        series(course, "store", "b", |point| Some(signed(point.store_hits))),
        series(course, "misses", "c", |point| Some(signed(point.misses))),
        series(course, "bypassed", "d", |point| Some(signed(point.bypasses))),
    ];
    let title = format!("Lookups over the last {range}, by where they ended.");
    let lookups = chart("Lookups", title, Shape::Stacked, outcomes, |value| format::axis_count(value, 1), false);
    let micros = |ms: f64| (ms * 1_000.0) as i64;
    let times = vec![
        series(course, "p50", "a", move |point| point.load_time.as_ref().map(|times| micros(times.p50))),
        series(course, "p95", "b", move |point| point.load_time.as_ref().map(|times| micros(times.p95))),
        series(course, "p99", "c", move |point| point.load_time.as_ref().map(|times| micros(times.p99))),
    ];
    let title = format!("Time of loads from the database over the last {range}.");
    let loads = chart("Load time", title, Shape::Lines, times, axis_ms, false);
    view! {
        <section class="courses" aria-label="Over time">
            <div class="name">
                <h2>"Over time"</h2>
                <ul class="presets" aria-label="Periods">{links.collect::<Vec<_>>()}</ul>
            </div>
            <div class="three">{hit_rate} {lookups} {loads}</div>
            {happened(&marked, now)}
            <details class="card">
                <summary>"Show as a table"</summary>
                {values(course, &labels)}
            </details>
        </section>
    }
    .into_any()
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn axis_ms(micros: i64) -> String {
    match micros {
        0 => "0 ms".to_owned(),
        micros if micros % 1_000 == 0 && micros < 1_000_000 => format!("{} ms", micros / 1_000),
        micros => milliseconds(micros as f64 / 1_000.0),
    }
}

fn series(
    course: &CacheCourse,
    name: &'static str,
    class: &'static str,
    value: impl Fn(&CoursePoint) -> Option<i64>,
) -> Series {
    Series { name, class, values: course.points.iter().map(value).collect() }
}

/// Of a point: in full, and as the axis wants it.
fn label(at: Timestamp, range: CourseRange, now: Timestamp) -> (String, String) {
    let local = WallClock::default().local(at);
    let clock = format!("{:02}:{:02}", local.hour(), local.minute());
    let short = match range {
        CourseRange::Week => {
            format::utc(at, now).split(',').next().map_or(clock.clone(), |day| day.replace(" UTC", ""))
        }
        _ => clock,
    };
    (format::utc(at, now), short)
}

fn moment(number: usize, event: &HealthEvent, course: &CacheCourse) -> Moment {
    let first = course.points.first().map_or(0, |point| point.at.as_second());
    let whole = course.step_seconds as f64 * course.points.len().max(1) as f64;
    let class = match event.kind.as_str() {
        "redis_away" => "bad",
        "redis_back" => "good",
        "released" => "release",
        _ => "other",
    };
    Moment { place: (event.at.as_second() - first) as f64 / whole, number, class }
}

/// What the numbers in the charts stand for.
fn happened(marked: &[&HealthEvent], now: Timestamp) -> AnyView {
    let items = marked.iter().enumerate().map(|(i, event)| {
        view! { <li><b>{i + 1}</b> {time(event.at, now)} " " {event.instance.clone()} ": " {event.text.clone()}</li> }
    });
    let none = marked.is_empty().then(|| view! { <p>{words::NOTHING_HAPPENED}</p> });
    view! {
        <div class="happened">
            {none}
            <ol>{items.collect::<Vec<_>>()}</ol>
            <p class="hint">{words::TICKS}</p>
        </div>
    }
    .into_any()
}

/// The same as a table, the newest first, without the times in which nothing was counted.
fn values(course: &CacheCourse, labels: &[(String, String)]) -> AnyView {
    let counted = |point: &CoursePoint| {
        point.l1_hits + point.store_hits + point.misses + point.bypasses + point.loads + point.invalidated_tags > 0
    };
    let rows = course.points.iter().zip(labels).rev().filter(|(point, _)| counted(point)).map(|(point, (label, _))| {
        let times = point.load_time.as_ref();
        let texts = vec![
            label.clone(),
            percent(point.hit_rate),
            number(point.l1_hits),
            number(point.store_hits),
            number(point.misses),
            number(point.bypasses),
            number(point.stale),
            or_dash(times.map(|times| milliseconds(times.p50))),
            or_dash(times.map(|times| milliseconds(times.p95))),
            or_dash(times.map(|times| milliseconds(times.p99))),
            number(point.invalidated_tags),
        ];
        Row::from(texts.into_iter().map(Cell::Text).collect::<Vec<_>>())
    });
    let columns = vec![
        Column::text("From"),
        Column::number("Hit rate"),
        Column::number("Own memory"),
        Column::number("Store"),
        Column::number("Misses"),
        Column::number("Bypassed"),
        Column::number("Stale"),
        Column::number("Load p50"),
        Column::number("p95"),
        Column::number("p99"),
        Column::number("Tags invalidated"),
    ];
    scrolling("scroll tall", "The cache over time", table("plain", columns, rows.collect(), None))
}
