use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        feedback::{Done, Refused, accepted, refusal},
        fields::{Input, input},
        frame::Section,
        loaded::loaded,
    },
    format,
    server_functions::admin::{CacheHealth, InvalidateTags, load_cache_health},
};

#[component]
pub fn AdminCachePage() -> impl IntoView {
    let invalidate = ServerAction::<InvalidateTags>::new();
    let done = accepted(invalidate);
    let data = Resource::new(move || done.get(), |_| load_cache_health());
    view! {
        <Title text="Cache"/>
        {loaded(Section::Cache, data, |view| &view.viewer, move |view| health(view, invalidate), || ().into_any())}
    }
}

pub fn health(CacheHealth { stats, store, session_eviction, .. }: CacheHealth, invalidate: ServerAction<InvalidateTags>) -> AnyView {
    let query = use_query_map();
    let invalidated = move || {
        let count = query.with(|query| query.get("invalidated").filter(|_| query.get("__err").is_none()))?.parse::<u32>().ok()?;
        Some(view! { <Done text=format!("{} invalidated.", format::counted(i64::from(count), "tag was", "tags were"))/> })
    };
    let tags = Input {
        id: "tags",
        label: "Tags, separated by spaces or commas".to_owned(),
        class: "grow",
        required: true,
        autocomplete: Some("off"),
        placeholder: Some("vendor:42"),
        ..Default::default()
    };
    let (store_name, store_note) = match store.as_str() {
        "redis" => ("Redis", "Shared by every instance."),
        "memory" => ("Memory", "In this process only: each instance keeps its own, and a restart empties it. Set REDIS_URL to share one."),
        other => (other, ""),
    };
    let rate = stats.hit_rate.map_or_else(|| "—".to_owned(), |rate| format!("{rate:.2}%"));
    let memory_note = if store == "redis" { "What the whole Redis server uses." } else { "What the entries take up in this process." };
    let figures = [
            ("Hits", number(stats.hits), "Lookups answered from the cache."),
            ("Misses", number(stats.misses), "Lookups that had to be worked out."),
            ("Hit rate", rate, "Hits of all lookups; a dash before the first one."),
            ("Keys", number(stats.total_keys), "Entries of this cache in the store."),
            ("Memory", format::bytes(stats.memory_usage), memory_note),
            ("Loads", number(stats.loads), "Times figures were computed from the database. Fewer than misses where callers shared one."),
        ]
        .map(|(name, value, note)| view! { <div class="card figure"><dt>{name}</dt><dd class="value">{value}</dd><dd class="hint">{note}</dd></div> })
        .collect_view();
    view! {
        <div class="head"><h1>"Cache"</h1><a class="button quiet" href="/admin/cache" rel="external">"Refresh"</a></div>
        <p class="lead">"Store: " <strong>{store_name.to_owned()}</strong> ". " {store_note}</p>
        {session_eviction.map(sessions_at_risk)}
        {invalidated}
        <dl class="cards">{figures}</dl>
        <section class="card">
            <h2>"Invalidate by tag"</h2>
            <p>"What carries a tag is worked out anew the next time someone asks for it. Nothing is lost but time."</p>
            <dl class="tags">
                <div><dt><code>"vendor:ID"</code></dt><dd>"all that is cached for one vendor"</dd></div>
                <div><dt><code>"products:ID"</code></dt><dd>"what depends on that vendor's products"</dd></div>
                <div><dt><code>"orders:ID"</code></dt><dd>"what depends on that vendor's orders"</dd></div>
                <div><dt><code>"analytics"</code></dt><dd>"the figures of every vendor"</dd></div>
                <div><dt><code>"marketplace"</code></dt><dd>"the figures of the whole marketplace"</dd></div>
            </dl>
            <Refused error=refusal(invalidate)/>
            <ActionForm action=invalidate attr:class="filter">
                {input(tags)}
                <button type="submit" disabled=move || invalidate.pending().get()>"Invalidate"</button>
            </ActionForm>
        </section>
    }
    .into_any()
}

/// A full Redis that evicts logs people out, and says nothing.
fn sessions_at_risk(policy: String) -> AnyView {
    view! {
        <section class="card notice warn">
            <h2>"People may be logged out when Redis is full"</h2>
            <p>
                "The Redis that keeps sessions evicts by " <code>{policy}</code> " when its memory is full, sessions too. Give them one of their own in "
                <code>"SESSION_REDIS_URL"</code> ", with " <code>"maxmemory-policy noeviction"</code> "."
            </p>
        </section>
    }
    .into_any()
}

fn number(value: u64) -> String {
    format::count(i64::try_from(value).unwrap_or(i64::MAX))
}
