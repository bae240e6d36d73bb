use super::open;
use crate::harness::{Client, Market, TestApp};

async fn text(client: &Client, path: &str) -> String {
    let response = open(client, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("a text").replace("<!>", "")
}

/// What a page says at its top of its own address.
fn told(page: &str) -> Vec<String> {
    let Some((_, rest)) = page.split_once("<div role=\"status\" class=\"notice warn\">") else { return Vec::new() };
    let notice = rest.split("</div>").next().unwrap_or_default();
    notice.split("<p>").skip(1).map(|text| text.split("</p>").next().unwrap_or_default().to_owned()).collect()
}

/// The page without what it says of its own address, and without what differs from answer to answer.
fn figures(page: &str) -> String {
    let main = page.split_once("<main").expect("a main part").1;
    let main = match main.split_once("class=\"notice warn\">") {
        Some((_, rest)) => rest.split_once("</div>").expect("its end").1,
        None => main.split_once('>').expect("its beginning").1,
    };
    let main = main.split("</main>").next().unwrap_or_default();
    let digits_of_age = main.split("data-age=").next().unwrap_or_default();
    digits_of_age.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_an_address_says_that_means_nothing_is_named_with_what_is_accepted_and_the_default_is_shown() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    for (client, plain, nonsense, names, accepted) in [
        (&vendor, "/", "/?range=nonsense", "range=nonsense", "last_28_days"),
        (&vendor, "/?range=today", "/?range=today&compare=nonsense", "compare=nonsense", "previous_weeks"),
        (&vendor, "/", "/?interval=nonsense", "interval=nonsense", "auto, hour, day, week, month"),
        (&vendor, "/", "/?metric=nonsense", "metric=nonsense", "net_sales, payable"),
        (&vendor, "/", "/?status=lost", "status=lost", "pending, processing"),
        (&vendor, "/", "/?from=2026-03-01", "from=2026-03-01", "range, compare"),
        (&vendor, "/products", "/products?sort=newest", "sort=newest", "name_asc, name_desc"),
        (&vendor, "/products", "/products?page=2", "page=2", "search"),
        (&vendor, "/products?stock=low", "/products?stock=low&status=gone", "status=gone", "active, archived"),
        (&vendor, "/products/e1", "/products/e1?metric=nonsense", "metric=nonsense", "units"),
        (&vendor, "/orders", "/orders?status=lost", "status=lost", "counted, uncounted"),
        (&vendor, "/orders", "/orders?counted=maybe&sort=placed_desc", "counted=maybe", "true, false"),
        (&vendor, "/orders?search=ren", "/orders?search=ren&sort=age", "sort=age", "placed_desc"),
        (&vendor, "/returns", "/returns?reason=ugly", "reason=ugly", "not_as_described"),
        (&vendor, "/returns", "/returns?range=ever", "range=ever", "last_12_months, all"),
        (&admin, "/admin", "/admin?range=ever", "range=ever", "last_28_days"),
        (&admin, "/admin/vendors", "/admin/vendors?sort=nonsense", "sort=nonsense", "last_order"),
        (&admin, "/admin/vendors/eur/dashboard", "/admin/vendors/eur/dashboard?range=x", "range=x", "yesterday"),
    ] {
        let (expected, page) = (text(client, plain).await, text(client, nonsense).await);
        let told = told(&page);
        assert_eq!(told.len(), 1, "{nonsense}: {told:?}");
        assert!(told[0].contains(&format!("“{names}”")) && told[0].contains(accepted), "{nonsense}: {told:?}");
        assert_eq!(self::told(&expected), Vec::<String>::new(), "{plain}");
        let chart = |page: &str| figures(page).split("<h1").nth(1).map(|rest| rest.len());
        assert_eq!(chart(&page).is_some(), chart(&expected).is_some(), "{nonsense}");
        assert_eq!(figures(&page), figures(&expected), "{nonsense}: the page as it is without it");
    }
    // All of it at once, and the page is not kept for whoever asks without.
    let page = text(&vendor, "/?range=a&compare=b&interval=c&metric=d&status=e").await;
    assert_eq!(told(&page).len(), 5, "{page}");
    assert_eq!(told(&text(&vendor, "/").await).len(), 0);
    // Markup stays a text.
    let page = text(&vendor, "/?range=%3Cb%3E").await;
    assert!(page.contains("range=&lt;b&gt;") && !page.contains("range=<b>"), "{page}");
    // What somebody types is refused where it can be mended, and places in a list by words for people.
    for (path, said) in [
        ("/?dateFrom=nonsense&dateTo=2026-03-01", "Start date: "),
        ("/orders?dateFrom=2026-03-02&dateTo=2026-03-01", "The end date must be on or after the start date."),
        ("/products?after=nonsense", "Open the list from its start."),
        ("/orders?after=nonsense", "Open the list from its start."),
    ] {
        let refused = open(&vendor, path).await;
        assert_eq!(refused.status(), 422, "{path}");
        let page = refused.text().await.expect("a text");
        assert!(page.contains(said), "{path}: {page}");
    }
    // The API refuses the same.
    for path in ["/api/vendor/orders?sort=age", "/api/vendor/analytics/snapshot?dateFrom=2026-03-01&dateTo=x"] {
        assert_eq!(vendor.get(path).await.status(), 422, "{path}");
    }
}
