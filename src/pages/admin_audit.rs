use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde_json::Value;

use super::keys::time;
use crate::{
    components::{
        fields::{Input, input},
        frame::Section,
        loaded::loaded,
        pager::pager,
        query_form::query_form,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::accounts::{AuditLine, encode_segment},
    server_functions::audit::{AuditFilter, AuditView, load_audit},
    words,
};

/// What there is to filter by, offered while somebody types. Any other name is looked for as well.
const ACTIONS: [&str; 39] = [
    "login",
    "login_failed",
    "login_bind",
    "login_unbind",
    "logout",
    "logout_everywhere",
    "session_end",
    "sessions_end",
    "password_change",
    "password_change_failed",
    "password_failed",
    "password_reset",
    "password_reset_link",
    "second_factor_on",
    "second_factor_off",
    "second_factor_reset",
    "code_failed",
    "codes_guessed",
    "user_invite",
    "user_change",
    "user_disable",
    "user_enable",
    "key_create",
    "key_revoke",
    "letters",
    "time_zone_change",
    "order_create",
    "order_change",
    "order_refund",
    "refund_undo",
    "product_create",
    "product_change",
    "products_change",
    "product_delete",
    "ingest",
    "import",
    "cache_invalidate",
    "cache_reset",
    "audit_export",
];

#[component]
pub fn AdminAuditPage() -> impl IntoView {
    let filter = use_query_map().with_untracked(|params| {
        let value = |name| params.get(name).filter(|value| !value.is_empty());
        AuditFilter {
            actor: value("actor"),
            action: value("action"),
            date_from: value("dateFrom"),
            date_to: value("dateTo"),
            after: value("after"),
        }
    });
    let (asked, again) = (filter.clone(), filter.clone());
    view! {
        <Title text="Audit log"/>
        {loaded(
            Section::Audit,
            load_audit(filter),
            |view| &view.viewer,
            move |view| list(view, asked),
            move || filter_form(again),
        )}
    }
}

fn list(AuditView { page, .. }: AuditView, filter: AuditFilter) -> AnyView {
    let query = query(&filter);
    let export = format!("/api/admin/audit.csv{}", prefixed('?', &query));
    let next = page.next.map(|after| format!("/admin/audit?after={}{}", encode_segment(&after), prefixed('&', &query)));
    let pages = pager(filter.after.is_some().then(|| format!("/admin/audit{}", prefixed('?', &query))), next);
    let body = if page.entries.is_empty() {
        view! {
            <section class="card empty">
                <h2>"No matching entries"</h2>
                <p><a href="/admin/audit">{words::CLEAR_FILTERS}</a></p>
            </section>
        }
        .into_any()
    } else {
        let columns = vec![
            Column::text("Time (UTC)"),
            Column::text("Who"),
            Column::classed("What", "side chief"),
            Column::text("Of what"),
            Column::text("From where").named(),
            Column::text("Before").named(),
            Column::text("After").named(),
        ];
        scrolling(
            "card scroll",
            "Audit log",
            table("plain stacked audit", columns, page.entries.into_iter().map(row).collect(), None),
        )
    };
    view! {
        <div class="head">
            <div>
                <h1>"Audit log"</h1>
                <p class="lead">{words::AUDIT}</p>
            </div>
            <a class="button quiet" href=export download>"Export CSV"</a>
        </div>
        {filter_form(filter)}
        {body}
        {pages}
    }
    .into_any()
}

fn row(line: AuditLine) -> Row {
    let written = |text: Option<String>| Cell::Written(text.unwrap_or_default());
    let values = |text: Option<String>| match text {
        Some(text) => view! { <span class="pairs" dir="auto">{readable(&text)}</span> }.into_any().into(),
        None => Cell::Text(String::new()),
    };
    Row::from(vec![
        time(line.at),
        Cell::Written(line.actor),
        Cell::Text(spoken(&line.action)),
        Cell::Written(line.detail),
        written(line.address),
        values(line.was),
        values(line.became),
    ])
}

/// Each value of an object on a line of its own; anything else as it is.
fn readable(json: &str) -> String {
    let values = match serde_json::from_str(json) {
        Ok(Value::Object(values)) => values,
        Ok(Value::String(text)) => return text,
        _ => return json.to_owned(),
    };
    let lines = values.into_iter().map(|(name, value)| format!("{}: {}", in_words(&name), told(value)));
    lines.collect::<Vec<_>>().join("\n")
}

/// A value as people write it: of a list of rows, one after the other.
fn told(value: Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(is) => if is { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        Value::Array(values) => values.into_iter().map(told).collect::<Vec<_>>().join("; "),
        Value::Object(values) => {
            let values = values.into_iter().map(|(name, value)| format!("{} {}", in_words(&name), told(value)));
            values.collect::<Vec<_>>().join(", ")
        }
    }
}

/// `unitPrice` as `unit price`.
fn in_words(name: &str) -> String {
    name.chars().fold(String::new(), |mut words, c| {
        if c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
        words
    })
}

fn filter_form(filter: AuditFilter) -> AnyView {
    let field = |id, label: &str, kind, value| Input {
        id,
        label: label.to_owned(),
        kind,
        value,
        autocomplete: Some("off"),
        ..Default::default()
    };
    let action = filter.action.as_deref().map(spoken);
    let fields = view! {
        {input(Input { class: "grow", ..field("actor", "Who (email, or cli)", "", filter.actor) })}
        {input(Input { placeholder: Some("login"), list: Some("actions"), ..field("action", "What", "", action) })}
        <datalist id="actions">
            {ACTIONS.map(|name| view! { <option value=spoken(name)></option> }).collect_view()}
        </datalist>
        {input(field("dateFrom", "From", "date", filter.date_from))}
        {input(field("dateTo", "To", "date", filter.date_to))}
        <button class="quiet" type="submit">"Filter"</button>
    };
    query_form("/admin/audit", "filter", None, fields.into_any())
}

/// An action's name as it is shown, and typed.
fn spoken(action: &str) -> String {
    action.replace('_', " ")
}

/// What is filtered by, as a query.
fn query(filter: &AuditFilter) -> String {
    let pairs = [
        ("actor", &filter.actor),
        ("action", &filter.action),
        ("dateFrom", &filter.date_from),
        ("dateTo", &filter.date_to),
    ];
    let pairs =
        pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encode_segment(value.as_ref()?))));
    pairs.collect::<Vec<_>>().join("&")
}

fn prefixed(mark: char, query: &str) -> String {
    if query.is_empty() { String::new() } else { format!("{mark}{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_export_is_of_what_is_filtered_by() {
        let filter = AuditFilter {
            actor: Some("a&b@example.com".to_owned()),
            date_to: Some("2026-01-02".to_owned()),
            ..Default::default()
        };
        assert_eq!(prefixed('?', &query(&filter)), "?actor=a%26b%40example.com&dateTo=2026-01-02");
        assert_eq!(prefixed('?', &query(&AuditFilter::default())), "");
    }

    #[test]
    fn what_was_and_became_is_read_line_by_line() {
        let json = r#"{"disabled":false,"role":"vendor","vendorId":null,"lines":[{"line":1,"quantity":2},3]}"#;
        assert_eq!(readable(json), "disabled: no\nlines: line 1, quantity 2; 3\nrole: vendor\nvendor id: none");
        assert_eq!((readable("\"Europe/Berlin\"").as_str(), readable("a text").as_str()), ("Europe/Berlin", "a text"));
    }
}
