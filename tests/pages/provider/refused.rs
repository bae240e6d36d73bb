use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_added_and_nobody_takes_over_anothers_account() {
    let provider = provider().await;
    let app = app(&provider).await;
    add(&app, "boss@example.com", Role::Admin).await;
    let unverified = json!({ "email": "boss@example.com", "email_verified": false });
    let accounts = json!({
        "1": account(MIRA), "unverified": unverified, "unsaid": { "email": "boss@example.com" },
        "nameless": {}, "stranger": account("nobody@example.com"), "again": account("MIRA@example.com"),
    });
    provider.set(json!({ "accounts": accounts })).await;
    for (account, code) in
        [("unverified", "unverified"), ("unsaid", "unverified"), ("nameless", "unverified"), ("stranger", "stranger")]
    {
        let browser = app.client();
        assert_eq!(log_in(&provider, &browser, account).await, format!("/login?error={code}"), "{account}");
        assert_eq!(me(&browser).await, None, "{account}");
    }
    for (actor, detail) in [
        ("boss@example.com", "marketplace: address not verified"),
        ("nobody@example.com", "marketplace: no such account"),
        ("unknown", "marketplace: no address of subject nameless"),
    ] {
        assert!(noted(&app, actor, "login_failed", detail).await, "{detail}: {:?}", audit(&app).await);
    }
    assert_eq!(log_in(&provider, &app.client(), "1").await, "/");
    // Another subject with the same address, however it came by it.
    assert_eq!(log_in(&provider, &app.client(), "again").await, "/login?error=stranger");
    assert!(noted(&app, MIRA, "login_failed", "marketplace: bound to another subject").await);
    // And the subject of one account that takes another's address stays who it is.
    provider.set(json!({ "accounts": { "1": account("boss@example.com") } })).await;
    let browser = app.client();
    assert_eq!((log_in(&provider, &browser, "1").await.as_str(), me(&browser).await.as_deref()), ("/", Some(MIRA)));

    // Shut out, bound or not; what is said is the same as to a stranger.
    provider.set(json!({ "accounts": { "1": account(MIRA), "boss": account("boss@example.com") } })).await;
    for (email, account) in [(MIRA, "1"), ("boss@example.com", "boss")] {
        app.state().accounts.disable(email, Actor::COMMAND_LINE).await.expect("disabled");
        let browser = app.client();
        assert_eq!(log_in(&provider, &browser, account).await, "/login?error=stranger", "{email}");
        assert_eq!(me(&browser).await, None);
        assert!(noted(&app, email, "login_failed", "marketplace: disabled").await);
    }
    let users = app.state().accounts.list_users().await.expect("users");
    assert_eq!(users.len(), 2, "nobody was added");
    let page = open(&app.client(), "/login?error=stranger").await.text().await.expect("a text");
    assert!(page.contains("There is no account here for that login."), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invitation_that_has_run_out_is_not_accepted_by_a_login() {
    for database in databases().await {
        let provider = provider().await;
        let configure = |config: &mut vendorscope::server::config::Config| provider.configure(config);
        let app = TestApp::builder().northwind().database(&database).config(configure).spawn().await;
        let accounts = &app.state().accounts;
        let invited = accounts.invite(MIRA, Role::Vendor, Some("7"), Actor::COMMAND_LINE).await.expect("invited");
        let id = &invited.person.user_id;
        // Three days later.
        let mut tx = app.state().db.write().await.expect("a transaction");
        let late = sql("UPDATE password_resets SET expires_us = $1").bind(Timestamp::now().as_microsecond());
        tx.execute(late).await.expect("changed");
        tx.commit().await.expect("committed");

        let browser = app.client();
        let refused = log_in(&provider, &browser, "1").await;
        assert_eq!((refused.as_str(), me(&browser).await), ("/login?error=invitation", None));
        let page = open(&browser, &refused).await.text().await.expect("a text");
        assert!(page.contains("Your invitation has expired. Ask whoever invited you for a new one"), "{page}");
        assert!(noted(&app, MIRA, "login_failed", "marketplace: the invitation has ended").await);
        let person = accounts.find_person(id).await.expect("found");
        assert!(person.invited && !person.marketplace_login, "{person:?}");

        // Invited anew, and nothing else is needed.
        accounts.create_link(id, Actor::COMMAND_LINE).await.expect("another link");
        assert_eq!((log_in(&provider, &browser, "1").await.as_str(), me(&browser).await.as_deref()), ("/", Some(MIRA)));
        let person = accounts.find_person(id).await.expect("found");
        assert!(!person.invited && person.marketplace_login, "{person:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_not_begun_here_or_was_used_before_logs_nobody_in() {
    let provider = provider().await;
    let app = app(&provider).await;
    let refused = |browser: Client, back: String, code: &'static str| async move {
        assert_eq!(come_back(&browser, &back).await, format!("/login?error={code}"), "{back}");
        assert_eq!(me(&browser).await, None, "{back}");
    };
    let browser = app.client();
    let back = provider.log_in(&browser, &begin(&browser, START).await, "1").await;
    // Another browser: an address that somebody was given to open.
    refused(app.client(), back.clone(), "late").await;
    // Another state, whole and in part.
    refused(browser.clone(), with(&back, "state", "another"), "late").await;
    let state = parameter(&back, "state");
    refused(browser.clone(), with(&back, "state", &state[..8]), "late").await;
    // Whose answer it says it is.
    let browser = app.client();
    let back = provider.log_in(&browser, &begin(&browser, START).await, "1").await;
    refused(browser, with(&back, "iss", "https%3A%2F%2Fevil.example"), "failed").await;
    // Of two that one browser has begun, each has a verifier of its own: the code of one is none of the other.
    let browser = app.client();
    let (one, other) = (begin(&browser, START).await, begin(&browser, START).await);
    let code = parameter(&provider.log_in(&browser, &one, "1").await, "code");
    let back = provider.log_in(&browser, &other, "1").await;
    refused(browser.clone(), with(&back, "code", &code), "failed").await;
    refused(app.client(), with(&back, "code", "made-up"), "late").await;
    // Another nonce comes back in the token than was asked for.
    let browser = app.client();
    let address = with(&begin(&browser, START).await, "nonce", "another");
    refused(browser.clone(), provider.log_in(&browser, &address, "1").await, "failed").await;
    // A token that has expired: the provider's clock is two hours late.
    provider.set(json!({ "clock": -7200 })).await;
    let browser = app.client();
    let back = provider.log_in(&browser, &begin(&browser, START).await, "1").await;
    refused(browser, back, "failed").await;
    provider.set(json!({ "clock": 0 })).await;

    // A code that was used: the browser has forgotten the login, and with the cookie that it had, the provider refuses.
    let browser = app.client();
    let begun = open(&browser, START).await;
    let cookies: Vec<String> = begun
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().expect("ASCII").split(';').next().expect("a pair").to_owned())
        .collect();
    let back = provider.log_in(&browser, location(&begun), "1").await;
    assert_eq!(come_back(&browser, &back).await, "/");
    assert_eq!(come_back(&browser, &back).await, "/login?error=late");
    let thief = app.client();
    let replay =
        thief.request(Method::GET, &back).header("cookie", cookies.join("; ")).send().await.expect("an answer");
    assert_eq!(location(&replay), "/login?error=failed");
    assert_eq!(me(&thief).await, None);
    assert!(audit(&app).await.iter().filter(|(_, action, _)| action == "login").count() == 1, "one got in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_provider_says_is_never_shown_and_a_login_leads_nowhere_else() {
    let provider = provider().await;
    let app = app(&provider).await;
    let browser = app.client();
    let back = provider.cancel(&browser, &begin(&browser, START).await).await;
    assert!(back.contains("script"), "the provider has its say: {back}");
    assert_eq!(come_back(&browser, &back).await, "/login?error=cancelled");
    let browser = app.client();
    let state = parameter(&begin(&browser, START).await, "state");
    let callback = format!("/login/marketplace/callback?error=%3Cscript%3E&error_description=Call+me&state={state}");
    assert_eq!(come_back(&browser, &callback).await, "/login?error=failed");
    for next in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "%2Flogin"] {
        let browser = app.client();
        let address = begin(&browser, &format!("{START}?next={next}")).await;
        let back = provider.log_in(&browser, &address, "1").await;
        assert_eq!(come_back(&browser, &back).await, "/", "{next}");
        assert_eq!(begin(&browser, START).await, "/", "logged in already");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_site_begins_no_login() {
    let provider = provider().await;
    let app = app(&provider).await;
    for site in ["cross-site", "same-site"] {
        let browser = app.client();
        let request = browser.request(Method::GET, "/login/marketplace?next=%2Forders").header("sec-fetch-site", site);
        let answer = request.header("accept", "text/html").send().await.expect("an answer");
        assert_eq!(location(&answer), "/login?next=%2Forders", "{site}");
        assert!(!answer.headers().contains_key("set-cookie"), "{site}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attempts_count_as_those_of_any_login_do() {
    let provider = provider().await;
    let app = TestApp::builder()
        .northwind()
        .config(|config| {
            provider.configure(config);
            config.limits.login_address = Limit::new(3, Duration::from_secs(3600));
        })
        .spawn()
        .await;
    add(&app, MIRA, Role::Vendor).await;
    for _ in 0..4 {
        assert_eq!(log_in(&provider, &app.client(), "1").await, "/", "what was right does not count");
    }
    for _ in 0..3 {
        assert_eq!(come_back(&app.client(), "/login/marketplace/callback?code=x&state=y").await, "/login?error=late");
    }
    assert_eq!(log_in(&provider, &app.client(), "1").await, "/login?error=limited");
}
