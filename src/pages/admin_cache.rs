use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        feedback::{Refusal, done},
        fields::{Input, input},
        frame::Section,
        loaded::loaded,
    },
    format,
    server_functions::admin::{CacheHealth, InvalidateTags, load_cache_health},
};

#[component]
pub fn AdminCachePage() -> impl IntoView {
    view! {
        <Title text="Cache"/>
        {loaded(Section::Cache, load_cache_health(), |view| &view.viewer, health, || ().into_any())}
    }
}

fn health(CacheHealth { stats, store, session_eviction, .. }: CacheHealth) -> AnyView {
    let refusal = Refusal::of::<InvalidateTags>();
    let messages = refusal
        .messages(|field| (field.field == "tags").then(|| ("tags".to_owned(), format!("Tags: {}", field.message))));
    let count = use_query_map().with_untracked(|query| query.get("invalidated"));
    let invalidated = count.filter(|_| refusal.error.is_none()).and_then(|count| count.parse::<u32>().ok());
    let invalidated = invalidated
        .map(|count| done(format!("{} invalidated.", format::counted(i64::from(count), "tag was", "tags were"))));
    // Asked for, and not yet said yes to.
    let asked = use_query_map()
        .with_untracked(|query| query.get("tags"))
        .filter(|tags| !tags.trim().is_empty() && refusal.error.is_none());
    let tags = Input {
        id: "tags",
        label: "Tags, separated by spaces or commas".to_owned(),
        class: "grow",
        required: true,
        value: refusal.typed("tags"),
        autocomplete: Some("off"),
        placeholder: Some("vendor:42"),
        ..Default::default()
    };
    let (store_name, store_note) = match store.as_str() {
        "redis" => ("Redis", "Shared by every instance."),
        "memory" => (
            "Memory",
            "In this process only: each instance keeps its own, and a restart empties it. Set REDIS_URL to share one.",
        ),
        other => (other, ""),
    };
    let rate = stats.hit_rate.map_or_else(|| "—".to_owned(), |rate| format!("{rate:.2}%"));
    let memory_note = if store == "redis" {
        "Memory used by the whole Redis server"
    } else {
        "Memory used by entries in this process"
    };
    let figures = [
            ("Hits", number(stats.hits), "Lookups answered from the cache."),
            ("Misses", number(stats.misses), "Lookups that went to the database"),
            ("Hit rate", rate, "Share of lookups answered from cache"),
            ("Keys", number(stats.total_keys), "Entries of this cache in the store."),
            ("Memory", format::bytes(stats.memory_usage), memory_note),
            ("Loads", number(stats.loads), "Database computations (concurrent requests share one)"),
        ]
        .map(|(name, value, note)| view! { <div class="card figure"><dt>{name}</dt><dd class="value">{value}</dd><dd class="hint">{note}</dd></div> })
        .collect_view();
    view! {
        <div class="head"><h1>"Cache"</h1><a class="button quiet" href="/admin/cache">"Refresh"</a></div>
        <p class="lead">"Store: " <strong>{store_name.to_owned()}</strong> ". " {store_note}</p>
        {session_eviction.map(sessions_at_risk)}
        {invalidated}
        <dl class="cards">{figures}</dl>
        <section class="card">
            <h2>"Invalidate by tag"</h2>
            <p>"Tagged entries are recomputed on the next request. No data is lost."</p>
            <dl class="tags">
                <div><dt><code>"vendor:ID"</code></dt><dd>"everything cached for one vendor"</dd></div>
                <div><dt><code>"products:ID"</code></dt><dd>"everything that depends on its products"</dd></div>
                <div><dt><code>"orders:ID"</code></dt><dd>"everything that depends on its orders"</dd></div>
                <div><dt><code>"analytics"</code></dt><dd>"all figures of every vendor"</dd></div>
                <div><dt><code>"marketplace"</code></dt><dd>"the marketplace's figures"</dd></div>
            </dl>
            {messages.summary()}
            {match asked {
                Some(asked) => confirmation(&asked),
                None => view! {
                    <form method="get" action="/admin/cache" class="filter">
                        {input(messages.mark(tags))}
                        <button type="submit">"Invalidate…"</button>
                    </form>
                }
                .into_any(),
            }}
        </section>
    }
    .into_any()
}

/// What invalidating these tags means, before it is done.
fn confirmation(tags: &str) -> AnyView {
    let names = tags.split([' ', ',']).filter(|name| !name.is_empty());
    let (all, some): (Vec<_>, Vec<_>) = names.partition(|name| matches!(*name, "analytics" | "marketplace"));
    let extent = match (all.is_empty(), some.len()) {
        (false, _) => {
            "This concerns every vendor: their figures are recomputed on the next request, all at once.".to_owned()
        }
        (true, some) => {
            format!(
                "{} will be recomputed on the next request.",
                format::counted(some as i64, "tag's entries", "tags' entries")
            )
        }
    };
    view! {
        <form method="post" action=InvalidateTags::url() class="stack">
            <p><strong>"Invalidate " <code>{tags.to_owned()}</code> "?"</strong> " " {extent}</p>
            <input type="hidden" name="tags" value=tags.to_owned()/>
            <div class="actions">
                <button class="bad" type="submit" autofocus=true>"Invalidate"</button>
                <a class="button quiet" href="/admin/cache">"Keep"</a>
            </div>
        </form>
    }
    .into_any()
}

/// A full Redis that evicts logs people out, and says nothing.
fn sessions_at_risk(policy: String) -> AnyView {
    view! {
        <section class="card notice warn">
            <h2>"People may be logged out when Redis is full"</h2>
            <p>
                "Redis evicts keys (policy " <code>{policy}</code> ") when full, which can log users out. Use a separate Redis with "
                <code>"noeviction"</code> " for sessions (" <code>"SESSION_REDIS_URL"</code> ")."
            </p>
        </section>
    }
    .into_any()
}

fn number(value: u64) -> String {
    format::count(i64::try_from(value).unwrap_or(i64::MAX))
}
