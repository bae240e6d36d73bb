//! Logging in through the marketplace, by a real OpenID Connect provider.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};
use vendorscope::{
    domain::accounts::Role,
    server::{
        config::{Limit, RequireTotp},
        db::sql,
        identity::accounts::Actor,
    },
};

use super::{location, open, submit};
use crate::harness::{Client, PASSWORD, Provider, RedisServer, TestApp, TestDatabase, databases};

/// Logins that get nobody in.
mod refused;

const START: &str = "/login/marketplace";
const MIRA: &str = "mira@example.com";

async fn provider() -> Provider {
    let provider = tokio::task::spawn_blocking(Provider::start).await.expect("started");
    provider.set(json!({ "accounts": { "1": account(MIRA) } })).await;
    provider
}

fn account(email: &str) -> Value {
    json!({ "email": email, "email_verified": true })
}

/// An instance at which a vendor's user of this address has an account.
async fn app(provider: &Provider) -> TestApp {
    let app = TestApp::builder().northwind().config(|config| provider.configure(config)).spawn().await;
    add(&app, MIRA, Role::Vendor).await;
    app
}

async fn add(app: &TestApp, email: &str, role: Role) {
    let vendor = (role != Role::Admin).then_some("7");
    app.state().accounts.add_user(email, PASSWORD, role, vendor).await.expect("a new user");
}

/// Begins in a browser: the address at the provider where it goes on.
async fn begin(browser: &Client, path: &str) -> String {
    let answer = open(browser, path).await;
    assert_eq!(answer.status(), 303, "{path}");
    location(&answer).to_owned()
}

/// Begins, goes through the provider's login as this account, and comes back: where that leads.
async fn log_in(provider: &Provider, browser: &Client, account: &str) -> String {
    let back = provider.log_in(browser, &begin(browser, START).await, account).await;
    come_back(browser, &back).await
}

/// As a browser follows the provider's redirect.
async fn come_back(browser: &Client, back: &str) -> String {
    let request = browser.request(Method::GET, back).header("accept", "text/html");
    let answer = request.header("sec-fetch-site", "cross-site").send().await.expect("an answer");
    assert_eq!(answer.status(), 303, "{back}");
    location(&answer).to_owned()
}

async fn me(browser: &Client) -> Option<String> {
    let answer = browser.get("/api/auth/me").await;
    if answer.status() == 401 {
        return None;
    }
    let me: Value = answer.json().await.expect("JSON");
    Some(me["user"]["email"].as_str().expect("a text").to_owned())
}

/// Actor, action and detail of each line of the audit log.
async fn audit(app: &TestApp) -> Vec<(String, String, String)> {
    let mut tx = app.state().db.read().await.expect("a transaction");
    let rows = tx.rows(sql("SELECT actor, action, detail FROM audit_log ORDER BY id")).await.expect("rows");
    let text = |row, column: &str| sqlx::Row::get::<String, _>(row, column);
    rows.iter().map(|row| (text(row, "actor"), text(row, "action"), text(row, "detail"))).collect()
}

async fn noted(app: &TestApp, actor: &str, action: &str, detail: &str) -> bool {
    audit(app).await.contains(&(actor.to_owned(), action.to_owned(), detail.to_owned()))
}

/// With another value of one parameter.
fn with(address: &str, name: &str, value: &str) -> String {
    let (path, query) = address.split_once('?').expect("a query");
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((found, _)) if found == name => format!("{name}={value}"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn parameter(address: &str, name: &str) -> String {
    let query = address.split_once('?').expect("a query").1;
    let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name} in {address}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_begins_on_one_instance_ends_on_another_and_is_bound_from_then_on() {
    let redis = RedisServer::start();
    for database in databases().await {
        let provider = provider().await;
        let instance =
            || TestApp::builder().database(&database).redis(&redis).config(|config| provider.configure(config));
        let (one, other) = (instance().northwind().spawn().await, instance().spawn().await);
        add(&one, MIRA, Role::Vendor).await;
        let browser = one.client();
        let page = open(&browser, "/login?next=%2Forders%3Fsearch%3DR%2526B%2520x").await.text().await.expect("a text");
        let start = "/login/marketplace?next=%2Forders%3Fsearch%3DR%2526B%2520x";
        assert!(page.contains(&format!("href=\"{start}\"")) && page.contains("Bazaar &amp; Sons"), "{page}");
        let address = begin(&browser, start).await;
        for part in ["response_type=code", "code_challenge_method=S256", "scope=openid+email", "nonce=", "state="] {
            assert!(address.contains(part), "{part}: {address}");
        }
        let back = provider.log_in(&browser, &address, "1").await;
        let there = browser.at(&other);
        assert_eq!(come_back(&there, &back).await, "/orders?search=R%26B%20x");
        assert_eq!((me(&browser).await.as_deref(), me(&there).await.as_deref()), (Some(MIRA), Some(MIRA)));
        assert!(noted(&one, MIRA, "login_bind", "marketplace").await);
        assert!(noted(&one, MIRA, "login", "marketplace").await);

        // The address may change, and be nobody's that the provider vouches for: the subject is who it was.
        provider.set(json!({ "accounts": { "1": { "email": "new@example.com", "email_verified": false } } })).await;
        let again = other.client();
        assert_eq!((log_in(&provider, &again, "1").await.as_str(), me(&again).await.as_deref()), ("/", Some(MIRA)));
        assert_eq!(audit(&one).await.iter().filter(|(_, action, _)| action == "login_bind").count(), 1);
    }
}

/// Not a boolean, as OpenID Connect has it, but its name: several large providers send that.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn that_an_address_is_verified_may_be_said_in_a_text() {
    let provider = provider().await;
    let app = app(&provider).await;
    add(&app, "anna@example.com", Role::Vendor).await;
    let said = |email: &str, verified: &str| json!({ "email": email, "email_verified": verified });
    for (in_token, account, email) in [(false, "asked", MIRA), (true, "told", "anna@example.com")] {
        let accounts = json!({ account: said(email, "true"), "no": said(email, "false"), "odd": said(email, "maybe") });
        provider.set(json!({ "claimsInToken": in_token, "accounts": accounts })).await;
        // A provider that says neither does not answer as one.
        for (refused, code) in [("no", "unverified"), ("odd", "away")] {
            let browser = app.client();
            assert_eq!(log_in(&provider, &browser, refused).await, format!("/login?error={code}"), "{refused}");
            assert_eq!(me(&browser).await, None, "{refused}");
        }
        let browser = app.client();
        assert_eq!(log_in(&provider, &browser, account).await, "/", "in the token: {in_token}");
        assert_eq!(me(&browser).await.as_deref(), Some(email));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_admin_may_unbind_an_account_and_an_invitation_is_accepted_by_it() {
    let provider = provider().await;
    let app = app(&provider).await;
    let accounts = &app.state().accounts;
    let first = app.client();
    assert_eq!(log_in(&provider, &first, "1").await, "/");
    let admin = app.log_in_as_admin().await;
    let users = admin.get_json("/api/admin/users").await;
    let user = users["users"].as_array().expect("a list").iter().find(|user| user["email"] == MIRA).expect("Mira");
    assert_eq!(user["marketplaceLogin"], true, "{user}");
    let id = user["userId"].as_str().expect("an id");
    provider.set(json!({ "accounts": { "2": account(MIRA), "3": account("new@example.com") } })).await;
    assert_eq!(log_in(&provider, &app.client(), "2").await, "/login?error=stranger");
    assert!(open(&admin, &format!("/admin/users/{id}")).await.text().await.expect("a text").contains("Unbind"));
    let unbind = [("user_id", id), ("password", "not it")];
    let refused = submit(&admin, "/_fn/admin/user/unbind", &unbind).await;
    assert!(!location(&refused).contains("done="), "with the admin's password: {}", location(&refused));
    assert_eq!(log_in(&provider, &app.client(), "2").await, "/login?error=stranger", "nothing has changed");
    let unbound = submit(&admin, "/_fn/admin/user/unbind", &[("user_id", id), ("password", PASSWORD)]).await;
    assert_eq!(location(&unbound), format!("/admin/users/{id}?done=unbound"));
    assert_eq!(me(&first).await, None, "sessions have ended");
    assert!(accounts.unbind_provider_login(MIRA, Actor::COMMAND_LINE).await.is_err(), "it is no more");
    let second = app.client();
    assert_eq!(log_in(&provider, &second, "2").await, "/");
    assert_eq!(me(&second).await.as_deref(), Some(MIRA));
    assert!(noted(&app, "admin@example.com", "login_unbind", MIRA).await);
    accounts.unbind_provider_login(MIRA, Actor::COMMAND_LINE).await.expect("unbound again");
    assert_eq!(me(&second).await, None, "whatever the store of sessions still holds");
    assert!(noted(&app, "cli", "login_unbind", MIRA).await);

    let invited =
        accounts.invite("new@example.com", Role::Vendor, Some("7"), Actor::COMMAND_LINE).await.expect("invited");
    assert!(invited.person.invited);
    let browser = app.client();
    assert_eq!(log_in(&provider, &browser, "3").await, "/");
    assert_eq!(me(&browser).await.as_deref(), Some("new@example.com"));
    assert!(!accounts.find_person(&invited.person.user_id).await.expect("found").invited);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_the_provider_is_away_the_page_says_so_and_the_password_works() {
    let mut provider = provider().await;
    let app = app(&provider).await;
    let browser = app.client();
    let back = provider.log_in(&browser, &begin(&browser, START).await, "1").await;
    provider.end();
    assert_eq!(come_back(&browser, &back).await, "/login?error=away", "in the middle of it");
    // Another instance, which has not asked it before.
    let fresh = TestApp::builder().northwind().config(|config| provider.configure(config)).spawn().await;
    add(&fresh, MIRA, Role::Vendor).await;
    let browser = fresh.client();
    assert_eq!(begin(&browser, "/login/marketplace?next=%2Forders").await, "/login?error=away&next=%2Forders");
    let page = open(&browser, "/login?error=away").await.text().await.expect("a text");
    assert!(page.contains("be reached. Log in with your password"), "{page}");
    let entered = submit(&browser, "/_fn/login", &[("email", MIRA), ("password", PASSWORD)]).await;
    assert_eq!(location(&entered), "/");
    assert_eq!(me(&browser).await.as_deref(), Some(MIRA));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_that_the_provider_changes_are_asked_for_again() {
    let provider = provider().await;
    let app = app(&provider).await;
    assert_eq!(log_in(&provider, &app.client(), "1").await, "/");
    for _ in 0..2 {
        provider.set(json!({ "keys": "new" })).await;
        assert_eq!(log_in(&provider, &app.client(), "1").await, "/");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_factor_is_asked_for_unless_the_provider_has_asked_for_several() {
    let provider = provider().await;
    let several = json!({ "email": "boss@example.com", "email_verified": true, "amr": ["pwd", "otp", "mfa"] });
    let one = json!({ "email": "boss@example.com", "email_verified": true, "amr": ["pwd", "otp"] });
    provider.set(json!({ "accounts": { "boss": one } })).await;
    let configure = |config: &mut vendorscope::server::config::Config| {
        provider.configure(config);
        config.sessions.require_totp = RequireTotp::Admins;
    };
    let app = TestApp::builder().northwind().config(configure).spawn().await;
    add(&app, "boss@example.com", Role::Admin).await;

    // Required, and not set up: it is set up first.
    let browser = app.client();
    assert_eq!(log_in(&provider, &browser, "boss").await, "/admin");
    assert_eq!(location(&open(&browser, "/admin").await), "/account?required=totp");
    let path = "/api/account/second-factor";
    let begun: Value = browser.post(path, &json!({ "password": PASSWORD })).await.json().await.expect("JSON");
    let secret = begun["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(browser.put(path, &json!({ "code": code(&secret, 0) })).await.status(), 200);

    // Set up: asked for.
    let browser = app.client();
    assert_eq!(log_in(&provider, &browser, "boss").await, "/login/code");
    assert_eq!(me(&browser).await, None, "half a login is none");
    let entered = submit(&browser, "/_fn/login/code", &[("code", &code(&secret, 1))]).await;
    assert_eq!((location(&entered), open(&browser, "/admin").await.status().as_u16()), ("/admin", 200));

    // The provider says that it has asked for several: neither asked for, nor to be set up.
    provider.set(json!({ "accounts": { "boss": several.clone() } })).await;
    let browser = app.client();
    assert_eq!(log_in(&provider, &browser, "boss").await, "/admin");
    assert_eq!(open(&browser, "/admin").await.status(), 200);
    assert!(noted(&app, "boss@example.com", "login", "marketplace, several factors").await);
    app.state().accounts.reset_totp("boss@example.com", Actor::COMMAND_LINE).await.expect("reset");
    let browser = app.client();
    assert_eq!(log_in(&provider, &browser, "boss").await, "/admin");
    assert_eq!(open(&browser, "/admin").await.status(), 200);
}

/// What an app shows for a secret, `steps` of 30 s from now.
fn code(secret: &str, steps: i64) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).expect("base32")).build().expect("a secret");
    let at = Timestamp::now().as_second() + 30 * steps;
    totp.generate(u64::try_from(at).expect("after 1970")).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_provider_there_is_no_such_page_and_no_button() {
    let app = TestApp::builder().spawn().await;
    for path in [START, "/login/marketplace/callback?code=x&state=y"] {
        assert_eq!(open(&app.client(), path).await.status(), 404, "{path}");
    }
    let page = open(&app.client(), "/login").await.text().await.expect("a text");
    assert!(!page.contains(START), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_address_is_taken_from_wherever_the_provider_says_it_and_from_the_claim_that_is_named() {
    let provider = provider().await;
    let database = TestDatabase::sqlite();
    let named = json!({
        "in token": account("a@example.com"),
        "username": { "preferred_username": "b@example.com", "email": "boss@example.com" },
        "other": { "staff_mail": "c@example.com", "email": "boss@example.com" },
        "none": { "email": "boss@example.com", "email_verified": true },
    });
    provider.set(json!({ "accounts": named })).await;
    let instance = |claim: &'static str| {
        let configure = |config: &mut vendorscope::server::config::Config| {
            provider.configure(config);
            let provider = config.provider.as_mut().expect("a provider");
            (provider.scopes, provider.claim) = (vec!["email".to_owned(), "profile".to_owned()], claim.to_owned());
        };
        TestApp::builder().database(&database).config(configure).spawn()
    };
    let email = TestApp::builder().database(&database).northwind().spawn().await;
    for user in ["a@example.com", "b@example.com", "c@example.com", "boss@example.com"] {
        add(&email, user, Role::Vendor).await;
    }
    for (claim, account, in_token, leads_to) in [
        ("email", "in token", true, "/"),
        ("preferred_username", "username", false, "/"),
        ("staff_mail", "other", true, "/"),
        ("staff_mail", "none", false, "/login?error=unverified"),
    ] {
        provider.set(json!({ "claimsInToken": in_token })).await;
        let app = instance(claim).await;
        assert_eq!(log_in(&provider, &app.client(), account).await, leads_to, "{claim}");
    }
    for user in ["a@example.com", "b@example.com", "c@example.com"] {
        assert!(noted(&email, user, "login", "marketplace").await, "{user}");
    }
}
