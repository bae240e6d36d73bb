use vendorscope::domain::accounts::Role;

use super::{location, open, submit};
use crate::harness::TestApp;

const EMAIL: &str = "someone@example.com";
const PASSWORD: &str = "a password of sixteen";

async fn app() -> TestApp {
    let app = TestApp::builder().northwind().spawn().await;
    app.state().accounts.add_user(EMAIL, PASSWORD, Role::Vendor, Some("7")).await.expect("a new user");
    app
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_form_logs_in_and_goes_on_to_where_one_was_going() {
    let app = app().await;
    let client = app.client();
    let refused = open(&client, "/orders?status=shipped").await;
    assert_eq!(location(&refused), "/login?next=%2Forders%3Fstatus%3Dshipped");
    let form = open(&client, location(&refused)).await;
    assert_eq!(form.status(), 200);
    let form = form.text().await.expect("a text");
    assert!(
        form.contains("action=\"/_fn/login\"")
            && form.contains("name=\"next\"")
            && form.contains("/orders?status=shipped"),
        "{form}"
    );

    let response =
        submit(&client, "/_fn/login", &[("email", EMAIL), ("password", PASSWORD), ("next", "/orders?status=shipped")])
            .await;
    assert_eq!((response.status().as_u16(), location(&response)), (302, "/orders?status=shipped"));
    assert_eq!(open(&client, "/orders?status=shipped").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_destination_everyone_begins_where_they_work() {
    let app = app().await;
    app.state().accounts.add_user("admin@example.com", PASSWORD, Role::Admin, None).await.expect("a new user");
    for (email, home) in [(EMAIL, "/"), ("admin@example.com", "/admin")] {
        let client = app.client();
        let response = submit(&client, "/_fn/login", &[("email", email), ("password", PASSWORD)]).await;
        assert_eq!((response.status().as_u16(), location(&response)), (302, home));
        assert_eq!(open(&client, home).await.status(), 200, "{home}");
        assert_eq!(location(&open(&client, "/login").await), home, "logged in already");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_is_the_same_for_an_unknown_user_and_a_wrong_password() {
    let app = app().await;
    for (email, password) in [(EMAIL, "not the password"), ("nobody@example.com", PASSWORD), ("", "")] {
        let client = app.client();
        let response =
            submit(&client, "/_fn/login", &[("email", email), ("password", password), ("next", "/products")]).await;
        assert_eq!(response.status(), 302);
        let to = location(&response).to_owned();
        assert!(to.starts_with("/login?error=credentials&next=%2Fproducts&"), "{to}");
        assert!(!to.contains("password") && !to.contains("sixteen"), "{to}");
        assert!(!response.headers().contains_key("set-cookie"));
        let page = open(&client, &to).await.text().await.expect("a text");
        assert!(page.contains("Wrong email or password."), "{page}");
        assert!(page.contains("<title>Wrong email or password · Vendorscope</title>"), "{page}");
        // The email stays, and the password is what is typed next.
        let field = |id: &str| {
            let at = page.find(&format!("<input id=\"{id}\"")).expect("a field");
            page[at..].split_inclusive('>').next().expect("a tag").to_owned()
        };
        if email.is_empty() {
            assert!(field("email").contains("autofocus"), "{page}");
        } else {
            assert!(field("email").contains(&format!("value=\"{email}\"")), "{page}");
            assert!(field("password").contains("autofocus") && !field("email").contains("autofocus"), "{page}");
        }
        let password = field("password");
        assert!(password.contains("aria-invalid=\"true\"") && !password.contains("value="), "{password}");
        assert!(password.contains("aria-describedby=\"password-error\""), "{password}");
        assert!(page.contains("id=\"password-error\" role=\"alert\""), "{page}");
        // What somebody else says was typed is not shown.
        let forged = to.replacen("__typed=", "__typed=%5B%5D", 1);
        assert_eq!(location(&open(&client, &forged).await), "/login?error=credentials&next=%2Fproducts");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_never_leads_to_another_site() {
    let app = app().await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/a\r\nset-cookie: x=1",
        "é",
    ] {
        let response =
            submit(&app.client(), "/_fn/login", &[("email", EMAIL), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!((response.status().as_u16(), location(&response)), (302, "/"), "{next:?}");
        let response =
            submit(&app.client(), "/_fn/login", &[("email", EMAIL), ("password", "wrong"), ("next", next)]).await;
        let to = location(&response);
        assert!(to.starts_with("/login?error=credentials&__typed=") && !to.contains("next=%"), "{next:?}: {to}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_logout_form_ends_the_session() {
    let app = app().await;
    let client = app.log_in_as_vendor("7").await;
    let response = submit(&client, "/_fn/logout", &[]).await;
    assert_eq!((response.status().as_u16(), location(&response)), (302, "/login"));
    assert_eq!(location(&open(&client, "/").await), "/login");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_sites_form_logs_nobody_in() {
    let app = app().await;
    let request = app
        .client()
        .request(reqwest::Method::POST, "/_fn/login")
        .header("accept", "text/html")
        .header("sec-fetch-site", "cross-site");
    let response = request.form(&[("email", EMAIL), ("password", PASSWORD)]).send().await.expect("an answer");
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key("set-cookie"));
    assert!(response.text().await.expect("a text").contains("another site"));
}
