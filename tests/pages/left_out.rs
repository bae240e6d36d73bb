use super::{open, without_keys};
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

/// The page from its heading on, without how old its figures are, the name of its script and the keys of its forms.
fn content(page: &str) -> String {
    let page = without_keys(page);
    let (_, main) = page.split_once("<h1").expect("a heading");
    let main = main.split("<script").next().unwrap_or_default();
    let mut parts = main.split("data-age=\"");
    let before_age = parts.next().unwrap_or_default().to_owned();
    parts.fold(before_age, |content, rest| content + rest.split_once("</span>").expect("its end").1)
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
        (&vendor, "/orders?sort=placed_desc", "/orders?sort=placed_desc&counted=maybe", "counted=maybe", "true, false"),
        (&vendor, "/orders?search=ren", "/orders?search=ren&sort=age", "sort=age", "placed_desc"),
        (&vendor, "/returns", "/returns?reason=ugly", "reason=ugly", "not_as_described"),
        (&vendor, "/returns", "/returns?range=ever", "range=ever", "last_12_months, all"),
        (&admin, "/admin", "/admin?range=ever", "range=ever", "last_28_days"),
        (&admin, "/admin", "/admin?page=2", "page=2", "range, dateFrom"),
        (&admin, "/admin/vendors", "/admin/vendors?sort=nonsense", "sort=nonsense", "last_order"),
        (&admin, "/admin/vendors/eur/dashboard", "/admin/vendors/eur/dashboard?range=x", "range=x", "yesterday"),
    ] {
        // An hour may end between two looks, and never between three in a row.
        let (before, page, after) =
            (text(client, plain).await, text(client, nonsense).await, text(client, plain).await);
        let told = told(&page);
        assert_eq!(told.len(), 1, "{nonsense}: {told:?}");
        assert!(told[0].contains(&format!("“{names}”")) && told[0].contains(accepted), "{nonsense}: {told:?}");
        assert_eq!(self::told(&before), Vec::<String>::new(), "{plain}");
        let is_as_without = [content(&before), content(&after)].contains(&content(&page));
        assert!(is_as_without, "{nonsense}: {page}\nand without it: {after}");
    }
    // The cache page's own figures are others at every look.
    let of_cache = told(&text(&admin, "/admin/cache?range=today").await);
    assert!(of_cache.len() == 1 && of_cache[0].contains("1h, 24h, 7d"), "{of_cache:?}");
    assert_eq!(told(&text(&admin, "/admin/cache?range=24h").await), Vec::<String>::new());
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
