use jiff::Timestamp;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{lists, number, time};
use crate::{
    ApiError,
    components::{
        feedback::Refusal,
        fields::{Input, input},
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        table::{Cell, Column, Row, scrolling, table},
    },
    format,
    server_functions::cache_health::{CacheEntry, EntryHeader, EntryLook, load_cache_entry},
    words,
};

/// One entry: whether it is served, and why not.
#[component]
pub fn CacheEntryPage() -> impl IntoView {
    let key = parameters(|query| query.get("key")).unwrap_or_default();
    view! {
        <Title text="Cache entry"/>
        {loaded(Section::Cache, load_cache_entry(key), |view| &view.viewer, look, || ().into_any())}
    }
}

fn look(EntryLook { key, found, now, .. }: EntryLook) -> AnyView {
    let (shown, refusal) = match found {
        None => (None, None),
        Some(Ok(entry)) => (Some(shown(&entry, now)), None),
        Some(Err(error)) => (None, Some(error)),
    };
    let messages = refusal.map(|error: ApiError| {
        Refusal::because(error)
            .messages(|field| (field.field == "key").then(|| ("key".to_owned(), format!("Key: {}", field.message))))
    });
    let messages = messages.unwrap_or_default();
    let field = Input {
        id: "key",
        label: "Key".to_owned(),
        class: "grow",
        required: true,
        value: Some(key),
        autocomplete: Some("off"),
        placeholder: Some("vendors:{42}:profile"),
        ..Default::default()
    };
    view! {
        <p class="crumb"><a href="/admin/cache">"Cache"</a> " › Entry"</p>
        <h1>"Cache entry"</h1>
        {messages.at("key").map(|text| view! { <p class="notice bad" role="alert">{text}</p> })}
        {shown}
        <section class="card">
            <h2>"Look into an entry"</h2>
            <form method="get" action="/admin/cache/entry" class="filter">
                {input(messages.mark(field))}
                <button type="submit">"Look"</button>
            </form>
            <p class="hint">{words::KEYS_OF_ENTRIES}</p>
        </section>
    }
    .into_any()
}

fn shown(entry: &CacheEntry, now: Timestamp) -> AnyView {
    let tone = match entry.standing.as_str() {
        "served" => ("good", "done", "Served"),
        "corrupt" | "bypassed" => ("bad", "failed", "Not served"),
        _ => ("warn", "waiting", "Not served"),
    };
    view! {
        <section class=format!("card verdict \
            {}", tone.0) aria-label="Whether it is served" data-standing=entry.standing.clone()>
            <p class="name"><span class=format!("status {}", tone.1)>{tone.2}</span></p>
            <p class="sentence">{entry.why.clone()}</p>
            <p><code class="secret">{entry.key.clone()}</code></p>
        </section>
        {entry.header.as_ref().map(|header| facts(header, now))}
    }
    .into_any()
}

fn facts(header: &EntryHeader, now: Timestamp) -> AnyView {
    let rows = [
        (
            "Age",
            view! { {format::seconds(header.age_seconds)} ", loaded at " {time(header.loaded_at, now)} }.into_any(),
        ),
        (
            "Life left",
            view! { {format::seconds(header.left_seconds)} ", until " {time(header.expires_at, now)} }.into_any(),
        ),
        ("Loading it took", super::milliseconds(header.load_ms).into_any()),
        (
            "Size",
            format!(
                "{} in the store, {} as it is served",
                format::bytes(header.stored_size),
                format::bytes(header.payload_size)
            )
            .into_any(),
        ),
        ("In this instance's own memory", (if header.is_near { "Yes" } else { "No" }).into_any()),
        ("Schema", header.schema.to_string().into_any()),
    ];
    let rows = rows.into_iter().map(|(name, value)| Row::from(vec![Cell::Text(name.to_owned()), value.into()]));
    let tags = header.tags.iter().map(|tag| {
        let verdict = match (&tag.current, tag.is_current) {
            (_, true) => "Unchanged since it was loaded",
            (None, false) => "Forgotten by the store",
            (Some(_), false) => "Invalidated since",
        };
        let by = tag.invalidated_by.as_ref().map_or_else(
            || "—".into_any(),
            |by| {
                let times = (by.times > 1).then(|| format!(" ({} times in that minute)", number(by.times)));
                view! { {time(by.at, now)} " by " {by.who.clone()} ": " {by.why.clone()} {times} }.into_any()
            },
        );
        Row::from(vec![
            lists::tags(std::slice::from_ref(&tag.tag)).into(),
            Cell::Text(verdict.to_owned()),
            view! { <code>{tag.stamped.clone()}</code> }.into_any().into(),
            view! { <code>{tag.current.clone().unwrap_or_else(|| "—".to_owned())}</code> }.into_any().into(),
            by.into(),
        ])
    });
    let columns = vec![
        Column::text("Tag"),
        Column::text("State"),
        Column::text("Generation at loading"),
        Column::text("Generation now"),
        Column::text("Last invalidated"),
    ];
    view! {
        <section class="card">
            <h2>"The entry"</h2>
            {scrolling("scroll", "The entry",
                table("plain whole", vec![Column::text("What"), Column::text("Value")], rows.collect(), None))}
        </section>
        <section class="card">
            <h2>"Its tags"</h2>
            <p class="hint">{words::TAGS_OF_AN_ENTRY}</p>
            {scrolling("scroll", "Tags of the entry", table("plain whole", columns, tags.collect(), None))}
        </section>
    }
    .into_any()
}
