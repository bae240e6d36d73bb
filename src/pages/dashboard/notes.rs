//! What happened to products and terms in the range: noted by the database, so that nobody has to remember.

use std::collections::BTreeMap;

use jiff::civil::Date;
use leptos::{prelude::*, server_fn::ServerFn};

use super::breakdowns::product_href;
use crate::{
    components::{
        feedback::Refusal,
        fields::{Input, input, once},
        written::written,
    },
    domain::{
        accounts::path_segment,
        clock::WallClock,
        money::Currency,
        movers::{Note, NoteKind},
        own_notes::{MAX_NOTE, OwnNote},
        period::Interval,
        snapshot::Snapshot,
    },
    format,
    pages::ranges::RangeQuery,
    server_functions::{
        dashboard::Why,
        own_notes::{DeleteNote, SaveNote},
    },
    words,
};

/// Where the forms of notes are, as an address's parameters: they lead back to what is shown.
fn shown(query: &RangeQuery) -> String {
    query.href().split_once('?').map(|(_, parameters)| parameters.to_owned()).unwrap_or_default()
}

/// A form that notes something down, of the last day that is shown unless another is chosen.
pub fn form(query: &RangeQuery, day: Date) -> AnyView {
    let refusal = Refusal::of::<SaveNote>();
    let is_refused = refusal.error.is_some() && refusal.typed("note_id").is_none();
    let typed = |name, otherwise: String| if is_refused { refusal.typed(name) } else { None }.unwrap_or(otherwise);
    let date = Input {
        id: "note-day",
        name: Some("day"),
        label: "Day".to_owned(),
        kind: "date",
        value: Some(typed("day", day.to_string())),
        required: true,
        ..Default::default()
    };
    let text = Input {
        id: "note",
        label: "Note".to_owned(),
        value: Some(typed("note", String::new())),
        required: true,
        max_length: Some(MAX_NOTE),
        autocomplete: Some("off"),
        ..Default::default()
    };
    view! {
        <details class="confirm" open=is_refused>
            <summary>"Add a note…"</summary>
            <form method="post" action=SaveNote::url() class="card stack">
                <input type="hidden" name="query" value=shown(query)/>
                {once()}
                {input(date)}
                {input(text)}
                <button type="submit">"Save note"</button>
            </form>
        </details>
    }
    .into_any()
}

/// A note of one's own. Those who may change it find how behind a click; `query` is what is shown.
fn own(note: &OwnNote, query: Option<&RangeQuery>) -> AnyView {
    let edit = query.map(|query| {
        let delete = DeleteNote::url();
        view! {
            " "
            <details class="confirm" name="note">
                <summary>"Edit" <span class="unseen">{format!(" note of {}", format::day(note.day))}</span></summary>
                <form method="post" action=SaveNote::url() class="card stack">
                    <input type="hidden" name="query" value=shown(query)/>
                    <input type="hidden" name="note_id" value=note.note_id.clone()/>
                    {once()}
                    <input type="date" name="day" aria-label="Day" required value=note.day.to_string()/>
                    <input name="note" aria-label="Note" required maxlength=MAX_NOTE.to_string() dir="auto"
                        autocomplete="off" value=note.text.clone()/>
                    <p class="actions">
                        <button type="submit">"Save note"</button>
                        <button type="submit" class="quiet" formaction=delete formnovalidate>"Delete note"</button>
                    </p>
                </form>
            </details>
        }
    });
    let id = format!("note-{}", note.note_id);
    view! {
        <li id=id>
            <time datetime=note.day.to_string()>{format::day(note.day)}</time>
            " " {written(note.text.clone())} {edit}
        </li>
    }
    .into_any()
}

/// Notes that are seen at once; the others are behind a click.
const SEEN: usize = 3;

/// What is said of a note, without the product it is of.
fn said(note: &Note, currency: Currency) -> String {
    let (was, became) = (note.was.as_deref().unwrap_or_default(), note.became.as_deref().unwrap_or_default());
    let money = |text: &str| text.parse().map_or_else(|_| text.to_owned(), |amount| format::money(currency, amount));
    let percent = |text: &str| text.parse().map_or_else(|_| text.to_owned(), format::hundredths);
    match note.kind {
        NoteKind::Price => words::price_changed(&money(was), &money(became)),
        NoteKind::SoldOut => words::SOLD_OUT.to_owned(),
        NoteKind::BackInStock => words::BACK_IN_STOCK.to_owned(),
        NoteKind::TimeZone => words::zone_moved(was, became),
        NoteKind::Commission => words::commission_changed(&percent(was), &percent(became)),
        NoteKind::Refund => words::large_refund(&money(became), &money(was)),
    }
}

/// The newest notes, one's own first; nothing where nothing happened. `may_write`: whether whoever looks may change
/// those.
pub fn list(why: &Why, snapshot: &Snapshot, query: &RangeQuery, may_write: bool) -> Option<AnyView> {
    if why.notes.notes.is_empty() && why.notes.own.is_empty() {
        return None;
    }
    let written_down: Vec<_> = why.notes.own.iter().map(|note| own(note, may_write.then_some(query))).collect();
    let item = |note: &Note| {
        let product = note.name.clone().zip(note.product_id.as_deref()).map(|(name, id)| match query.vendor_id {
            None => view! { <a href=product_href(id, query) dir="auto">{name}</a> ": " }.into_any(),
            Some(_) => view! { {written(name)} ": " }.into_any(),
        });
        let order = note.order_id.as_deref().map(|id| match query.vendor_id {
            None => {
                let href = format!("/orders/{}", path_segment(id));
                view! { "Order " <a href=href dir="auto">{id.to_owned()}</a> ": " }.into_any()
            }
            Some(_) => view! { "Order " {written(id.to_owned())} ": " }.into_any(),
        });
        view! {
            <li>
                <time datetime=note.at.to_string()>{format::instant(&why.clock, note.at)}</time>
                " " {product} {order} {said(note, snapshot.currency)}
            </li>
        }
        .into_any()
    };
    let items: Vec<AnyView> = why.notes.notes.iter().map(item).collect();
    let (shown, total) = (items.len(), why.notes.total);
    let mut items = items.into_iter();
    let first: Vec<_> = items.by_ref().take(SEEN).collect();
    let rest: Vec<_> = items.collect();
    let more = (!rest.is_empty()).then(|| {
        let cut =
            (total > shown as i64).then(|| view! { <p class="hint">{words::shown_of(shown, total, "notes")}</p> });
        let summary = format!("{} more", format::count(total - SEEN as i64));
        view! { <details><summary>{summary}</summary><ul>{rest}</ul>{cut}</details> }
    });
    let view = view! {
        <section class="card notes" aria-label="What happened">
            <h2>"What happened"</h2>
            <ul>{written_down}{first}</ul>
            {more}
        </section>
    };
    Some(view.into_any())
}

/// What came in since they last looked, in one line; nothing where nothing did.
pub fn since(why: &Why) -> Option<AnyView> {
    let (looked, new) = why.since?;
    let part = |count: i64, one: &str, many: &str, href: &'static str| {
        let text = format::counted(count, one, many);
        (count > 0).then(|| view! { <li><a href=href>{text}</a></li> })
    };
    let parts: Vec<_> = [
        part(new.orders, "order", "orders", "/orders"),
        part(new.returns, "return", "returns", "/orders?refunded=true"),
        part(new.sold_out, "product sold out", "products sold out", "/products?stock=low"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let since = words::since(&format::instant(&why.clock, looked));
    (!parts.is_empty())
        .then(|| view! { <div class="chips lead"><span>{since}</span><ul class="chips">{parts}</ul></div> }.into_any())
}

/// What happened in each interval of the series, by its place, for the readout of the chart. `clock` is exact for the
/// series; what is of a day as a whole stands at the first hour of that day.
pub fn by_point(snapshot: &Snapshot, why: &Why, clock: &WallClock) -> BTreeMap<usize, String> {
    let starts: Vec<&str> = snapshot.series.iter().map(|point| point.start.as_str()).collect();
    let place = |note: &Note| match snapshot.range.interval {
        Interval::Hour => {
            starts.iter().rposition(|start| start.parse().is_ok_and(|start: jiff::Timestamp| start <= note.at))
        }
        _ => {
            // Days are written so that their texts sort as they do.
            let day = why.clock.local(note.at).date().to_string();
            starts.iter().rposition(|start| *start <= day.as_str())
        }
    };
    let mut notes: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for note in why.notes.notes.iter().rev() {
        if let Some(at) = place(note) {
            let of = note.name.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
            notes.entry(at).or_default().push(of + &said(note, snapshot.currency));
        }
    }
    let place_of_day = |day: Date| match snapshot.range.interval {
        Interval::Hour => starts
            .iter()
            .position(|start| start.parse().is_ok_and(|start: jiff::Timestamp| clock.local(start).date() == day)),
        _ => {
            let day = day.to_string();
            starts.iter().rposition(|start| *start <= day.as_str())
        }
    };
    for note in why.notes.own.iter().rev() {
        if let Some(at) = place_of_day(note.day) {
            notes.entry(at).or_default().push(note.text.clone());
        }
    }
    let told = |notes: Vec<String>| match notes.len() {
        1 => notes.into_iter().next().unwrap_or_default(),
        many => words::notes_of(many),
    };
    notes.into_iter().map(|(at, notes)| (at, told(notes))).collect()
}
