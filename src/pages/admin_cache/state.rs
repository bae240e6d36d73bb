use jiff::Timestamp;
use leptos::prelude::*;

use super::{badge, milliseconds, number, or_dash, time};
use crate::{
    components::table::{Cell, Column, Row, scrolling, table},
    format,
    server_functions::cache_health::{InstanceHealth, Level, Namespaces, Presence, RedisHealth},
    words,
};

pub fn is_running(instance: &InstanceHealth) -> bool {
    instance.presence == Presence::Running
}

pub fn instances(instances: &[InstanceHealth], now: Timestamp) -> AnyView {
    let rows = instances.iter().map(|instance| {
        let state = &instance.state;
        let presence = match instance.presence {
            Presence::Running if instance.is_here => "Answers this page".to_owned(),
            Presence::Running => "Running".to_owned(),
            Presence::Silent => format!("Silent since {}", format::utc(instance.seen_at, now)),
            Presence::Ended => format!("Stopped, last seen {}", format::utc(instance.seen_at, now)),
        };
        let breaker = match (state.breaker_open_since, state.breaker_openings) {
            (Some(since), _) => format!("Open since {}", format::utc(since, now)),
            (None, 0) => "Closed".to_owned(),
            (None, openings) => format!("Closed; opened {}", format::counted(openings as i64, "time", "times")),
        };
        let pending = match state.outbox_pending_seconds {
            Some(seconds) => {
                format!("{}, not deliverable for {}", number(state.outbox_pending), format::seconds(seconds))
            }
            None => number(state.outbox_pending),
        };
        let looked = state.outbox_looked_ms.map(|ms| format!("{} ago", milliseconds(ms as f64)));
        let cells: Vec<Cell> = vec![
            instance.name.clone().into(),
            view! { {level(instance.level)} " " {presence} }.into_any().into(),
            breaker.into(),
            pending.into(),
            or_dash(looked).into(),
            format!(
                "{}, {}",
                format::counted(state.near_entries as i64, "entry", "entries"),
                format::bytes(state.near_bytes)
            )
            .into(),
            instance.version.clone().into(),
            time(instance.started_at, now).into(),
        ];
        Row::from(cells)
    });
    let columns = vec![
        Column::text("Instance"),
        Column::text("State"),
        Column::text("Breaker"),
        Column::number("Outbox"),
        Column::number("Last look"),
        Column::number("Own memory"),
        Column::text("Release"),
        Column::text("Up since"),
    ];
    view! {
        <section class="card">
            <h2>"Instances"</h2>
            <p class="hint">{words::INSTANCES}</p>
            {scrolling("scroll", "Instances", table("plain whole", columns, rows.collect(), None))}
        </section>
    }
    .into_any()
}

fn level(level: Level) -> Option<AnyView> {
    (level != Level::Ok).then(|| badge(level))
}

pub fn redis(servers: &[RedisHealth], now: Timestamp) -> AnyView {
    let many = servers.len() > 1;
    let rows = servers.iter().enumerate().flat_map(|(i, server)| {
        let whose = if many { format!("Server {}: ", i + 1) } else { String::new() };
        facts(server, now).into_iter().map(move |(name, value, of, means)| {
            Row::from(vec![
                Cell::Text(format!("{whose}{name}")),
                view! { {value} " " {level(of)} }.into_any().into(),
                Cell::Text(means),
            ])
        })
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return ().into_any();
    }
    let columns = vec![Column::text("What"), Column::text("Now"), Column::text("What it means")];
    let asked = servers.iter().map(|server| server.asked_at).min().unwrap_or(now);
    view! {
        <section class="card">
            <h2>"Redis"</h2>
            <p class="hint">"What the server says of itself, at " {time(asked, now)} "; of everything in it, not of \
                the cache alone."</p>
            {scrolling("scroll facts", "Redis", table("plain whole", columns, rows, None))}
        </section>
    }
    .into_any()
}

/// Name, value, level and meaning.
fn facts(server: &RedisHealth, now: Timestamp) -> Vec<(&'static str, String, Level, String)> {
    let memory = match server.max_memory {
        0 => format!("{}, no limit", format::bytes(server.used_memory)),
        max => {
            let share = server.used_memory as f64 * 100.0 / max as f64;
            format!("{} of {} ({share:.0}%)", format::bytes(server.used_memory), format::bytes(max))
        }
    };
    let policy = match (server.max_memory, server.policy.as_str(), server.policy_level) {
        (_, policy, Level::Warning) => format!("{policy}: may throw sessions away, which logs people out"),
        (0, ..) => "Without maxmemory the policy is never used, and Redis grows until the machine is full".to_owned(),
        (_, "noeviction", _) => {
            "When full, writes are refused: right for sessions, and the cache stops filling".to_owned()
        }
        _ => "When full, entries give way: they are loaded again, never wrong".to_owned(),
    };
    vec![
        ("Memory", memory, server.memory_level, "Under noeviction a full Redis takes nothing more".to_owned()),
        ("Policy when full", server.policy.clone(), server.policy_level, policy),
        (
            "Evicted",
            format!(
                "{} within the last hour, {} in all",
                number(server.evicted_last_hour),
                number(server.evicted_keys)
            ),
            server.eviction_level,
            "Memory is too small for what is asked for".to_owned(),
        ),
        (
            "Connections",
            format!(
                "{} of {}, {} refused",
                number(server.connections),
                number(server.max_connections),
                number(server.refused_connections)
            ),
            server.connection_level,
            "An instance opens a handful".to_owned(),
        ),
        (
            "Latency",
            milliseconds(server.latency_ms),
            server.latency_level,
            "A question and its answer, from this instance; usual is below 1 ms".to_owned(),
        ),
        ("Commands a day", number(server.commands_per_day), Level::Ok, "On average since it was started".to_owned()),
        ("Expired", number(server.expired_keys), Level::Ok, "Keys that had lived their time".to_owned()),
        (
            "Release",
            format!("{} ({})", server.version, server.role),
            Level::Ok,
            format!("Up since {}", format::utc(server.up_since, now)),
        ),
    ]
}

pub fn namespaces(found: Option<&Namespaces>, now: Timestamp) -> AnyView {
    let Some(found) = found else { return ().into_any() };
    let rows = found.list.iter().map(|space| {
        let memory = space.memory.map(|bytes| format!("about {}", format::bytes(bytes)));
        let what = match space.name.as_str() {
            "analytics" => "Dashboards, returns, customers, changes",
            "vendors" => "Vendors' names, currencies and zones",
            "products" => "Pages of lists of products",
            "orders" => "Pages of lists of orders and refunds",
            "admin:metrics" => "Figures of the marketplace",
            _ => "",
        };
        Row::from(vec![
            view! { <code>{space.name.clone()}</code> }.into_any().into(),
            Cell::Text(what.to_owned()),
            number(space.keys).into(),
            or_dash(memory).into(),
            number(space.sampled).into(),
        ])
    });
    let columns = vec![
        Column::text("Keys that begin with"),
        Column::text("What"),
        Column::number("Keys"),
        Column::number("Memory"),
        Column::number("Measured"),
    ];
    let estimate = if found.is_estimate { "There are too many keys to look at all: these are estimates. " } else { "" };
    view! {
        <section class="card">
            <h2>"What is in it"</h2>
            <p class="hint">
                {estimate} "Looked through at " {time(found.looked_at, now)} ". Memory is estimated from the entries \
                    that were measured."
            </p>
            {scrolling("scroll", "Entries by kind", table("plain whole", columns, rows.collect(), None))}
        </section>
    }
    .into_any()
}
