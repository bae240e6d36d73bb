use reqwest::Response;
use vendorscope::{domain::accounts::Role, server::identity::accounts::Actor};

use super::{location, open, submit};
use crate::harness::{Client, PASSWORD, TestApp};

const NEW: &str = "another horse with a better battery";

async fn text(response: Response) -> String {
    let status = response.status();
    let text = response.text().await.expect("a text");
    assert_eq!(status, 200, "{text}");
    text
}

/// Sends a form of the account page, and opens where it leads to.
async fn send(client: &Client, function: &str, fields: &[(&str, &str)]) -> (String, String) {
    send_from(client, "/account", function, fields).await
}

async fn send_from(client: &Client, from: &str, function: &str, fields: &[(&str, &str)]) -> (String, String) {
    let request = client
        .request(reqwest::Method::POST, function)
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin");
    let request = request.header("referer", format!("http://127.0.0.1{from}"));
    let response = request.form(fields).send().await.expect("an answer");
    assert_eq!(response.status(), 302, "{function}");
    let to = location(&response).to_owned();
    let path = to.strip_prefix("http://127.0.0.1").unwrap_or(&to).to_owned();
    let page = text(open(client, &path).await).await;
    (path, page)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_page_shows_who_one_is_where_one_is_logged_in_and_what_keys_there_are() {
    let app = TestApp::builder().northwind().spawn().await;
    for client in [app.log_in_as_vendor("7").await, app.log_in_as_admin().await] {
        let page = text(open(&client, "/account").await).await;
        for part in ["This device", "127.0.0.1", "Log out everywhere", "Create key", "Change password", "Theme"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let home = text(open(&client, location(&open(&client, "/login").await)).await).await;
        assert!(home.contains("href=\"/account\""), "every page leads to it: {home}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_is_shown_on_the_page_after_it_was_made_and_never_again() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let (path, page) = send(
        &client,
        "/_fn/account/key/create",
        &[("form[name]", "Shop backend"), ("form[scope]", "read"), ("form[days]", "30"), ("form[password]", PASSWORD)],
    )
    .await;
    assert_eq!(path, "/account", "no key in an address");
    let secret = page.split("vsk_").find(|rest| rest.len() >= 64 && rest[..64].bytes().all(|b| b.is_ascii_hexdigit()));
    let secret = format!("vsk_{}", &secret.unwrap_or_else(|| panic!("{page}"))[..64]);
    assert_eq!(
        app.client()
            .request(reqwest::Method::GET, "/api/auth/me")
            .bearer_auth(&secret)
            .send()
            .await
            .expect("an answer")
            .status(),
        200
    );
    let again = text(open(&client, "/account").await).await;
    assert!(!again.contains(&secret) && again.contains("Shop backend") && again.contains(&secret[..12]), "{again}");

    let id = again
        .split("name=\"key_id\" value=\"")
        .nth(1)
        .or(again.split("value=\"").find(|rest| rest.contains("key_id")))
        .unwrap_or_default();
    let id: String = id.chars().take_while(char::is_ascii_digit).collect();
    let (path, page) = send(&client, "/_fn/account/key/revoke", &[("key_id", &id)]).await;
    assert!(path == "/account?done=key" && page.contains("Key revoked."), "{path}: {page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_password_form_says_what_is_wrong_and_what_was_done() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let function = "/_fn/account/password";
    let (_, page) = send(&client, function, &[("current", "not it"), ("password", NEW)]).await;
    assert!(page.contains("Changes not saved.") && page.contains("Current password is incorrect."), "{page}");
    let (_, page) = send(&client, function, &[("current", PASSWORD), ("password", "password1234")]).await;
    assert!(page.contains("New password: is too easy to guess"), "{page}");
    let (path, page) = send(&client, function, &[("current", PASSWORD), ("password", NEW)]).await;
    assert!(path == "/account?done=password" && page.contains("Password changed."), "{path}: {page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logging_out_everywhere_leads_to_the_login() {
    let app = TestApp::builder().northwind().spawn().await;
    let (client, other) = (app.log_in_as_vendor("7").await, app.log_in_as_vendor("7").await);
    let (path, page) = send(&client, "/_fn/account/logout-everywhere", &[]).await;
    assert!(
        path == "/login?done=everywhere" && page.contains("You've been logged out on all devices."),
        "{path}: {page}"
    );
    assert_eq!(location(&open(&other, "/").await), "/login?ended=1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_zone_form_offers_zones_says_what_a_change_does_and_why_one_was_refused() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let page = text(open(&client, "/account").await).await;
    for part in [
        "<option value=\"America/New_York\">",
        "list=\"time-zones\"",
        "re-groups past orders and refunds",
        "Pavlova, Ltd.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let function = "/_fn/account/time-zone";
    let (_, page) = send(&client, function, &[("time_zone", "Asia/<b>Atlantis")]).await;
    assert!(
        page.contains("Changes not saved.")
            && page.contains("We don't know a time zone called Asia/&lt;b&gt;Atlantis."),
        "{page}"
    );
    let (path, page) = send(&client, function, &[("time_zone", "asia/kathmandu")]).await;
    assert!(path == "/account?done=zone" && page.contains("Time zone changed."), "{path}: {page}");
    assert!(page.contains("<strong>Asia/Kathmandu<"), "{page}");
    let (path, page) = send(&client, function, &[("time_zone", "Asia/Kathmandu")]).await;
    assert!(path == "/account?done=same-zone" && page.contains("Nothing has changed."), "{path}: {page}");
    assert!(!page.contains("re-grouped"), "{page}");
    let (_, page) = send(&client, function, &[("time_zone", "")]).await;
    assert!(page.contains("Choose a time zone from the list") && !page.contains("called ."), "{page}");
    assert!(
        text(open(&client, "/?dateFrom=1997-01-01&dateTo=1997-01-31").await).await.contains("Times in Asia/Kathmandu")
    );

    let page = text(open(&app.log_in_as_admin().await, "/account").await).await;
    assert!(page.contains("Admin pages use UTC.") && !page.contains(function), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_theme_is_kept_in_the_browser_for_every_page() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    assert!(text(open(&client, "/products").await).await.contains("content=\"light dark\""), "as the device has it");
    let (path, page) = send(&client, "/_fn/account/theme", &[("theme", "dark")]).await;
    assert_eq!(path, "/account?done=theme");
    assert!(page.contains("data-theme=\"dark\"") && page.contains("content=\"dark\""), "{page}");
    assert!(text(open(&client, "/products").await).await.contains("data-theme=\"dark\""));
    let (_, page) = send(&client, "/_fn/account/theme", &[("theme", "neon")]).await;
    assert!(page.contains("`neon` is not accepted") && page.contains("data-theme=\"dark\""), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_link_for_a_lost_password_opens_a_form_that_works_once() {
    let app = TestApp::builder().spawn().await;
    let accounts = &app.state().accounts;
    accounts.add_user("one@example.com", PASSWORD, Role::Admin, None).await.expect("a new user");
    let token = accounts.create_reset("one@example.com", Actor::COMMAND_LINE).await.expect("a token");
    let client = app.client();
    let link = format!("/reset?token={token}");
    let opened = open(&client, &link).await;
    assert_eq!((opened.status().as_u16(), location(&opened)), (303, "/reset"), "no token in an address");
    let kept = opened.headers()["set-cookie"].to_str().expect("ASCII").to_owned();
    assert!(kept.contains("HttpOnly") && kept.contains("SameSite=Lax"), "{kept}");
    let form = text(open(&client, "/reset").await).await;
    assert!(form.contains("action=\"/_fn/reset\"") && !form.contains(&token), "{form}");
    let (path, page) = send_from(&client, "/reset", "/_fn/reset", &[("password", "password1234")]).await;
    assert!(path.starts_with("/reset?") && !path.contains(&token), "nor in a refused one's: {path}");
    assert!(page.contains("too easy to guess"), "{page}");
    let done = submit(&client, "/_fn/reset", &[("password", NEW)]).await;
    assert_eq!((done.status().as_u16(), location(&done)), (302, "/login?done=password"));
    let cookies: Vec<_> = done.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("vendorscope-link=;")), "taken away: {cookies:?}");
    assert!(text(open(&client, "/login?done=password").await).await.contains("Log in with the new one."));
    let login = submit(&client, "/_fn/login", &[("email", "one@example.com"), ("password", NEW)]).await;
    assert_eq!(location(&login), "/admin");
    let late = app.client();
    open(&late, &link).await;
    let (_, again) = send_from(&late, "/reset", "/_fn/reset", &[("password", NEW)]).await;
    assert!(again.contains("This link has expired or was already used."), "{again}");
    assert!(again.contains("ask whoever invited you") && again.contains("href=\"/forgot\""), "{again}");
    assert!(!again.contains("name=\"password\""), "nothing that is typed would help: {again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refused_form_leads_to_this_site_alone_and_no_page_says_what_somebody_else_has_written() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let refuse = |referer: &'static str| {
        let request = client.request(reqwest::Method::POST, "/_fn/account/theme").header("accept", "text/html");
        request.header("sec-fetch-site", "same-origin").header("referer", referer).form(&[("theme", "neon")]).send()
    };
    for referer in ["https://evil.example/account?a=b", "https://evil.example//other.example/", "nonsense"] {
        let response = refuse(referer).await.expect("an answer");
        let to = location(&response);
        assert!(to.starts_with('/') && !to.starts_with("//"), "{referer}: {to}");
    }
    let own = refuse("http://127.0.0.1/account").await.expect("an answer");
    let own = location(&own).to_owned();
    assert!(text(open(&client, &own).await).await.contains("`neon` is not accepted"));
    // Written here, but for somebody else, or for another page of theirs.
    let other = app.log_in_as_vendor("8").await;
    for (reader, address, clean) in
        [(&other, own.clone(), "/account"), (&client, own.replacen("/account?", "/products?", 1), "/products")]
    {
        let response = open(reader, &address).await;
        assert_eq!((response.status().as_u16(), location(&response)), (303, clean), "{address}");
    }
    // The same words, written by somebody else: what the error says, and which form it is of.
    let error = own.split("__err=").nth(1).and_then(|rest| rest.split('&').next()).expect("an error");
    for (reader, forged, clean) in [
        (&client, own.replace(error, "eyJjb25mbGljdCI6IkNhbGwgMDEyMzQifQ%3D%3D"), "/account"),
        (&client, format!("/account?__path=%2F_fn%2Faccount%2Ftheme&__err={error}"), "/account"),
        (
            &app.client(),
            "/login?__path=%2F_fn%2Flogin&__err=eyJjb25mbGljdCI6IkNhbGwgMDEyMzQifQ%3D%3D&next=%2Forders".to_owned(),
            "/login?next=%2Forders",
        ),
    ] {
        let response = open(reader, &forged).await;
        assert_eq!((response.status().as_u16(), location(&response)), (303, clean), "{forged}");
    }
}
