use leptos::{prelude::*, server_fn::ServerFn};

use super::number;
use crate::{
    ApiError,
    components::{
        feedback::{Refusal, done},
        fields::{Input, input},
        parameters::parameters,
    },
    format,
    server_functions::cache_health::{ActionCost, AskedAction, InvalidateTags, ResetCounters, WarmCache},
    words,
};

/// What the last action has done.
pub fn outcome() -> Option<AnyView> {
    parameters(|query| {
        let count = |name| query.get(name).and_then(|count| count.parse::<u32>().ok()).map(i64::from);
        if query.get("__err").is_some() {
            return None;
        }
        let text = match (count("invalidated"), count("warmed"), query.get("reset").as_deref()) {
            (Some(tags), ..) => invalidated(tags, count("entries"), query.get("estimate").is_some()),
            (_, Some(count), _) => format!("{} loaded.", format::counted(count, "entry was", "entries were")),
            (.., Some("done")) => "The counters were reset. What was counted by minute and hour stays.".to_owned(),
            _ => return None,
        };
        Some(done(text))
    })
}

/// What an invalidation came to: tags, and entries that carried them, if the store said how many.
fn invalidated(tags: i64, entries: Option<i64>, is_estimate: bool) -> String {
    let (about, them) = (if is_estimate { "About " } else { "" }, if tags == 1 { "it" } else { "them" });
    let entries = match entries {
        None => format!("How many entries carry {them}, Redis does not say now; none of them is served."),
        Some(0) => format!("Nothing was in the cache under {them}."),
        Some(1) => format!("{about}1 entry carries {them}, and is loaded again by whoever asks next."),
        Some(many) => {
            let many = number(many.unsigned_abs());
            format!("{about}{many} entries carry {them}, and are loaded again by whoever asks next.")
        }
    };
    format!("{} invalidated. {entries}", format::counted(tags, "tag was", "tags were"))
}

/// What is about to be done, and what it costs, before it is done. Nothing where it was refused: the form says why.
pub fn confirmation(action: &AskedAction, cost: &Result<Option<ActionCost>, ApiError>) -> Option<AnyView> {
    let has_failed = parameters(|query| query.get("__err").is_some());
    let cost = cost.as_ref().ok().filter(|_| !has_failed)?;
    let (address, question, extent, button, field) = match action {
        AskedAction::Invalidate(tags) => (
            InvalidateTags::url(),
            view! { "Invalidate " <code>{tags.clone()}</code> "?" }.into_any(),
            cost.as_ref().map(|cost| {
                format!(
                    "{} No data is \
                lost.",
                    concerned(cost, "are loaded again by whoever asks next")
                )
            }),
            "Invalidate",
            Some(("tags", tags.clone())),
        ),
        AskedAction::Warm(vendors) => (
            WarmCache::url(),
            match vendors.is_empty() {
                true => "Load what this instance is asked for most?".into_any(),
                false => view! { "Load the dashboards of " <code>{vendors.clone()}</code> "?" }.into_any(),
            },
            cost.as_ref().map(|cost| concerned(cost, "are not in the cache, and are loaded one after the other")),
            "Load",
            Some(("vendors", vendors.clone())),
        ),
        AskedAction::Reset => (
            ResetCounters::url(),
            "Reset the counters of all instances?".into_any(),
            Some(
                "Hits, misses and all other totals begin at 0, on this page, in the API and at /metrics. What was \
                counted by minute and hour stays, and so do the charts."
                    .to_owned(),
            ),
            "Reset",
            None,
        ),
    };
    let field = field.map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    let view = view! {
        <form method="post" action=address class="card stack asked" id="asked">
            <p><strong>{question}</strong> " " {extent}</p>
            {field}
            <div class="actions">
                <button class="bad" type="submit">{button}</button>
                // Enter does nothing that was not meant.
                <a class="button quiet" href="/admin/cache" autofocus=true>"Keep"</a>
            </div>
        </form>
    };
    Some(view.into_any())
}

/// So many entries, of whom, about so many seconds of the database.
fn concerned(cost: &ActionCost, what: &str) -> String {
    let about = if cost.is_estimate { "About " } else { "" };
    let entries = match cost.entries {
        None => return "Redis does not answer: how many entries it concerns cannot be said now.".to_owned(),
        Some(0) => return "No entry is concerned.".to_owned(),
        Some(1) => "1 entry".to_owned(),
        Some(many) => format!("{} entries", number(many)),
    };
    let whose = match (cost.vendor_count, &cost.vendors[..]) {
        (0, _) => String::new(),
        (1, [vendor]) => format!(" of vendor {vendor}"),
        (count, named) if count as usize == named.len() => format!(" of vendors {}", named.join(", ")),
        (count, named) => format!(" of {} vendors ({}, …)", number(count), named.join(", ")),
    };
    let what = if cost.entries == Some(1) {
        what.replacen("are ", "is ", 1).replace("and are", "and is")
    } else {
        what.to_owned()
    };
    let takes = match cost.database_seconds {
        Some(seconds) if seconds >= 0.1 => format!(": about {seconds:.1} s of the database's time"),
        Some(seconds) => format!(": about {:.0} ms of the database's time", (seconds * 1_000.0).max(1.0)),
        None => String::new(),
    };
    format!("{about}{entries}{whose} {what}{takes}.")
}

/// Forms for what can be done. `asked` is what somebody is about to do: where it is refused already, its form says why.
pub fn section(asked: Option<&(AskedAction, Result<Option<ActionCost>, ApiError>)>) -> AnyView {
    let refused_before = |is: fn(&AskedAction) -> bool| match asked {
        Some((action, Err(error))) if is(action) => Some(Refusal::because(error.clone())),
        _ => None,
    };
    let or_refused = |sent: Refusal, before: Option<Refusal>| match (&sent.error, before) {
        (None, Some(before)) => before,
        _ => sent,
    };
    let invalidation = or_refused(
        Refusal::of::<InvalidateTags>(),
        refused_before(|action| matches!(action, AskedAction::Invalidate(_))),
    );
    let warming =
        or_refused(Refusal::of::<WarmCache>(), refused_before(|action| matches!(action, AskedAction::Warm(_))));
    let wrong_tags = invalidation
        .messages(|field| (field.field == "tags").then(|| ("tags".to_owned(), format!("Tags: {}", field.message))));
    let wrong_vendors = warming.messages(|field| {
        (field.field == "vendorIds").then(|| ("vendors".to_owned(), format!("Vendors: {}", field.message)))
    });
    let reset = crate::components::feedback::refused(&Refusal::of::<ResetCounters>());
    let typed = |name: &'static str| parameters(|query| query.get(name));
    let tags = Input {
        id: "tags",
        label: "Tags, separated by spaces or commas".to_owned(),
        class: "grow",
        required: true,
        value: invalidation.typed("tags").or_else(|| typed("tags")),
        autocomplete: Some("off"),
        placeholder: Some("vendor:42"),
        ..Default::default()
    };
    let vendors = Input {
        id: "vendors",
        label: "Vendors, by their ids; empty for what is asked for most".to_owned(),
        class: "grow",
        value: warming.typed("vendors").or_else(|| typed("vendors")),
        autocomplete: Some("off"),
        placeholder: Some("42 69"),
        ..Default::default()
    };
    view! {
        <section class="card">
            <h2>"Invalidate by tag"</h2>
            <p>{words::INVALIDATING}</p>
            <dl class="tags">
                <div><dt><code>"vendor:ID"</code></dt><dd>"everything cached for one vendor"</dd></div>
                <div><dt><code>"products:ID"</code></dt><dd>"everything that depends on its products"</dd></div>
                <div><dt><code>"orders:ID"</code></dt><dd>"everything that depends on its orders"</dd></div>
                <div><dt><code>"analytics"</code></dt><dd>"all figures of every vendor"</dd></div>
                <div><dt><code>"marketplace"</code></dt><dd>"the marketplace's figures"</dd></div>
            </dl>
            {wrong_tags.summary()}
            <form method="get" action="/admin/cache" class="filter">
                {input(wrong_tags.mark(tags))}
                <button type="submit">"Invalidate…"</button>
            </form>
        </section>
        <section class="card">
            <h2>"Load ahead"</h2>
            <p>{words::LOADING_AHEAD}</p>
            {wrong_vendors.summary()}
            <form method="get" action="/admin/cache" class="filter">
                {input(wrong_vendors.mark(vendors))}
                <button type="submit">"Load…"</button>
            </form>
        </section>
        <section class="card">
            <h2>"Look into an entry"</h2>
            <p>{words::LOOKING_INTO}</p>
            <form method="get" action="/admin/cache/entry" class="filter">
                {input(Input {
                    id: "key",
                    label: "Key".to_owned(),
                    class: "grow",
                    required: true,
                    autocomplete: Some("off"),
                    placeholder: Some("vendors:{42}:profile"),
                    ..Default::default()
                })}
                <button type="submit">"Look"</button>
            </form>
        </section>
        <section class="card">
            <h2>"Reset the counters"</h2>
            <p>{words::RESETTING}</p>
            {reset}
            <p class="actions"><a class="button quiet" href="/admin/cache?reset=ask">"Reset…"</a></p>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_says_how_many_of_whom_and_what_it_costs() {
        let cost = |entries, vendors: &[&str], seconds| ActionCost {
            entries: Some(entries),
            is_estimate: false,
            vendors: vendors.iter().map(|&id| id.to_owned()).collect(),
            vendor_count: vendors.len() as u64,
            database_seconds: seconds,
        };
        let told = |cost: ActionCost| concerned(&cost, "are loaded again");
        assert_eq!(
            told(cost(31, &["69"], Some(1.24))),
            "31 entries of vendor 69 are loaded again: about 1.2 s of the database's time."
        );
        assert_eq!(told(cost(1, &[], Some(0.004))), "1 entry is loaded again: about 4 ms of the database's time.");
        assert_eq!(told(cost(0, &[], None)), "No entry is concerned.");
        assert!(told(ActionCost::default()).contains("cannot be said now"));
    }

    #[test]
    fn an_invalidation_says_how_many_entries_it_concerned_and_when_there_were_none() {
        for (tags, entries, is_estimate, said) in [
            (1, Some(0), false, "1 tag was invalidated. Nothing was in the cache under it."),
            (1, Some(1), false, "1 tag was invalidated. 1 entry carries it, and is loaded again by whoever asks next."),
            (
                2,
                Some(1_200),
                true,
                "2 tags were invalidated. About 1,200 entries carry them, and are loaded again by whoever asks next.",
            ),
            (
                2,
                None,
                true,
                "2 tags were invalidated. How many entries carry them, Redis does not say now; none of them is served.",
            ),
        ] {
            assert_eq!(invalidated(tags, entries, is_estimate), said);
        }
    }
}
