use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        feedback::{Done, Refused, refusal},
        fields::{Input, input, select},
        frame::Section,
        loaded::loaded,
        table::{Cell, Column, Row, scrolling, table},
        written::written,
    },
    domain::{
        accounts::{ApiKey, MAX_KEY_NAME, MAX_PASSWORD, MIN_PASSWORD, OwnSession, Role, Theme, Vendor},
        clock::WallClock,
    },
    format,
    server_functions::account::{
        AccountView, ChangePassword, CreateKey, EndSession, LogOutEverywhere, RevokeKey, SetTheme, SetTimeZone, load_account,
    },
};

/// The forms here are plain ones: each loads the whole page anew, because what they change (the cookie, the theme, a key that is shown
/// once) belongs to the page as a whole.
#[component]
pub fn AccountPage() -> impl IntoView {
    let data = Resource::new(|| (), |()| load_account());
    view! {
        <Title text="Account"/>
        {loaded(Section::Account, data, |view| &view.viewer, account, || ().into_any())}
    }
}

pub fn account(AccountView { viewer, vendor, time_zones, theme, sessions, keys, new_key }: AccountView) -> AnyView {
    let query = use_query_map();
    let done = move || {
        let text = match query.with(|query| query.get("done").filter(|_| query.get("__err").is_none())).as_deref() {
            Some("password") => "Your password was changed, and every other session has ended.",
            Some("session") => "The session has ended.",
            Some("key") => "The key was revoked.",
            Some("theme") => "The theme was changed.",
            Some("zone") => "The time zone was changed, and every order and refund stands on its day there.",
            _ => return None,
        };
        Some(view! { <Done text=text/> })
    };
    let what = match viewer.role {
        Role::Admin => "Admin".to_owned(),
        Role::Vendor => format!("User of vendor {}", viewer.vendor_id.unwrap_or_default()),
    };
    view! {
        <h1>"Account"</h1>
        <p class="lead">{viewer.email.clone()} " · " {what}</p>
        {done}
        {new_key.map(shown_once)}
        {password_form(viewer.email)}
        {time_zone_card(vendor, time_zones)}
        {sessions_card(sessions)}
        {keys_card(keys)}
        {theme_form(theme)}
    }
    .into_any()
}

fn shown_once(secret: String) -> AnyView {
    view! {
        <section class="card notice good" role="status">
            <h2>"Your new key"</h2>
            <p><code class="secret">{secret}</code></p>
            <p>"Copy it now: it is not shown again. Whoever has it can do what you can do through the API."</p>
        </section>
    }
    .into_any()
}

fn password_form(email: String) -> AnyView {
    let refused = refusal(ServerAction::<ChangePassword>::new());
    let field = |id, label: &str, autocomplete, hint: Option<String>| Input {
        id,
        label: label.to_owned(),
        kind: "password",
        required: true,
        max_length: Some(MAX_PASSWORD),
        autocomplete: Some(autocomplete),
        hint,
        ..Default::default()
    };
    let hint = format!("At least {MIN_PASSWORD} characters, and not easily guessed: some words that do not belong together are good.");
    view! {
        <section class="card">
            <h2>"Password"</h2>
            <p>"Changing it ends every other session."</p>
            <Refused error=refused/>
            <form method="post" action=ChangePassword::url() class="form">
                // For password managers: whose password this is.
                <input type="text" autocomplete="username" value=email readonly hidden/>
                {input(field("current", "Present password", "current-password", None))}
                {input(field("password", "New password", "new-password", Some(hint)))}
                <div class="actions wide"><button type="submit">"Change password"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn time_zone_card(vendor: Option<Vendor>, zones: Vec<String>) -> AnyView {
    let Some(vendor) = vendor else {
        return view! {
            <section class="card">
                <h2>"Time zone"</h2>
                <p>"An admin has none: days are each vendor's own, and times on these pages are UTC."</p>
            </section>
        }
        .into_any();
    };
    // Empty at first: a list offers what fits the text that is there, which would be the present zone alone.
    let zone = Input {
        id: "time_zone",
        label: "Another time zone".to_owned(),
        class: "wide",
        required: true,
        autocomplete: Some("off"),
        placeholder: Some("Europe/Berlin"),
        list: Some("time-zones"),
        hint: Some("By its IANA name: type a part of it, such as a city, and choose.".to_owned()),
        ..Default::default()
    };
    view! {
        <section class="card">
            <h2>"Time zone"</h2>
            <p>"The days of " {written(vendor.name.clone())} " are those of " <strong>{vendor.time_zone}</strong> "."</p>
            <p>
                "A change moves past orders and refunds to the days they fall on in the new zone. Figures of past days change with them, for everyone at "
                {written(vendor.name)} ". With very many orders it takes a while."
            </p>
            <Refused error=refusal(ServerAction::<SetTimeZone>::new())/>
            <form method="post" action=SetTimeZone::url() class="form">
                {input(zone)}
                <datalist id="time-zones">{zones.into_iter().map(|zone| view! { <option value=zone></option> }).collect_view()}</datalist>
                <div class="actions wide"><button type="submit">"Change the time zone"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn sessions_card(sessions: Vec<OwnSession>) -> AnyView {
    let rows = sessions.into_iter().map(|session| {
        let end = match session.current {
            true => view! { <span class="status done">"This browser"</span> }.into_any(),
            false => view! {
                <form method="post" action=EndSession::url()>
                    <input type="hidden" name="session_id" value=session.session_id/>
                    <button class="quiet" type="submit">"End"</button>
                </form>
            }
            .into_any(),
        };
        Row::from(vec![
            Cell::from(browser_name(&session.browser)),
            time(session.logged_in_at),
            session.address.unwrap_or_default().into(),
            end.into(),
        ])
    });
    let columns = vec![Column::text("Browser"), Column::text("Logged in (UTC)"), Column::text("Address"), Column::text("End")];
    view! {
        <section class="card">
            <h2>"Sessions"</h2>
            <p>"Where you are logged in. A session ends 24 hours after its login at the latest."</p>
            <Refused error=refusal(ServerAction::<EndSession>::new())/>
            {scrolling("scroll", "Sessions", table("plain", columns, rows.collect(), None))}
            <Refused error=refusal(ServerAction::<LogOutEverywhere>::new())/>
            <form method="post" action=LogOutEverywhere::url()>
                <button class="bad" type="submit">"Log out everywhere"</button>
            </form>
        </section>
    }
    .into_any()
}

/// `Firefox on Windows`, as far as what a browser calls itself tells. The order matters: most of them claim to be others too.
fn browser_name(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari")];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find = |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        // A program that says what it is: its name without what follows.
        _ if !user_agent.is_empty() => user_agent.split([' ', '/']).next().unwrap_or_default().chars().take(40).collect(),
        _ => "Unknown".to_owned(),
    }
}

fn keys_card(keys: Vec<ApiKey>) -> AnyView {
    let list = (!keys.is_empty()).then(|| {
        let rows = keys.into_iter().map(|key| {
            let used = key.last_used_at.map_or_else(|| Cell::Text("never".to_owned()), time);
            let revoke = view! {
                <form method="post" action=RevokeKey::url()>
                    <input type="hidden" name="key_id" value=key.key_id/>
                    <button class="quiet" type="submit">"Revoke"</button>
                </form>
            };
            let prefix = view! { <code>{key.prefix} "…"</code> };
            Row::from(vec![Cell::Written(key.name), prefix.into_any().into(), time(key.created_at), used, revoke.into_any().into()])
        });
        let columns = vec![
            Column::text("Name"),
            Column::text("Begins with"),
            Column::text("Made (UTC)"),
            Column::text("Last used (UTC)"),
            Column::text("Revoke"),
        ];
        scrolling("scroll", "API keys", table("plain", columns, rows.collect(), None))
    });
    let name = Input {
        id: "name",
        label: "Name of a new key".to_owned(),
        class: "grow",
        required: true,
        max_length: Some(MAX_KEY_NAME),
        autocomplete: Some("off"),
        placeholder: Some("Shop backend"),
        ..Default::default()
    };
    view! {
        <section class="card">
            <h2>"API keys"</h2>
            <p>"A key lets a program use the API as you, until you revoke it: " <code>"Authorization: Bearer …"</code></p>
            {list}
            <Refused error=refusal(ServerAction::<RevokeKey>::new())/>
            <Refused error=refusal(ServerAction::<CreateKey>::new())/>
            <form method="post" action=CreateKey::url() class="filter">
                {input(name)}
                <button type="submit">"Make a key"</button>
            </form>
        </section>
    }
    .into_any()
}

fn theme_form(theme: Theme) -> AnyView {
    let themes = vec![(Theme::System.as_str(), "As this device has it"), (Theme::Light.as_str(), "Light"), (Theme::Dark.as_str(), "Dark")];
    view! {
        <section class="card">
            <h2>"Theme"</h2>
            <Refused error=refusal(ServerAction::<SetTheme>::new())/>
            <form method="post" action=SetTheme::url() class="filter">
                {select("theme", "theme", "In this browser", themes, theme.as_str())}
                <button type="submit">"Change"</button>
            </form>
        </section>
    }
    .into_any()
}

fn time(at: jiff::Timestamp) -> Cell {
    view! { <time datetime=at.to_string()>{format::instant(&WallClock::default(), at)}</time> }.into_any().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_goes_by_the_name_its_user_knows_it_by() {
        for (user_agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", "Chrome on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
                "Edge on Windows",
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15.1) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15", "Safari on macOS"),
            ("Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0", "Firefox on Android"),
            ("curl/8.5.0", "curl"),
            ("", "Unknown"),
        ] {
            assert_eq!(browser_name(user_agent), name);
        }
    }
}
