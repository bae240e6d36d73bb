use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{
    admin_users::{messages, password_field, role_name, roles, standing, vendor_field},
    id_in,
    keys::{cells, columns},
};
use crate::{
    components::{
        feedback::{Refusal, done, refused},
        fields::{input, select},
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        secret::secret,
        table::{Row, scrolling, table},
        title::title,
    },
    domain::accounts::{ApiKey, Person},
    server_functions::people::{
        ChangeRole, DisableUser, EndUserSessions, MakeLink, PersonView, ResetUserTotp, UnbindUser, load_person,
    },
    words,
};

#[component]
pub fn AdminUserPage() -> impl IntoView {
    let id = use_params_map().with_untracked(id_in);
    view! {
        <Title text="User"/>
        {loaded(Section::Users, load_person(id), |view| &view.viewer, person, || ().into_any())}
    }
}

fn person(PersonView { viewer, person, keys, new_link }: PersonView) -> AnyView {
    let done = parameters(|query| {
        Some(done(match query.get("done").filter(|_| query.get("__err").is_none()).as_deref() {
            Some("sent") => words::LINK_SENT,
            Some("changed") => words::USER_CHANGED,
            Some("ended") => words::USER_LOGGED_OUT,
            Some("totp") => words::USER_TOTP_RESET,
            Some("unbound") => words::USER_UNBOUND,
            _ => return None,
        }))
    });
    let is_own = viewer.email == person.email;
    let crate::components::table::Cell::View(standing) = standing(&person) else { return ().into_any() };
    let vendor = person.vendor_id.clone().map(|id| format!(" · vendor {id}")).unwrap_or_default();
    view! {
        {title(&person.email)}
        <p class="crumb"><a href="/admin/users">"Users"</a></p>
        <div class="head">
            <div>
                <h1>{person.email.clone()}</h1>
                <p class="lead">{role_name(person.role)} {vendor} " " {standing}</p>
            </div>
        </div>
        {done}
        {new_link.map(shown_once)}
        {if is_own { own_access() } else { role_form(viewer.email.clone(), &person) }}
        {link_form(viewer.email.clone(), &person)}
        {sessions_form(&person, keys)}
        {person.second_factor.then(|| totp_form(viewer.email.clone(), &person))}
        {person.marketplace_login.then(|| unbind_form(viewer.email.clone(), &person))}
        {(!is_own).then(|| disable_form(viewer.email, &person))}
    }
    .into_any()
}

fn shown_once(link: String) -> AnyView {
    view! {
        <section class="card notice good" role="status">
            <h2>"Link to pass on"</h2>
            {secret(link)}
            <p>{words::COPY_LINK}</p>
        </section>
    }
    .into_any()
}

/// In place of the forms that would be refused.
fn own_access() -> AnyView {
    view! { <section class="card"><h2>"Role"</h2><p>{words::OWN_ACCESS}</p></section> }.into_any()
}

fn role_form(admin: String, person: &Person) -> AnyView {
    let refusal = Refusal::of::<ChangeRole>();
    let messages = messages(&refusal);
    let role = refusal.typed("role").unwrap_or_else(|| person.role.as_str().to_owned());
    let vendor = refusal.typed("vendor_id").or_else(|| person.vendor_id.clone());
    view! {
        <section class="card">
            <h2>"Role"</h2>
            {messages.summary()}
            <form method="post" action=ChangeRole::url() class="form">
                <input type="text" autocomplete="username" value=admin readonly hidden/>
                <input type="hidden" name="user_id" value=person.user_id.clone()/>
                {select("role", "role", "Role", roles(), &role)}
                {input(messages.mark(vendor_field(vendor)))}
                {input(messages.mark(password_field("password")))}
                <div class="actions wide"><button type="submit">"Change role"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn link_form(admin: String, person: &Person) -> AnyView {
    let (title, text, label) = if person.invited {
        ("Invitation", words::INVITED, "New invitation")
    } else {
        ("Password", words::RESET_BY_LINK, "Make a link")
    };
    let form = own_form(MakeLink::url(), admin, person, "link_password", "", label, "");
    let refusal = refused(&Refusal::of::<MakeLink>());
    view! { <section class="card"><h2>{title}</h2><p>{text}</p>{refusal}{form}</section> }.into_any()
}

fn sessions_form(person: &Person, keys: Vec<ApiKey>) -> AnyView {
    let list = (!keys.is_empty()).then(|| {
        let rows = keys.into_iter().map(|key| Row::from(cells(key)));
        scrolling("scroll", "API keys", table("plain stacked", columns(), rows.collect(), None))
    });
    view! {
        <section class="card">
            <h2>"Sessions and API keys"</h2>
            {list}
            <p>{words::END_SESSIONS}</p>
            {refused(&Refusal::of::<EndUserSessions>())}
            <form method="post" action=EndUserSessions::url()>
                <input type="hidden" name="user_id" value=person.user_id.clone()/>
                <button class="bad" type="submit">"Log out everywhere"</button>
            </form>
        </section>
    }
    .into_any()
}

fn totp_form(admin: String, person: &Person) -> AnyView {
    let form = own_form(ResetUserTotp::url(), admin, person, "totp_password", "", "Reset", "bad");
    view! {
        <section class="card">
            <h2>"Two-step verification"</h2>
            <p>{words::RESET_TOTP}</p>
            {refused(&Refusal::of::<ResetUserTotp>())}
            {form}
        </section>
    }
    .into_any()
}

fn unbind_form(admin: String, person: &Person) -> AnyView {
    let form = own_form(UnbindUser::url(), admin, person, "unbind_password", "", "Unbind", "bad");
    view! {
        <section class="card">
            <h2>"Marketplace login"</h2>
            <p>{words::UNBIND}</p>
            {refused(&Refusal::of::<UnbindUser>())}
            {form}
        </section>
    }
    .into_any()
}

fn disable_form(admin: String, person: &Person) -> AnyView {
    let (next, label, tone, text) = if person.disabled {
        ("no", "Enable", "", words::ENABLE_USER)
    } else {
        ("yes", "Disable", "bad", words::DISABLE_USER)
    };
    let form = own_form(DisableUser::url(), admin, person, "disable_password", next, label, tone);
    view! {
        <section class="card">
            <h2>"Access"</h2>
            <p>{text}</p>
            {refused(&Refusal::of::<DisableUser>())}
            {form}
        </section>
    }
    .into_any()
}

/// A form of one button, proved by the admin's own password.
fn own_form(
    action: &'static str,
    admin: String,
    person: &Person,
    password: &'static str,
    disabled: &'static str,
    label: &'static str,
    tone: &'static str,
) -> AnyView {
    let disabled = (!disabled.is_empty()).then(|| view! { <input type="hidden" name="disabled" value=disabled/> });
    view! {
        <form method="post" action=action class="filter">
            <input type="text" autocomplete="username" value=admin readonly hidden/>
            <input type="hidden" name="user_id" value=person.user_id.clone()/>
            {disabled}
            {input(password_field(password))}
            <button class=tone type="submit">{label}</button>
        </form>
    }
    .into_any()
}
