//! What a collector of traces gets: every byte of it is taken by a receiver in this process, and read.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Client, PASSWORD, Program, RedisServer, TestApp, TestDatabase};

const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-12-31";
const ARRIVES_WITHIN: Duration = Duration::from_secs(60);

/// Takes OTLP over HTTP.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    resource: Arc<Mutex<HashMap<String, String>>>,
}

impl Collector {
    async fn start(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let collector = self.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            let request = ExportTraceServiceRequest::decode(body).expect("the protobuf of OTLP, to its last byte");
            for of_resource in request.resource_spans {
                let attributes = of_resource.resource.expect("a resource").attributes;
                *collector.resource.lock().unwrap_or_else(PoisonError::into_inner) = texts(&attributes);
                let spans = of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans);
                collector.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
            }
            ([("content-type", "application/x-protobuf")], ExportTraceServiceResponse::default().encode_to_vec())
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
        address
    }

    /// The spans of this trace, once its request has ended.
    async fn trace(&self, id: &str) -> Vec<Span> {
        let begun = Instant::now();
        loop {
            let all = self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let ours: Vec<Span> = all.into_iter().filter(|span| hex(&span.trace_id) == id).collect();
            if ours.iter().any(|span| span.kind() == SpanKind::Server) {
                return ours;
            }
            assert!(begun.elapsed() < ARRIVES_WITHIN, "no request of trace {id} arrives");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        Value::BoolValue(is) => Some(is.to_string()),
        _ => None,
    };
    attributes.iter().filter_map(|attribute| Some((attribute.key.clone(), text(attribute)?))).collect()
}

/// The names from a span up to the request, which is the last.
fn ancestry(spans: &[Span], span: &Span) -> Vec<String> {
    let mut names = vec![span.name.clone()];
    let mut above = span.parent_span_id.clone();
    while let Some(parent) = spans.iter().find(|other| other.span_id == above) {
        names.push(parent.name.clone());
        above = parent.parent_span_id.clone();
    }
    names
}

struct Site {
    collector: Collector,
    program: Program,
    client: Client,
    _database: TestDatabase,
    _redis: RedisServer,
}

/// The program, with Northwind and a collector, and somebody of vendor 7 logged in.
async fn site() -> Site {
    site_with(&[]).await
}

/// The same, with these variables too.
async fn site_with(more: &[(&str, &str)]) -> Site {
    let (database, redis, collector) = (TestDatabase::sqlite(), RedisServer::start(), Collector::default());
    let preparing = TestApp::builder().database(&database).redis(&redis).northwind().spawn().await;
    drop(preparing.log_in_as_vendor("7").await);
    let endpoint = format!("http://{}", collector.start().await);
    let vars = [
        ("DATABASE_URL", database.url()),
        ("REDIS_URL", &redis.url()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let program = Program::serve_with(&[&vars[..], more].concat());
    let client = Client::new(program.address);
    let login = json!({ "email": "vendor-7@example.com", "password": PASSWORD });
    assert_eq!(client.post("/api/auth/login", &login).await.status(), 200);
    Site { collector, program, client, _database: database, _redis: redis }
}

async fn ask(site: &Site, path: &str, traceparent: &str) -> reqwest::Response {
    site.client.request(Method::GET, path).header("traceparent", traceparent).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_is_traced_from_the_caller_down_to_its_queries() {
    let site = site().await;
    let (trace, caller) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let answer = ask(&site, SNAPSHOT, &format!("00-{trace}-{caller}-01")).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["x-request-id"]), (200, &trace.parse().expect("a value")));
    assert_eq!(answer.headers()["x-cache"], "MISS");

    let spans = site.collector.trace(trace).await;
    let requests: Vec<&Span> = spans.iter().filter(|span| span.kind() == SpanKind::Server).collect();
    let [request] = requests[..] else { panic!("{requests:?}") };
    assert_eq!(hex(&request.parent_span_id), caller, "it is a part of the caller's trace");
    assert_eq!(request.name, "GET /api/vendor/analytics/snapshot");
    let told = texts(&request.attributes);
    for (name, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/api/vendor/analytics/snapshot"),
        ("http.response.status_code", "200"),
        ("url.path", "/api/vendor/analytics/snapshot"),
    ] {
        assert_eq!(told.get(name).map(String::as_str), Some(value), "{told:?}");
    }
    assert!(!format!("{spans:?}").contains("dateFrom"), "queries of addresses stay out of it");

    const SERVICE: &str = "analytics.snapshot_json";
    let of_the_service = |spans: &[Span]| -> Vec<Span> {
        let is_query = |span: &&Span| span.name == "query" && ancestry(spans, span).iter().any(|name| name == SERVICE);
        spans.iter().filter(is_query).cloned().collect()
    };
    let of_the_figures = of_the_service(&spans);
    assert!((1..=7).contains(&of_the_figures.len()), "{of_the_figures:?}");
    for query in &of_the_figures {
        assert_eq!(ancestry(&spans, query), ["query", "cache", SERVICE, "GET /api/vendor/analytics/snapshot"]);
        assert_eq!((query.kind(), texts(&query.attributes)["db.system.name"].as_str()), (SpanKind::Client, "sqlite"));
        let within = query.start_time_unix_nano >= request.start_time_unix_nano
            && query.end_time_unix_nano <= request.end_time_unix_nano;
        assert!(within, "a query takes place within its request");
    }
    let resource = site.collector.resource.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(resource["service.name"], "vendorscope");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    // Every line of the log that belongs to it names it.
    let log = site.program.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(trace)).collect();
    assert!(
        lines.iter().any(|line| line.contains("answered")) && lines.iter().any(|line| line.contains("cache miss")),
        "{log}"
    );

    // The same again is a hit: nothing is asked of the database.
    let again = "1af7651916cd43dd8448eb211c80319c";
    assert_eq!(ask(&site, SNAPSHOT, &format!("00-{again}-{caller}-01")).await.headers()["x-cache"], "HIT");
    let spans = site.collector.trace(again).await;
    assert!(spans.iter().any(|span| span.name == SERVICE), "{spans:?}");
    let queries = of_the_service(&spans);
    assert!(queries.is_empty(), "{queries:?}");
}

/// Whether a request is traced is decided first: of one that is not there is no span at all, of one that is there are
/// all, and one that belongs to a caller's trace follows the caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_share_of_requests_is_traced_whole_and_the_others_not_at_all() {
    const SAMPLER: (&str, &str) = ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
    let (caller, wanted, unwanted) =
        ("b7ad6b7169203331", "3af7651916cd43dd8448eb211c80319c", "4af7651916cd43dd8448eb211c80319c");
    for (share, is_traced) in [("0", false), ("1", true)] {
        let mut site = site_with(&[SAMPLER, ("OTEL_TRACES_SAMPLER_ARG", share)]).await;
        assert_eq!(site.client.get(SNAPSHOT).await.status(), 200);
        assert_eq!(ask(&site, SNAPSHOT, &format!("00-{unwanted}-{caller}-00")).await.status(), 200);
        assert_eq!(ask(&site, "/api/vendor/products", &format!("00-{wanted}-{caller}-01")).await.status(), 200);
        site.program.tell_to_stop();
        assert_eq!(site.program.until_ended().await, Some(0));
        let all = site.collector.spans.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (of_caller, others): (Vec<Span>, Vec<Span>) =
            all.into_iter().partition(|span| hex(&span.trace_id) == wanted);
        let has = |spans: &[Span], name: &str| spans.iter().any(|span| span.name == name);
        assert!(has(&of_caller, "GET /api/vendor/products") && has(&of_caller, "query"), "{share}: {of_caller:?}");
        assert!(others.iter().all(|span| hex(&span.trace_id) != unwanted), "{share}: {others:?}");
        let name = "GET /api/vendor/analytics/snapshot";
        assert_eq!((has(&others, name), has(&others, "query"), others.is_empty()), (is_traced, is_traced, !is_traced));
        for span in &others {
            let top = ancestry(&others, span).pop().expect("itself");
            assert!(top.contains(' '), "{share}: a request stands above each: {top}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_error_page_names_its_trace_and_what_is_left_is_sent_when_the_program_stops() {
    let mut site = site().await;
    let trace = "2af7651916cd43dd8448eb211c80319c";
    let response = site
        .client
        .request(Method::GET, "/no/such/%ff")
        .header("accept", "text/html")
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))
        .header("x-request-id", "the-balancers-name")
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 404);
    let page = response.text().await.expect("a page");
    assert!(page.contains("Request the-balancers-name · Trace 2af7651916cd43dd8448eb211c80319c"), "{page}");
    site.program.tell_to_stop();
    assert_eq!(site.program.until_ended().await, Some(0));
    let request = site.collector.trace(trace).await;
    let request = request.iter().find(|span| span.kind() == SpanKind::Server).expect("the request");
    assert_eq!(texts(&request.attributes)["http.response.status_code"], "404");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_collector_nothing_is_traced_and_one_that_is_away_disturbs_nobody() {
    let database = TestDatabase::sqlite();
    let program = Program::serve_with(&[("DATABASE_URL", database.url())]);
    assert_eq!(Client::new(program.address).get("/healthz").await.status(), 200);
    assert!(!program.log().contains("trace"), "{}", program.log());
    let away = format!("http://127.0.0.1:{}", crate::harness::free_port());
    let mut program = Program::serve_with(&[
        ("DATABASE_URL", database.url()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &away),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]);
    for _ in 0..50 {
        assert_eq!(Client::new(program.address).get("/api/auth/me").await.status(), 401);
    }
    program.tell_to_stop();
    assert_eq!(program.until_ended().await, Some(0));
}
