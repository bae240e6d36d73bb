use leptos::prelude::*;
use leptos_meta::Title;
use serde_json::Value;

use super::keys::time;
use crate::{
    components::{
        fields::{Input, input},
        frame::Section,
        loaded::loaded,
        pager::pager,
        parameters::parameters,
        query_form::query_form,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{AuditLine, encode_segment},
        money::Currency,
    },
    format,
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
    let filter = parameters(|params| {
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
        <h1>"Audit log"</h1>
        <p class="lead">{words::AUDIT}</p>
        {filter_form(filter)}
        {body}
        {pages}
        <footer class="foot"><p class="exports"><a href=export download="">"Export this list"</a></p></footer>
    }
    .into_any()
}

fn row(line: AuditLine) -> Row {
    let written = |text: Option<String>| Cell::Written(text.unwrap_or_default());
    // Many products at once: what was is their prices, by their ids.
    let are_prices = line.action == "products_change";
    let values = |text: Option<String>, are_prices| match text {
        Some(text) => {
            let text = readable(&text, line.currency, are_prices);
            view! { <span class="pairs" dir="auto">{text}</span> }.into_any().into()
        }
        None => Cell::Text(String::new()),
    };
    let (was, became) = (values(line.was, are_prices), values(line.became, false));
    Row::from(vec![
        time(line.at),
        Cell::Written(line.actor),
        Cell::Text(spoken(&line.action)),
        Cell::Written(line.detail),
        written(line.address),
        was,
        became,
    ])
}

/// What an amount in minor units is called, wherever money is noted.
const AMOUNTS: [&str; 5] = ["unitPrice", "amount", "gross", "discount", "refundedAmount"];
/// Prices by product.
const PRICES: &str = "unitPrices";

/// Each value of an object, or of a list, on a line of its own; anything else as it is. Amounts are of `currency`.
fn readable(json: &str, currency: Option<Currency>, are_prices: bool) -> String {
    let lines: Vec<_> = match serde_json::from_str(json) {
        Ok(Value::Object(values)) if are_prices => prices(values, currency),
        Ok(Value::Object(values)) => {
            let line = |(name, value): (String, _)| format!("{}: {}", in_words(&name), told(&name, value, currency));
            values.into_iter().map(line).collect()
        }
        Ok(Value::Array(values)) => values.into_iter().map(|value| told("", value, currency)).collect(),
        Ok(Value::String(text)) => return text,
        _ => return json.to_owned(),
    };
    lines.join("\n")
}

/// A value as people write it: of a list of rows, one after the other.
fn told(name: &str, value: Value, currency: Option<Currency>) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(is) => if is { "yes" } else { "no" }.to_owned(),
        Value::Number(number) if AMOUNTS.contains(&name) => amount(&Value::Number(number), currency),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        Value::Array(values) => {
            values.into_iter().map(|value| told(name, value, currency)).collect::<Vec<_>>().join("; ")
        }
        Value::Object(values) if name == PRICES => prices(values, currency).join(", "),
        Value::Object(values) => {
            let pair = |(name, value): (String, _)| format!("{} {}", in_words(&name), told(&name, value, currency));
            values.into_iter().map(pair).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Prices by the ids of their products, which are no words.
fn prices(values: serde_json::Map<String, Value>, currency: Option<Currency>) -> Vec<String> {
    values.into_iter().map(|(id, price)| format!("{id}: {}", amount(&price, currency))).collect()
}

/// In lines from before currencies were noted nobody knows of what it is so many minor units.
fn amount(value: &Value, currency: Option<Currency>) -> String {
    match (value.as_i64(), currency) {
        (Some(amount), Some(currency)) => format::money(currency, amount),
        (Some(amount), None) => words::minor_units(amount),
        (None, _) => value.to_string(),
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
        {input(Input { class: "grow", ..field("actor", "Who (email, cli or unknown)", "", filter.actor) })}
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
        let plain = |json| readable(json, None, false);
        assert_eq!(plain(json), "disabled: no\nlines: line 1, quantity 2; 3\nrole: vendor\nvendor id: none");
        assert_eq!((plain("\"Europe/Berlin\"").as_str(), plain("a text").as_str()), ("Europe/Berlin", "a text"));
    }

    #[test]
    fn amounts_are_money_of_the_currency_of_their_line() {
        let euro = Currency::parse("EUR").ok();
        assert_eq!(readable(r#"{"stock":12590,"unitPrice":12590}"#, euro, false), "stock: 12590\nunit price: €125.90");
        assert_eq!(
            readable(r#"[{"amount":1790,"line":1,"quantity":2},{"amount":0,"line":2,"quantity":0}]"#, euro, false),
            "amount €17.90, line 1, quantity 2\namount €0.00, line 2, quantity 0"
        );
        assert_eq!(readable(r#"{"pA":100,"pB":250}"#, euro, true), "pA: €1.00\npB: €2.50");
        let yen = Currency::parse("JPY").ok();
        assert_eq!(readable(r#"{"unitPrices":{"pA":100}}"#, yen, false), "unit prices: pA: ¥100");
        assert_eq!(readable(r#"{"unitPrice":12590}"#, None, false), "unit price: 12,590 minor units");
    }
}
