use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

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
        view! { <section class="card empty"><h2>"No matching entries"</h2><p><a href="/admin/audit">{words::CLEAR_FILTERS}</a></p></section> }
            .into_any()
    } else {
        let columns =
            ["Time (UTC)", "Who", "What", "Of what", "From where", "Before", "After"].map(Column::text).to_vec();
        scrolling(
            "card scroll",
            "Audit log",
            table("plain", columns, page.entries.into_iter().map(row).collect(), None),
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
    Row::from(vec![
        time(line.at),
        Cell::Written(line.actor),
        Cell::Text(line.action.replace('_', " ")),
        Cell::Written(line.detail),
        written(line.address),
        written(line.was),
        written(line.became),
    ])
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
    let fields = view! {
        {input(Input { class: "grow", ..field("actor", "Who (email, or cli)", "", filter.actor) })}
        {input(Input { placeholder: Some("login"), ..field("action", "Action", "", filter.action) })}
        {input(field("dateFrom", "From", "date", filter.date_from))}
        {input(field("dateTo", "To", "date", filter.date_to))}
        <button class="quiet" type="submit">"Filter"</button>
    };
    query_form("/admin/audit", "filter", None, fields.into_any())
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
}
