use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use super::keys::time;
use crate::{
    components::{
        feedback::{Messages, Refusal},
        fields::{Input, input, select},
        frame::Section,
        loaded::loaded,
        pager::pager,
        parameters::parameters,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::{
        accounts::{MAX_PASSWORD, Person, Role, encode_segment, path_segment},
        field_error::FieldError,
    },
    server_functions::people::{InviteUser, PeopleView, load_people},
    words,
};

#[component]
pub fn AdminUsersPage() -> impl IntoView {
    let after = parameters(|params| params.get("after").filter(|value| !value.is_empty()));
    view! {
        <Title text="Users"/>
        {loaded(Section::Users, load_people(after), |view| &view.viewer, list, || ().into_any())}
    }
}

fn list(PeopleView { viewer, people, next, has_mail }: PeopleView) -> AnyView {
    let rows = people.into_iter().map(|person| {
        let href = format!("/admin/users/{}", path_segment(&person.user_id));
        Row::from(vec![
            Cell::Link { href, text: person.email.clone() },
            Cell::Text(role_name(person.role).to_owned()),
            Cell::Written(person.vendor_id.clone().unwrap_or_default()),
            standing(&person),
            time(person.created_at),
            Cell::Text(if person.second_factor { "On" } else { "Off" }.to_owned()),
        ])
    });
    let columns = vec![
        Column::text("Email"),
        Column::text("Role"),
        Column::text("Vendor").named(),
        Column::classed("Status", "side chief"),
        Column::text("Added (UTC)").named(),
        Column::classed("Two-step", "side").named(),
    ];
    let next = next.map(|after| format!("/admin/users?after={}", encode_segment(&after)));
    let is_later = parameters(|params| params.get("after").is_some());
    view! {
        <div class="head">
            <h1>"Users"</h1>
            <div class="actions">
                <a class="button quiet" href="/admin/keys">"API keys"</a>
                <a class="button" href="#invite">"Invite someone"</a>
            </div>
        </div>
        {scrolling("card scroll", "Users", table("plain stacked", columns, rows.collect(), None))}
        {pager(is_later.then(|| "/admin/users".to_owned()), next)}
        {invite_form(viewer.email, has_mail)}
    }
    .into_any()
}

fn invite_form(admin: String, has_mail: bool) -> AnyView {
    let refusal = Refusal::of::<InviteUser>();
    let messages = messages(&refusal);
    let email = Input {
        id: "email",
        label: "Email".to_owned(),
        kind: "email",
        value: refusal.typed("email"),
        required: true,
        autocomplete: Some("off"),
        ..Default::default()
    };
    // From a vendor's page.
    let vendor = refusal.typed("vendor_id").or(parameters(|params| params.get("vendor")));
    let role = refusal.typed("role").unwrap_or_else(|| Role::Vendor.as_str().to_owned());
    let hint = if has_mail { words::INVITE_BY_MAIL } else { words::INVITE_BY_LINK };
    view! {
        <section class="card" id="invite">
            <h2>"Invite someone"</h2>
            <p>{hint}</p>
            {messages.summary()}
            <form method="post" action=InviteUser::url() class="form">
                <input type="text" autocomplete="username" value=admin readonly hidden/>
                {input(messages.mark(email))}
                {select("role", "role", "Role", roles(), &role)}
                {input(messages.mark(vendor_field(vendor)))}
                {input(messages.mark(password_field("password")))}
                <div class="actions wide"><button type="submit">"Invite"</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// Active, invited or disabled.
pub fn standing(person: &Person) -> Cell {
    let (name, tone) = match (person.disabled, person.invited) {
        (true, _) => ("Disabled", "status off"),
        (false, true) => ("Invited", "status"),
        (false, false) => ("Active", "status done"),
    };
    view! { <span class=tone>{name}</span> }.into_any().into()
}

pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Vendor => "Vendor",
        Role::Accountant => "Accountant (read only)",
        Role::Admin => "Admin",
    }
}

pub fn roles() -> Vec<(&'static str, &'static str)> {
    [Role::Vendor, Role::Accountant, Role::Admin].map(|role| (role.as_str(), role_name(role))).to_vec()
}

pub fn vendor_field(value: Option<String>) -> Input {
    Input {
        id: "vendor_id",
        label: "Vendor id".to_owned(),
        value,
        autocomplete: Some("off"),
        hint: Some(words::VENDOR_OF_USER.to_owned()),
        ..Default::default()
    }
}

/// The admin's own password, in the form whose field has this id.
pub fn password_field(id: &'static str) -> Input {
    Input {
        id,
        name: Some("password"),
        label: "Your password".to_owned(),
        kind: "password",
        required: true,
        max_length: Some(MAX_PASSWORD),
        autocomplete: Some("current-password"),
        ..Default::default()
    }
}

/// What a form about somebody was refused for.
pub fn messages(refusal: &Refusal) -> Messages {
    refusal.messages(|field: &FieldError| match field.field.as_str() {
        "password" => Some(("password".to_owned(), words::YOUR_PASSWORD_WRONG.to_owned())),
        "email" => Some(("email".to_owned(), words::NOT_AN_EMAIL.to_owned())),
        "vendorId" => Some(("vendor_id".to_owned(), format!("Vendor id: {}", field.message))),
        _ => None,
    })
}
