//! The health of the cache, for an admin who has never seen the code: is it well, since when not, why, what to do.

use jiff::Timestamp;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{frame::Section, in_place::in_place, loaded::loaded, parameters::parameters, scripts::scripts},
    format,
    islands::{Keys, Refresh},
    server_functions::cache_health::{
        AskedAction, CacheHealth, CacheQuery, CourseRange, Finding, Level, load_cache_health,
    },
    words,
};

/// What admins do.
mod actions;
/// Figures over time.
mod course;
/// A look at one entry.
mod entry;
/// Figures.
mod figures;
/// What happened, and to what.
mod lists;
/// Instances, Redis, keys.
mod state;

pub use entry::CacheEntryPage;

#[component]
pub fn AdminCachePage() -> impl IntoView {
    let query = parameters(|params| {
        let typed = |name| params.get(name).map(|text| text.trim().to_owned());
        let asked = match (typed("tags"), typed("vendors"), typed("reset").as_deref()) {
            (Some(tags), ..) if !tags.is_empty() => Some(AskedAction::Invalidate(tags)),
            (_, Some(vendors), _) => Some(AskedAction::Warm(vendors)),
            (.., Some("ask")) => Some(AskedAction::Reset),
            _ => None,
        };
        CacheQuery { range: typed("range").and_then(|text| CourseRange::parse(&text)).unwrap_or_default(), asked }
    });
    view! {
        <Title text="Cache"/>
        {loaded(Section::Cache, load_cache_health(query), |view| &view.viewer, health, || ().into_any())}
    }
}

fn health(CacheHealth { stats, report, course, asked, .. }: CacheHealth) -> AnyView {
    let now = report.computed_at;
    let running = report.instances.iter().filter(|instance| state::is_running(instance)).count();
    let lead = match report.store.as_str() {
        "redis" => view! {
            "Store: " <strong>"Redis"</strong>
            ", shared by " {format::counted(running as i64, "instance", "instances")} ". "
        }
        .into_any(),
        _ => view! {
            "Store: " <strong>"Memory"</strong> ". In this process only: each instance keeps its own, and a restart \
                empties it. Set REDIS_URL to share one. "
        }
        .into_any(),
    };
    let missing = (!report.is_whole).then(|| {
        view! {
            <p class="notice warn">{words::REDIS_IS_SILENT}</p>
        }
    });
    let at_risk = report.also.iter().chain([&report.verdict]).find(|finding| finding.rule == "sessions_evictable");
    let at_risk = at_risk.filter(|finding| finding.rule != report.verdict.rule).cloned();
    let others: Vec<_> = report.also.iter().filter(|finding| finding.rule != "sessions_evictable").cloned().collect();
    view! {
        <div class="head">
            <div>
                <h1>"Cache"</h1>
                <p class="lead">{lead}</p>
                <p class="age"><span>"As of " {time(now, now)}</span> <Refresh/></p>
            </div>
            <a class="button quiet" href="/admin/cache">"Refresh"</a>
        </div>
        {in_place(report.verdict.sentence.clone())}
        {actions::outcome()}
        {verdict(&report.verdict, now)}
        {others.iter().chain(&at_risk).map(|finding| also(finding, now)).collect::<Vec<_>>()}
        {missing}
        {asked.as_ref().and_then(|(action, cost)| actions::confirmation(action, cost))}
        {figures::cards(&stats, &report)}
        {course::section(&course)}
        {figures::table_of_counts(&stats, &report)}
        {lists::missed_tags(&report.missed_tags, report.names_since, now)}
        {state::instances(&report.instances, now)}
        {state::redis(&report.redis, now)}
        {state::namespaces(report.namespaces.as_ref(), now)}
        {lists::invalidations(&report.invalidations, now)}
        {lists::most_read(&report.most_read, report.names_since, now)}
        {lists::events(&report.events, now)}
        {actions::section(asked.as_ref())}
        <Keys/>
        {scripts()}
    }
    .into_any()
}

/// In one sentence, why, what to do, and since when.
fn verdict(found: &Finding, now: Timestamp) -> AnyView {
    let since = found.since.map(|at| view! { <span class="since">"Since " {time(at, now)}</span> });
    view! {
        <section class=format!("card verdict {}", tone(found.level)) aria-label="Verdict" data-rule=found.rule.clone()>
            <p class="name">{badge(found.level)} {since}</p>
            <p class="sentence">{found.sentence.clone()}</p>
            {explained(found)}
        </section>
    }
    .into_any()
}

fn also(found: &Finding, now: Timestamp) -> AnyView {
    let since = found.since.map(|at| view! { <span class="since">" Since " {time(at, now)}</span> });
    view! {
        <section class=format!("card also {}", tone(found.level)) data-rule=found.rule.clone()>
            <h2>{found.sentence.clone()}</h2>
            {explained(found)}
            <p>{badge(found.level)} {since}</p>
        </section>
    }
    .into_any()
}

fn explained(found: &Finding) -> AnyView {
    let remedy = (!found.remedy.is_empty()).then(|| {
        view! { <p><strong>"What to do: "</strong> {in_code(&found.remedy)}</p> }
    });
    let docs = (!found.docs.is_empty())
        .then(|| view! { <p class="hint">"More in " <code>{found.docs.clone()}</code> "."</p> });
    view! { <p>{in_code(&found.reason)}</p> {remedy} {docs} }.into_any()
}

/// A text in which what stands between backticks, or is a variable or a policy, is set as code.
fn in_code(text: &str) -> Vec<AnyView> {
    let parts = text.split('`').enumerate().map(|(i, part)| match i % 2 {
        0 => part.to_owned().into_any(),
        _ => view! { <code>{part.to_owned()}</code> }.into_any(),
    });
    parts.collect()
}

fn badge(level: Level) -> AnyView {
    let (class, name) = match level {
        Level::Ok => ("done", "Well"),
        Level::Notice => ("moving", "Good to know"),
        Level::Warning => ("waiting", "Warning"),
        Level::Bad => ("failed", "Not well"),
    };
    view! { <span class=format!("status {class}")>{name}</span> }.into_any()
}

fn tone(level: Level) -> &'static str {
    match level {
        Level::Ok => "good",
        Level::Notice => "note",
        Level::Warning => "warn",
        Level::Bad => "bad",
    }
}

/// `14:05 UTC`, as a machine reads it too.
fn time(at: Timestamp, now: Timestamp) -> AnyView {
    view! { <time datetime=at.to_string()>{format::utc(at, now)}</time> }.into_any()
}

fn number(value: u64) -> String {
    format::count(i64::try_from(value).unwrap_or(i64::MAX))
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "—".to_owned())
}

fn percent(value: Option<f64>) -> String {
    or_dash(value.map(|value| format!("{value:.1}%")))
}

/// Milliseconds as short as they can be read.
fn milliseconds(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2} ms"),
        value if value < 1_000.0 => format!("{value:.0} ms"),
        value => format!("{:.1} s", value / 1_000.0),
    }
}
