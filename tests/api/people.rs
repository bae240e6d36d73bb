use reqwest::Method;
use serde_json::{Value, json};
use vendorscope::{
    domain::accounts::Role,
    server::{
        AppError,
        config::MailConfig,
        db::{Dialect, sql},
    },
};

use super::{VENDOR, answered, problem, refused_fields};
use crate::harness::{Client, PASSWORD, RedisServer, Smtp, TestApp, databases};

const PATH: &str = "/api/admin/users";
const NEW: &str = "another horse with a better battery";

async fn invite(admin: &Client, change: Value) -> reqwest::Response {
    let mut body = json!({ "email": "new@example.com", "role": "vendor", "vendorId": VENDOR, "password": PASSWORD });
    body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
    admin.post(PATH, &body).await
}

async fn user(admin: &Client, email: &str) -> Value {
    let users = admin.get_json(PATH).await["users"].as_array().expect("a list").clone();
    users.into_iter().find(|user| user["email"] == email).unwrap_or_else(|| panic!("{email}"))
}

async fn change(admin: &Client, id: &Value, wanted: Value) -> reqwest::Response {
    let mut body = json!({ "password": PASSWORD });
    body.as_object_mut().expect("an object").extend(wanted.as_object().expect("an object").clone());
    admin.patch(&format!("{PATH}/{}", id.as_str().expect("an id")), &body).await
}

async fn me(client: &Client) -> u16 {
    client.get("/api/auth/me").await.status().as_u16()
}

/// Opens a link as its reader does, and chooses a password.
async fn choose(app: &TestApp, link: &str, password: &str) -> u16 {
    let client = app.client();
    let path = link.strip_prefix("http://vendorscope.test").expect("a link of this installation");
    let opened = client.request(Method::GET, path).header("accept", "text/html").send().await.expect("an answer");
    assert_eq!(opened.headers()["location"], "/reset");
    let form = client.request(Method::POST, "/_fn/reset").header("accept", "application/json");
    form.form(&[("password", password)]).send().await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn somebody_is_invited_chooses_a_password_and_gets_in() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let admin = app.log_in_as_admin().await;
        for (wanted, field) in [
            (json!({ "password": "not it" }), "password"),
            (json!({ "email": "nobody" }), "email"),
            (json!({ "vendorId": "none" }), "vendorId"),
            (json!({ "role": "admin" }), "vendorId"),
            (json!({ "role": "owner" }), "role"),
        ] {
            assert_eq!(refused_fields(invite(&admin, wanted.clone()).await).await, [field], "{wanted}");
        }
        let invited =
            answered(invite(&admin, json!({ "email": " New@Example.com", "role": "accountant" })).await, 201).await;
        assert_eq!(
            (&invited["user"]["email"], &invited["user"]["invited"], &invited["user"]["role"]),
            (&json!("new@example.com"), &json!(true), &json!("accountant"))
        );
        problem(invite(&admin, json!({})).await, 409, "conflict").await;
        let link = invited["link"].as_str().expect("a link, since there is no mail");
        assert_eq!(choose(&app, link, "short").await, 422);
        assert_eq!(choose(&app, link, NEW).await, 200);
        assert_eq!(choose(&app, link, NEW).await, 422, "once");
        let login = json!({ "email": "new@example.com", "password": NEW });
        let client = app.client();
        let entered = answered(client.post("/api/auth/login", &login).await, 200).await;
        assert_eq!((&entered["user"]["role"], &entered["user"]["vendorId"]), (&json!("accountant"), &json!(VENDOR)));
        assert_eq!(user(&admin, "new@example.com").await["invited"], false);
        assert_eq!(client.get("/api/vendor/products").await.status(), 200);
        problem(client.post("/api/vendor/products", &json!({})).await, 403, "forbidden").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_is_changed_is_logged_out_at_once_and_is_what_they_became() {
    let redis = RedisServer::start();
    for app in
        [TestApp::builder().northwind().spawn().await, TestApp::builder().northwind().redis(&redis).spawn().await]
    {
        let (admin, vendor) = (app.log_in_as_admin().await, app.log_in_as_vendor(VENDOR).await);
        let key = json!({ "name": "a key", "password": PASSWORD, "scope": "write" });
        let key = answered(vendor.post("/api/account/keys", &key).await, 201).await;
        let key = key["secret"].as_str().expect("a secret").to_owned();
        let with_key = async || {
            let request = app.client().request(Method::GET, "/api/auth/me").bearer_auth(&key);
            request.send().await.expect("an answer").status().as_u16()
        };
        let id = user(&admin, "vendor-7@example.com").await["userId"].clone();
        assert_eq!(
            refused_fields(change(&admin, &id, json!({ "password": "x", "role": "accountant" })).await).await,
            ["password"]
        );
        let changed = answered(change(&admin, &id, json!({ "role": "accountant" })).await, 200).await;
        assert_eq!((&changed["role"], &changed["vendorId"]), (&json!("accountant"), &json!(VENDOR)));
        assert_eq!((me(&vendor).await, with_key().await), (401, 401));
        let again = app.log_in_as_vendor(VENDOR).await;
        assert_eq!(again.get_json("/api/auth/me").await["user"]["role"], "accountant");
        // Of another vendor from now on.
        answered(change(&admin, &id, json!({ "role": "vendor", "vendorId": "8" })).await, 200).await;
        assert_eq!(me(&again).await, 401);
        let moved = app.log_in_as_vendor(VENDOR).await;
        assert_eq!(moved.get_json("/api/auth/me").await["user"]["vendorId"], "8");
        let ended = admin.request(Method::DELETE, &format!("{PATH}/{}/sessions", id.as_str().expect("an id")));
        assert_eq!((ended.send().await.expect("an answer").status().as_u16(), me(&moved).await), (204, 401));
        let moved = app.log_in_as_vendor(VENDOR).await;
        assert_eq!(answered(change(&admin, &id, json!({ "disabled": true })).await, 200).await["disabled"], true);
        assert_eq!(me(&moved).await, 401);
        let login = json!({ "email": "vendor-7@example.com", "password": PASSWORD });
        assert_eq!(app.client().post("/api/auth/login", &login).await.status(), 401);
        answered(change(&admin, &id, json!({ "disabled": false })).await, 200).await;
        assert_eq!(app.client().post("/api/auth/login", &login).await.status(), 200);
        let noted = admin.get_json("/api/admin/audit?action=user_change").await;
        let line = noted["entries"].as_array().expect("a list").last().expect("a line").clone();
        let was: Value = serde_json::from_str(line["was"].as_str().expect("a text")).expect("JSON");
        assert_eq!((&line["actor"], &was["role"]), (&json!("admin@example.com"), &json!("vendor")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_admin_shuts_themselves_out_and_the_last_one_stays() {
    let app = TestApp::builder().northwind().spawn().await;
    let (admin, other) = (app.log_in_as_admin().await, app.log_in("other@example.com", Role::Admin, None).await);
    let mine = user(&admin, "admin@example.com").await["userId"].clone();
    let theirs = user(&admin, "other@example.com").await["userId"].clone();
    problem(change(&admin, &mine, json!({ "disabled": true })).await, 409, "conflict").await;
    problem(change(&admin, &mine, json!({ "role": "vendor", "vendorId": VENDOR })).await, 409, "conflict").await;
    answered(change(&admin, &theirs, json!({ "disabled": true })).await, 200).await;
    assert_eq!(me(&other).await, 401);
    assert_eq!(me(&admin).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_admin_makes_a_link_for_a_lost_password_and_resets_a_lost_second_factor() {
    let app = TestApp::builder().northwind().spawn().await;
    let (admin, vendor) = (app.log_in_as_admin().await, app.log_in_as_vendor(VENDOR).await);
    let id = user(&admin, "vendor-7@example.com").await["userId"].as_str().expect("an id").to_owned();
    let made = admin.post(&format!("{PATH}/{id}/link"), &json!({ "password": PASSWORD })).await;
    let link = answered(made, 201).await["link"].as_str().expect("a link").to_owned();
    assert_eq!(choose(&app, &link, NEW).await, 200);
    assert_eq!(me(&vendor).await, 401);
    let reset =
        admin.request(Method::DELETE, &format!("{PATH}/{id}/second-factor")).json(&json!({ "password": PASSWORD }));
    problem(reset.send().await.expect("an answer"), 409, "conflict").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_works_on_the_pages_without_scripts() {
    let app = TestApp::builder().northwind().spawn().await;
    let admin = app.log_in_as_admin().await;
    let text = async |path: &str| {
        let request = admin.request(Method::GET, path).header("accept", "text/html");
        request.send().await.expect("an answer").text().await.expect("a text")
    };
    let submit = async |path: &str, fields: &[(&str, &str)]| {
        let request = admin.request(Method::POST, path).header("accept", "text/html");
        let request = request.header("sec-fetch-site", "same-origin").header("referer", "http://x/admin/users");
        let response = request.form(fields).send().await.expect("an answer");
        response.headers()["location"].to_str().expect("ASCII").to_owned()
    };
    let form = [("email", "new@example.com"), ("role", "accountant"), ("vendor_id", VENDOR), ("password", "wrong")];
    let refused = submit("/_fn/admin/user/invite", &form).await;
    let page = text(&refused).await;
    assert!(page.contains("Your password is incorrect.") && page.contains("value=\"new@example.com\""), "{page}");
    let form = [form[0], form[1], form[2], ("password", PASSWORD)];
    let to = submit("/_fn/admin/user/invite", &form).await;
    assert!(to.starts_with("/admin/users/") && to.ends_with("?done=link"), "{to}");
    let page = text(&to).await;
    assert!(page.contains("http://vendorscope.test/reset?token=") && page.contains("Accountant"), "{page}");
    assert!(!text(&to).await.contains("/reset?token="), "shown once");
    assert!(text("/admin/users").await.contains("new@example.com"));
    let id = to.trim_start_matches("/admin/users/").trim_end_matches("?done=link");
    let to = submit("/_fn/admin/user/disable", &[("user_id", id), ("disabled", "yes"), ("password", PASSWORD)]).await;
    assert!(text(&to).await.contains("Disabled"));
    // Of oneself there is nothing to be changed that would be refused.
    let own = user(&admin, "admin@example.com").await["userId"].as_str().expect("an id").to_owned();
    let page = text(&format!("/admin/users/{own}")).await;
    assert!(page.contains("Another admin has to change your role"), "{page}");
    assert!(!page.contains("/_fn/admin/user/disable") && !page.contains("/_fn/admin/user/role"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_there_is_a_mail_server_links_go_there_and_to_nobody_else() {
    let smtp = tokio::task::spawn_blocking(Smtp::start).await.expect("started");
    let url = smtp.url();
    let app = TestApp::builder()
        .northwind()
        .config(|config| {
            let from = "Marketplace <vendors@example.com>".to_owned();
            config.mail = Some(MailConfig { smtp_url: url.into(), from });
        })
        .spawn()
        .await;
    let admin = app.log_in_as_admin().await;
    let invited = answered(invite(&admin, json!({})).await, 201).await;
    assert_eq!(invited["link"], Value::Null, "not shown to the admin");
    let letter = smtp.letter();
    for part in
        ["From: Marketplace <vendors@example.com>", "To: new@example.com", "Subject: Your invitation to Vendorscope"]
    {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    // Quoted-printable, where lines are long.
    let body = letter.replace("=\n", "").replace("=3D", "=");
    let link = body.split_whitespace().find(|word| word.starts_with("http://vendorscope.test/reset?token="));
    assert_eq!(choose(&app, link.unwrap_or_else(|| panic!("{letter}")), NEW).await, 200);
    // Whoever has lost a password asks for a link alone, and nobody is told who has an account.
    let ask = async |email: &str| {
        let form = app.client().request(Method::POST, "/_fn/forgot").header("accept", "text/html");
        let response = form.form(&[("email", email)]).send().await.expect("an answer");
        response.headers()["location"].to_str().expect("ASCII").to_owned()
    };
    assert_eq!(ask("nobody@example.com").await, "/login?done=mail");
    assert_eq!(ask(" New@example.com").await, "/login?done=mail");
    let letter = smtp.letter();
    assert!(letter.contains("Subject: Choose a new Vendorscope password"), "nobody else got one: {letter}");
    let body = letter.replace("=\n", "").replace("=3D", "=");
    let link = body.split_whitespace().find(|word| word.starts_with("http://vendorscope.test/reset?token="));
    assert_eq!(choose(&app, link.unwrap_or_else(|| panic!("{letter}")), PASSWORD).await, 200);
    // Nor can anybody fill a mailbox: three an hour.
    for _ in 0..5 {
        assert_eq!(ask("new@example.com").await, "/login?done=mail");
    }
    assert!(
        app.client()
            .request(Method::GET, "/login")
            .header("accept", "text/html")
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a text")
            .contains("href=\"/forgot\"")
    );
    for _ in 0..2 {
        smtp.letter();
    }
    assert!(smtp.is_silent(), "three, and no more");
    // One that does not take it: the admin gets the link instead.
    drop(smtp);
    let id = user(&admin, "new@example.com").await["userId"].as_str().expect("an id").to_owned();
    let made = answered(admin.post(&format!("{PATH}/{id}/link"), &json!({ "password": PASSWORD })).await, 201).await;
    assert!(made["link"].as_str().is_some_and(|link| link.contains("/reset?token=")), "{made}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_admins_who_shut_each_other_out_at_the_same_time_one_stays() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let admins = [app.log_in_as_admin().await, app.log_in("other@example.com", Role::Admin, None).await];
        let of = async |email: &str| user(&admins[0], email).await["userId"].clone();
        let ids = [of("other@example.com").await, of("admin@example.com").await];
        // Both have looked who else there is before either of them changes anything: on PostgreSQL that is seen.
        let mut hold = app.state().db.write().await.expect("a transaction");
        let all = format!("SELECT id FROM users ORDER BY id{}", hold.dialect.for_update());
        hold.rows(sql(all)).await.expect("rows");
        let asked = admins.iter().zip(&ids).map(|(admin, id)| change(admin, id, json!({ "disabled": true })));
        let asked = futures::future::join_all(asked);
        let release = async {
            let mut both_wait = hold.dialect == Dialect::Sqlite;
            while !both_wait {
                let mut look = app.state().db.read().await.expect("a transaction");
                let waiting = "SELECT COUNT(*) AS waiting FROM pg_stat_activity \
                               WHERE datname = current_database() AND wait_event_type = 'Lock'";
                let row = look.row(sql(waiting)).await.expect("a query").expect("a row");
                both_wait = sqlx::Row::get::<i64, _>(&row, "waiting") == 2;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            hold.commit().await.expect("committed");
        };
        let (answers, ()) = futures::future::join(asked, release).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status().as_u16()).collect();
        statuses.sort_unstable();
        // On SQLite, where nothing shows that both wait, the second may come when its session has ended already.
        let is_late = database.url().starts_with("sqlite") && statuses == [200, 401];
        assert!(is_late || statuses == [200, 403], "the second is no admin any more: {statuses:?}");
        let login = |email: &str| {
            let (client, login) = (app.client(), json!({ "email": email, "password": PASSWORD }));
            async move { client.post("/api/auth/login", &login).await.status().as_u16() }
        };
        let mut logins = [login("admin@example.com").await, login("other@example.com").await];
        logins.sort_unstable();
        assert_eq!(logins, [200, 401]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invitation_ends_unless_an_admin_makes_another_one() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let admin = app.log_in_as_admin().await;
        let invited = answered(invite(&admin, json!({})).await, 201).await;
        let id = invited["user"]["userId"].as_str().expect("an id").to_owned();
        let first = invited["link"].as_str().expect("a link").to_owned();
        let set = async |expires: &str| {
            let mut tx = app.state().db.write().await.expect("a transaction");
            let update = format!("UPDATE password_resets SET expires_us = {expires}");
            tx.execute(sql(update)).await.expect("an update");
            tx.commit().await.expect("committed");
        };
        // As the form for a lost password asks.
        let ask = async || app.state().accounts.create_link_for("new@example.com", None).await;
        let again = ask().await.expect("while it lasts");
        assert_eq!(choose(&app, &first, NEW).await, 422, "in place of the one before");
        // Asked for again and again, it ends all the same.
        let second = format!("http://vendorscope.test/reset?token={}", again.token);
        set("created_us + 3600000000").await;
        let third = ask().await.expect("while it lasts");
        let mut tx = app.state().db.read().await.expect("a transaction");
        let left = "SELECT expires_us - created_us AS lasts FROM password_resets";
        let row = tx.row(sql(left)).await.expect("a query").expect("a row");
        assert!(sqlx::Row::get::<i64, _>(&row, "lasts") <= 3_600_000_000);
        drop(tx);
        set("1").await;
        assert!(matches!(ask().await, Err(AppError::NotFound)));
        let third = format!("http://vendorscope.test/reset?token={}", third.token);
        for late in [&second, &third] {
            assert_eq!(choose(&app, late, NEW).await, 422);
        }
        let made = admin.post(&format!("{PATH}/{id}/link"), &json!({ "password": PASSWORD })).await;
        let link = answered(made, 201).await["link"].as_str().expect("a link").to_owned();
        assert_eq!(choose(&app, &link, NEW).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_admin_is_shown_the_link_of_another_and_who_made_a_link_is_noted_where_it_is_used() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let admin = app.log_in_as_admin().await;
        app.log_in("other@example.com", Role::Admin, None).await;
        app.log_in_as_vendor(VENDOR).await;
        let link = async |email: &str| {
            let id = user(&admin, email).await["userId"].as_str().expect("an id").to_owned();
            admin.post(&format!("{PATH}/{id}/link"), &json!({ "password": PASSWORD })).await
        };
        let refused = problem(link("other@example.com").await, 409, "conflict").await;
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("reset-password")), "{refused}");
        let made = answered(link("vendor-7@example.com").await, 201).await;
        assert_eq!(choose(&app, made["link"].as_str().expect("a link"), NEW).await, 200);
        let noted = admin.get_json("/api/admin/audit?action=password_reset").await;
        assert_eq!(
            (&noted["entries"][0]["actor"], &noted["entries"][0]["detail"]),
            (&json!("vendor-7@example.com"), &json!("with a link that admin@example.com has made"))
        );
    }
}
