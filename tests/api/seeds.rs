use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::Row;
use totp_rs::{Builder, Secret};
use vendorscope::{
    domain::accounts::Role,
    server::{
        config::Config,
        db::sql,
        identity::accounts::{Actor, SeedsFound},
    },
};

use super::{answered, problem};
use crate::harness::{Client, PASSWORD, TestApp, TestDatabase, databases, until};

const PATH: &str = "/api/account/second-factor";
const OLD: &str = "the first secret, which is long enough";
const NEW: &str = "the second secret, also long enough";
const OTHER: &str = "a third secret that nobody has had before";
const ADMIN: &str = "admin@example.com";

/// An instance with this secret, and this one from before.
async fn instance(database: &TestDatabase, secret: &str, previous: Option<&str>) -> TestApp {
    let secrets = |config: &mut Config| {
        config.sessions.secret = secret.into();
        config.sessions.previous_secret = previous.map(Into::into);
    };
    TestApp::builder().database(database).config(secrets).spawn().await
}

fn code(secret: &str) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).expect("base32")).build().expect("a secret");
    totp.generate(u64::try_from(Timestamp::now().as_second()).expect("after 1970")).to_string()
}

/// Sets codes up for whoever is logged in: the seed, and a recovery code.
async fn set_up(client: &Client) -> (String, String) {
    let begun = answered(client.post(PATH, &json!({ "password": PASSWORD })).await, 201).await;
    let seed = begun["secret"].as_str().expect("a secret").to_owned();
    let confirmed = answered(client.put(PATH, &json!({ "code": code(&seed) })).await, 200).await;
    (seed, confirmed["recoveryCodes"][0].as_str().expect("a code").to_owned())
}

async fn execute(app: &TestApp, text: &'static str) {
    let mut tx = app.state().db.write().await.expect("a transaction");
    tx.execute(sql(text)).await.expect("done");
    tx.commit().await.expect("committed");
}

/// What the database has, by user.
async fn stored(app: &TestApp) -> Vec<String> {
    let mut tx = app.state().db.read().await.expect("a transaction");
    let rows = tx.rows(sql("SELECT secret FROM second_factors ORDER BY user_id")).await.expect("rows");
    rows.iter().map(|row| row.get("secret")).collect()
}

fn credentials(email: &str, code: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "code": code })
}

/// Logs in with the code of now, whichever was used before.
async fn logs_in(app: &TestApp, email: &str, seed: &str) -> u16 {
    execute(app, "UPDATE second_factors SET last_step = 0").await;
    app.client().post("/api/auth/login", &credentials(email, &code(seed))).await.status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn seeds_stand_sealed_and_are_sealed_anew_when_the_secret_changes() {
    for database in databases().await {
        let before = instance(&database, OLD, None).await;
        let (seed, _) = set_up(&before.log_in_as_admin().await).await;
        let sealed = stored(&before).await.remove(0);
        assert!(sealed.starts_with("sealed:") && !sealed.contains(&seed), "{sealed}");
        assert_eq!(logs_in(&before, ADMIN, &seed).await, 200);
        let found = SeedsFound { by_current: 1, ..SeedsFound::default() };
        assert_eq!(before.state().accounts.seal_seeds().await.expect("looked at"), found);
        assert_eq!(stored(&before).await, [sealed.as_str()], "nothing to do");

        let changed = instance(&database, NEW, Some(OLD)).await;
        assert_eq!(logs_in(&changed, ADMIN, &seed).await, 200, "opened with the secret from before");
        let found = SeedsFound { by_previous: 1, ..SeedsFound::default() };
        assert_eq!(changed.state().accounts.look_at_seeds().await.expect("looked at"), found);
        assert_eq!(changed.state().accounts.seal_seeds().await.expect("sealed"), found);
        assert_ne!(stored(&changed).await, [sealed], "sealed anew");
        assert_eq!(logs_in(&changed, ADMIN, &seed).await, 200);

        let after = instance(&database, NEW, None).await;
        assert_eq!(logs_in(&after, ADMIN, &seed).await, 200, "the one from before is needed no more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn seeds_from_before_they_were_sealed_go_on_working_and_are_sealed() {
    for database in databases().await {
        let app = instance(&database, OLD, None).await;
        let (seed, _) = set_up(&app.log_in_as_admin().await).await;
        let mut tx = app.state().db.write().await.expect("a transaction");
        tx.execute(sql("UPDATE second_factors SET secret = $1").bind(seed.clone())).await.expect("changed");
        tx.commit().await.expect("committed");
        assert_eq!(logs_in(&app, ADMIN, &seed).await, 200);
        let found = SeedsFound { plain: 1, ..SeedsFound::default() };
        assert_eq!(app.state().accounts.seal_seeds().await.expect("sealed"), found);
        let sealed = stored(&app).await.remove(0);
        assert!(sealed.starts_with("sealed:") && !sealed.contains(&seed), "{sealed}");
        assert_eq!(logs_in(&app, ADMIN, &seed).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_running_instance_seals_them_by_itself() {
    let soon = |config: &mut Config| config.sessions.seeds_looked_at_every = std::time::Duration::from_millis(20);
    let app = TestApp::builder().config(soon).spawn().await;
    let (seed, _) = set_up(&app.log_in_as_admin().await).await;
    execute(&app, "UPDATE second_factors SET secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'").await;
    until("the seed is sealed", async || stored(&app).await.remove(0).strip_prefix("sealed:").map(|_| ())).await;
    assert_eq!(logs_in(&app, ADMIN, &seed).await, 401, "another seed");
    assert_eq!(logs_in(&app, ADMIN, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_the_secret_is_lost_recovery_codes_and_a_reset_help() {
    for database in databases().await {
        let before = instance(&database, OLD, None).await;
        let (seed, recovery) = set_up(&before.log_in_as_admin().await).await;
        let app = instance(&database, OTHER, Some(NEW)).await;
        let sealed = stored(&app).await;
        let found = SeedsFound { unreadable: 1, ..SeedsFound::default() };
        assert_eq!(app.state().accounts.seal_seeds().await.expect("looked at"), found);
        assert_eq!(stored(&app).await, sealed, "left as they are: the secret may be found");

        let log_in = async |code: &str| app.client().post("/api/auth/login", &credentials(ADMIN, code)).await;
        problem(log_in(&code(&seed)).await, 409, "codes_unreadable").await;
        problem(log_in("aaaa-bbbb-cccc-dddd-eeee-ffff").await, 401, "wrong_code").await;
        let browser = app.client();
        let form = async |path: &str, fields: &[(&str, &str)]| {
            let request = browser.request(reqwest::Method::POST, path).header("accept", "text/html");
            let sent = request.header("sec-fetch-site", "same-origin").form(fields).send().await.expect("an answer");
            sent.headers()["location"].to_str().expect("ASCII").to_owned()
        };
        assert_eq!(form("/_fn/login", &[("email", ADMIN), ("password", PASSWORD)]).await, "/login/code");
        let refused = form("/_fn/login/code", &[("code", &code(&seed))]).await;
        assert_eq!(refused, "/login/code?error=unreadable");
        let page = browser.request(reqwest::Method::GET, &refused).header("accept", "text/html").send().await;
        let page = page.expect("an answer").text().await.expect("a text");
        assert!(page.contains("Use a recovery code, or ask your marketplace for help."), "{page}");
        assert_eq!(form("/_fn/login/code", &[("code", &recovery)]).await, "/admin");

        app.state().accounts.reset_totp(ADMIN, Actor::COMMAND_LINE).await.expect("reset");
        let (seed, _) = set_up(&app.log_in_as_admin().await).await;
        assert_eq!(logs_in(&app, ADMIN, &seed).await, 200);
    }
}

/// Whoever writes to the database cannot give another user a seed that they know.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_seed_of_one_user_is_worth_nothing_in_anothers_row() {
    let app = TestApp::builder().spawn().await;
    set_up(&app.log_in_as_admin().await).await;
    let (own, _) = set_up(&app.log_in("other@example.com", Role::Admin, None).await).await;
    execute(
        &app,
        "UPDATE second_factors SET secret = (SELECT MAX(s.secret) FROM second_factors s WHERE s.user_id = 2)",
    )
    .await;
    let copied = stored(&app).await;
    assert_eq!(copied[0], copied[1]);
    assert_eq!(logs_in(&app, ADMIN, &own).await, 409);
    assert_eq!(logs_in(&app, "other@example.com", &own).await, 200);
}

/// Where nobody has given a secret, one is made up that is gone with the process: codes must not go with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_development_without_a_secret_nothing_is_sealed() {
    let app = TestApp::builder().config(|config| config.sessions.secret_is_temporary = true).spawn().await;
    let (seed, _) = set_up(&app.log_in_as_admin().await).await;
    app.state().accounts.seal_seeds().await.expect("looked at");
    assert_eq!(stored(&app).await, [seed]);
}
