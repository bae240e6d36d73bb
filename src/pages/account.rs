use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use super::{
    keys::{keys_card, time},
    two_step::two_step_card,
};
use crate::{
    components::{
        feedback::{Messages, Refusal, done, refused},
        fields::{Input, input, select},
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        secret::secret,
        table::{Cell, Column, Row, scrolling, table},
        written::written,
    },
    domain::accounts::{LetterWishes, MAX_PASSWORD, MIN_PASSWORD, OwnSession, Role, Theme, Vendor},
    server_functions::account::{
        AccountView, ChangePassword, EndSession, LogOutEverywhere, SetLetters, SetTheme, SetTimeZone, load_account,
    },
    words,
};

/// The forms here are plain ones: each loads the whole page anew, because what they change (the cookie, the theme, a
/// key that is shown once) belongs to the page as a whole.
#[component]
pub fn AccountPage() -> impl IntoView {
    view! {
        <Title text="Account"/>
        {loaded(Section::Account, load_account(), |view| &view.viewer, account, || ().into_any())}
    }
}

fn account(view: AccountView) -> AnyView {
    let AccountView { viewer, vendor, time_zones, theme, sessions, keys, new_key, second_factor, letters } = view;
    let done = parameters(|query| {
        Some(done(match query.get("done").filter(|_| query.get("__err").is_none()).as_deref() {
            Some("password") => words::PASSWORD_CHANGED,
            Some("session") => words::SESSION_CLOSED,
            Some("key") => words::KEY_REVOKED,
            Some("theme") => words::THEME_CHANGED,
            Some("letters") => words::LETTERS_CHANGED,
            Some("totp") => words::TOTP_ON,
            Some("totp-off") => words::TOTP_OFF,
            Some("zone") => words::ZONE_CHANGED,
            Some("same-zone") => words::SAME_ZONE,
            _ => return None,
        }))
    });
    let required = second_factor.required && !second_factor.status.enabled;
    let what = match (viewer.role, &vendor) {
        (Role::Admin, _) => "Admin".to_owned(),
        (_, Some(vendor)) => vendor.name.clone(),
        (_, None) => viewer.vendor_id.unwrap_or_default(),
    };
    view! {
        <h1>"Account"</h1>
        <p class="lead">{viewer.email.clone()} " · " {written(what)}</p>
        {done}
        {required.then(|| view! { <p class="notice bad" role="alert">{words::SECOND_FACTOR_REQUIRED}</p> })}
        {new_key.map(shown_once)}
        {password_form(viewer.email.clone())}
        {two_step_card(viewer.email.clone(), second_factor)}
        {viewer.role.may_write().then(|| time_zone_card(vendor, time_zones))}
        {sessions_card(sessions)}
        {keys_card(viewer.email, viewer.role, keys)}
        {letters.map(letters_form)}
        {theme_form(theme)}
    }
    .into_any()
}

fn shown_once(key: String) -> AnyView {
    view! {
        <section class="card notice good" role="status">
            <h2>"Your new key"</h2>
            {secret(key)}
            <p>{words::COPY_KEY}</p>
        </section>
    }
    .into_any()
}

fn password_form(email: String) -> AnyView {
    let messages = Refusal::of::<ChangePassword>().messages(|field| {
        let text = match field.message.as_str() {
            "is not your password" => words::CURRENT_WRONG.to_owned(),
            "must be another one than before" => words::SAME_PASSWORD.to_owned(),
            message => format!("New password: {message}"),
        };
        matches!(field.field.as_str(), "current" | "password").then(|| (field.field.clone(), text))
    });
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
    let hint = words::password_hint(MIN_PASSWORD);
    view! {
        <section class="card">
            <h2>"Password"</h2>
            <p>{words::PASSWORD_ENDS_SESSIONS}</p>
            {messages.summary()}
            <form method="post" action=ChangePassword::url() class="form">
                // For password managers: whose password this is.
                <input type="text" autocomplete="username" value=email readonly hidden/>
                {input(messages.mark(field("current", "Current password", "current-password", None)))}
                {input(messages.mark(field("password", "New password", "new-password", Some(hint))))}
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
                <p>{words::ADMIN_ZONE}</p>
            </section>
        }
        .into_any();
    };
    let refusal = Refusal::of::<SetTimeZone>();
    let messages: Messages = refusal.messages(|field| {
        let typed = refusal.typed("time_zone").unwrap_or_default();
        (field.field == "timeZone")
            .then(|| ("time_zone".to_owned(), words::zone_unknown(&typed, &alike(&typed, &zones))))
    });
    // Empty at first: a list offers what fits the text that is there, which would be the present zone alone.
    let zone = Input {
        id: "time_zone",
        label: "New time zone".to_owned(),
        class: "wide",
        required: true,
        autocomplete: Some("off"),
        placeholder: Some("Europe/Berlin"),
        list: Some("time-zones"),
        hint: Some("Search for a city".to_owned()),
        value: refusal.typed("time_zone"),
        ..Default::default()
    };
    view! {
        <section class="card">
            <h2>"Time zone"</h2>
            <p>"Your reports use " <strong>{vendor.time_zone}</strong> "."</p>
            <p>{words::zone_changes(&vendor.name)}</p>
            {messages.summary()}
            <form method="post" action=SetTimeZone::url() class="form">
                {input(messages.mark(zone))}
                <datalist id="time-zones">
                    {zones.into_iter().map(|zone| view! { <option value=zone></option> }).collect_view()}
                </datalist>
                <div class="actions wide"><button type="submit">"Change time zone"</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// A zone that may have been meant: one that ends or begins as the text does.
fn alike(typed: &str, zones: &[String]) -> Option<String> {
    let typed = typed.trim().to_lowercase().replace(' ', "_");
    let city = |zone: &String| zone.rsplit('/').next().unwrap_or_default().to_lowercase();
    let found = zones.iter().find(|zone| city(zone) == typed);
    found.or_else(|| zones.iter().find(|zone| typed.len() > 2 && city(zone).starts_with(&typed))).cloned()
}

fn sessions_card(sessions: Vec<OwnSession>) -> AnyView {
    let rows = sessions.into_iter().map(|session| {
        let end = match session.current {
            true => view! { <span class="status done">"This device"</span> }.into_any(),
            false => view! {
                <form method="post" action=EndSession::url()>
                    <input type="hidden" name="session_id" value=session.session_id/>
                    <button class="quiet" type="submit">"Log out"</button>
                </form>
            }
            .into_any(),
        };
        Row::from(vec![device(&session.browser, session.address), time(session.logged_in_at), end.into()])
    });
    let columns =
        vec![Column::text("Device"), Column::text("Logged in (UTC)"), Column::classed("Log out", "side chief")];
    view! {
        <section class="card">
            <h2>"Sessions"</h2>
            <p>{words::SESSIONS}</p>
            {refused(&Refusal::of::<EndSession>())}
            {scrolling("scroll", "Sessions", table("plain stacked", columns, rows.collect(), None))}
            {refused(&Refusal::of::<LogOutEverywhere>())}
            <form method="post" action=LogOutEverywhere::url()>
                <button class="bad" type="submit">"Log out everywhere"</button>
            </form>
        </section>
    }
    .into_any()
}

/// What it is, and below that where from: so that the way to end a session is never beside the screen.
fn device(user_agent: &str, address: Option<String>) -> Cell {
    let address = address.map(|address| view! { <div class="hint">{address}</div> });
    view! { {browser_name(user_agent)} {address} }.into_any().into()
}

/// `Firefox on Windows`, as far as what a browser calls itself tells. The order matters: most of them claim to be
/// others too.
fn browser_name(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        // A program that says what it is: its name without what follows.
        _ if !user_agent.is_empty() => {
            user_agent.split([' ', '/']).next().unwrap_or_default().chars().take(40).collect()
        }
        _ => "Unknown".to_owned(),
    }
}

fn letters_form(wishes: LetterWishes) -> AnyView {
    let choice = |id: &'static str, label: &'static str, is_wished: bool| {
        view! {
            <label class="check"><input type="checkbox" name=id value="yes" checked=is_wished/> {label}</label>
        }
    };
    view! {
        <section class="card">
            <h2>"Emails"</h2>
            {refused(&Refusal::of::<SetLetters>())}
            <form method="post" action=SetLetters::url() class="form">
                {choice("weekly_report", words::WEEKLY_REPORT, wishes.weekly_report)}
                {choice("low_stock", words::LOW_STOCK_LETTER, wishes.low_stock)}
                <div class="actions wide"><button type="submit">"Save"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn theme_form(theme: Theme) -> AnyView {
    let themes = vec![
        (Theme::System.as_str(), "Match device"),
        (Theme::Light.as_str(), "Light"),
        (Theme::Dark.as_str(), "Dark"),
    ];
    view! {
        <section class="card">
            <h2>"Theme"</h2>
            {refused(&Refusal::of::<SetTheme>())}
            <form method="post" action=SetTheme::url() class="filter">
                {select("theme", "theme", "On this device", themes, theme.as_str())}
                <button type="submit">"Save"</button>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_goes_by_the_name_its_user_knows_it_by() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36 \
                 Edg/156.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 15.1) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            ("Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0", "Firefox on Android"),
            ("curl/8.5.0", "curl"),
            ("", "Unknown"),
        ] {
            assert_eq!(browser_name(user_agent), name);
        }
    }
}
