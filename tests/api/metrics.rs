use crate::harness::{RedisServer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_requests_by_route_and_what_the_cache_counted() {
    let app = TestApp::builder().northwind().spawn().await;
    let vendor = app.log_in_as_vendor("7").await;
    for _ in 0..3 {
        vendor.get("/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-12-31").await;
    }
    vendor.get("/api/vendor/products/no-such-product").await;
    let response = app.client().get("/metrics").await;
    assert!(response.headers()["content-type"].to_str().expect("ASCII").starts_with("application/openmetrics-text"));
    let text = response.text().await.expect("a text");
    for line in [
        "vendorscope_http_request_duration_seconds_count{method=\"GET\",\
         route=\"/api/vendor/analytics/snapshot\",status=\"200\"} 3",
        "vendorscope_http_request_duration_seconds_count{method=\"GET\",\
         route=\"/api/vendor/products/{id}\",status=\"404\"} 1",
        "vendorscope_cache_events_total{event=\"hits\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(!text.contains("no-such-product"), "what somebody made up is no label");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_who_has_the_token_and_for_nobody_in_production_without_one() {
    let with_token =
        TestApp::builder().config(|config| config.http.metrics_token = Some("0123456789abcdef".into())).spawn().await;
    let ask =
        |token: &'static str| with_token.client().request(reqwest::Method::GET, "/metrics").bearer_auth(token).send();
    assert_eq!(ask("0123456789abcdef").await.expect("an answer").status(), 200);
    assert_eq!(ask("0123456789abcdeF").await.expect("an answer").status(), 401);
    assert_eq!(with_token.client().get("/metrics").await.status(), 401);
    let production = TestApp::builder().config(|config| config.production = true).spawn().await;
    assert_eq!(production.client().get("/metrics").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_says_when_redis_may_throw_sessions_away() {
    for (options, policy) in [
        (&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"][..], Some("allkeys-lru")),
        (&["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"], None),
        (&["--maxmemory-policy", "allkeys-lru"], None),
    ] {
        let redis = RedisServer::start_with(options);
        let app = TestApp::builder().redis(&redis).spawn().await;
        let ready = app.client().get_json("/readyz").await;
        assert_eq!((ready["ready"].as_bool(), ready["sessionEviction"].as_str()), (Some(true), policy), "{options:?}");
        let page = app
            .log_in_as_admin()
            .await
            .request(reqwest::Method::GET, "/admin/cache")
            .header("accept", "text/html")
            .send()
            .await;
        let page = page.expect("an answer").text().await.expect("a text");
        let warning = ["People may be logged out", "SESSION_REDIS_URL", "with noeviction for sessions"]
            .map(|part| page.contains(part));
        assert_eq!(warning, [policy.is_some(); 3], "{options:?}: {page}");
        assert!(policy.is_none_or(|policy| page.contains(policy)), "{page}");
    }
}
