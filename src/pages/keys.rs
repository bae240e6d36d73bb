//! API keys, as pages show them.

use jiff::Timestamp;
use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    components::{
        feedback::{Refusal, refused},
        fields::{Input, input, once, select},
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{ApiKey, KeyScope, MAX_KEY_DAYS, MAX_KEY_NAME, MAX_PASSWORD, Role, USUAL_KEY_DAYS},
        clock::WallClock,
    },
    format,
    server_functions::account::{CreateKey, RevokeKey},
    words,
};

/// One's own keys, and the form that one is made with.
pub fn keys_card(email: String, role: Role, keys: Vec<ApiKey>) -> AnyView {
    let list = (!keys.is_empty()).then(|| {
        let rows = keys.into_iter().map(|key| {
            let revoke = view! {
                <form method="post" action=RevokeKey::url()>
                    <input type="hidden" name="key_id" value=key.key_id.clone()/>
                    <button class="quiet" type="submit">"Revoke"</button>
                </form>
            };
            let mut cells = cells(key);
            cells.push(revoke.into_any().into());
            Row::from(cells)
        });
        let mut columns = columns();
        columns.push(Column::text("Revoke"));
        scrolling("scroll", "API keys", table("plain stacked", columns, rows.collect(), None))
    });
    view! {
        <section class="card">
            <h2>"API keys"</h2>
            <p>{words::KEYS} " " <code>"Authorization: Bearer …"</code></p>
            {list}
            {refused(&Refusal::of::<RevokeKey>())}
            {new_key(email, role)}
        </section>
    }
    .into_any()
}

/// What is shown of a key: name, how it begins, what it may do, and when it was made, ends and was used.
pub fn columns() -> Vec<Column> {
    let mut columns = ["Name", "Key", "May"].map(Column::text).to_vec();
    columns.extend(["Created (UTC)", "Expires (UTC)", "Last used (UTC)"].map(|name| Column::text(name).named()));
    columns
}

pub fn cells(key: ApiKey) -> Vec<Cell> {
    let may = match (key.scope, key.vendor_id) {
        (KeyScope::Read, _) => "read".to_owned(),
        (KeyScope::Write, _) => "read and write".to_owned(),
        (KeyScope::Ingest, Some(vendor)) => format!("ingest for vendor {vendor}"),
        (KeyScope::Ingest, None) => "ingest".to_owned(),
    };
    let prefix = view! { <code>{key.prefix} "…"</code> };
    let or = |at: Option<Timestamp>, text: &str| at.map_or_else(|| Cell::Text(text.to_owned()), time);
    vec![
        Cell::Written(key.name),
        prefix.into_any().into(),
        Cell::Written(may),
        time(key.created_at),
        expiry(key.expires_at),
        or(key.last_used_at, "never"),
    ]
}

/// When a key ends, and whether that is past: one that has is listed until it is revoked.
fn expiry(at: Option<Timestamp>) -> Cell {
    let Some(at) = at else { return Cell::Text("never".to_owned()) };
    let mark = (at <= Timestamp::now()).then(|| view! { " " <span class="status off">{words::KEY_EXPIRED}</span> });
    view! { <time datetime=at.to_string()>{format::instant(&WallClock::default(), at)}</time> {mark} }.into_any().into()
}

fn new_key(email: String, role: Role) -> AnyView {
    let refusal = Refusal::of::<CreateKey>();
    let messages = refusal.messages(|field| match field.field.as_str() {
        "name" => Some(("name".to_owned(), words::text_up_to("name", MAX_KEY_NAME))),
        "password" => Some(("key_password".to_owned(), words::YOUR_PASSWORD_WRONG.to_owned())),
        "expiresInDays" => Some(("days".to_owned(), words::whole_number(1, MAX_KEY_DAYS))),
        "vendorId" => Some(("vendor_id".to_owned(), format!("Vendor id: {}", field.message))),
        _ => None,
    });
    let typed = |name: &str| refusal.typed(&format!("form[{name}]"));
    let name = Input {
        id: "name",
        name: Some("form[name]"),
        label: "Name of a new key".to_owned(),
        value: typed("name"),
        required: true,
        max_length: Some(MAX_KEY_NAME),
        autocomplete: Some("off"),
        placeholder: Some("Shop backend"),
        ..Default::default()
    };
    let mut scopes = vec![(KeyScope::Read.as_str(), "Read"), (KeyScope::Write.as_str(), "Read and write")];
    let vendor = (role == Role::Admin).then(|| {
        scopes.push((KeyScope::Ingest.as_str(), "Ingest only"));
        Input {
            id: "vendor_id",
            name: Some("form[vendor_id]"),
            label: "Vendor id (ingest)".to_owned(),
            value: typed("vendor_id"),
            autocomplete: Some("off"),
            hint: Some(words::KEY_VENDOR_HINT.to_owned()),
            ..Default::default()
        }
    });
    let days = Input {
        id: "days",
        name: Some("form[days]"),
        label: "Expires after (days)".to_owned(),
        kind: "number",
        value: Some(typed("days").unwrap_or_else(|| USUAL_KEY_DAYS.to_string())),
        required: true,
        min: Some("1".to_owned()),
        max: Some(MAX_KEY_DAYS.to_string()),
        ..Default::default()
    };
    let password = Input {
        id: "key_password",
        name: Some("form[password]"),
        label: "Your password".to_owned(),
        kind: "password",
        required: true,
        max_length: Some(MAX_PASSWORD),
        autocomplete: Some("current-password"),
        ..Default::default()
    };
    let scope = typed("scope").unwrap_or_else(|| KeyScope::Read.as_str().to_owned());
    view! {
        {messages.summary()}
        <form method="post" action=CreateKey::url() class="form">
            <input type="text" autocomplete="username" value=email readonly hidden/>
            {once()}
            {input(messages.mark(name))}
            {select("scope", "form[scope]", "May", scopes, &scope)}
            {vendor.map(|vendor| input(messages.mark(vendor)))}
            {input(messages.mark(days))}
            {input(messages.mark(password))}
            <div class="actions wide"><button type="submit">"Create key"</button></div>
        </form>
    }
    .into_any()
}

/// An instant in UTC.
pub fn time(at: Timestamp) -> Cell {
    view! { <time datetime=at.to_string()>{format::instant(&WallClock::default(), at)}</time> }.into_any().into()
}
