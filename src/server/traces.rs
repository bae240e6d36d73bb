//! Traces for a collector that speaks OTLP over HTTP, where one is named. Where none is, spans of traces are switched
//! off where they stand, which costs a look at one number.
//!
//! A trace has a span for the request, one for what a service was asked, one for the lookup in the cache and one for
//! each query. They have targets of their own (`…::spans`), so that logs are what they are without them. Of a request
//! that is not traced there are none: whether it is, is decided before anything is made of it.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, StatusCode},
};
use opentelemetry::{
    KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{TraceContextExt, TraceId, TracerProvider},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, SpanData},
};
use tokio::runtime::Handle;
use tracing::{Level, Metadata, Span, Subscriber, field::Empty, subscriber::Interest};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::dynamic_filter_fn, layer::Context, registry::LookupSpan};

use super::tls;

/// How long what is left of traces may take to be sent when the program stops.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// What the span of a request is called.
const REQUEST: &str = "request";

/// The share of requests that are traced of those that belong to no trace yet; empty where the SDK decides.
static SHARE: OnceLock<f64> = OnceLock::new();

/// Whether traces are sent at all.
static ARE_SENT: AtomicBool = AtomicBool::new(false);

/// Whether there is a collector that traces are sent to.
pub fn are_sent() -> bool {
    ARE_SENT.load(Ordering::Relaxed)
}

/// Whether somebody wants to know the steps of what becomes of a request: of all requests, or by `debug` of what the
/// web does.
pub fn is_followed() -> bool {
    are_sent() || tracing::enabled!(target: "vendorscope::server::web", Level::DEBUG)
}

/// Sends what was traced until it is stopped.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// As the standard's variables say (`OTEL_EXPORTER_OTLP_ENDPOINT` and others). Needs a Tokio runtime.
    pub fn start() -> Result<Self, String> {
        // The exporter's client can speak TLS, whether its collector does or not.
        tls::use_ring();
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build();
        let exporter = Exporter { exporter: exporter.map_err(|error| error.to_string())?, runtime: Handle::current() };
        let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
            Some(_) => resource,
            None => resource.with_service_name("vendorscope"),
        };
        let mut provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build());
        if let Some(share) = share_of_env() {
            // What is begun here is recorded; what belongs to a caller's trace, as the caller says.
            provider = provider.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
            let _ = SHARE.set(share);
        }
        ARE_SENT.store(true, Ordering::Relaxed);
        Ok(Self(provider.build()))
    }

    /// What hands spans, and what is logged within them, to the exporter.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("vendorscope"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(dynamic_filter_fn(is_traced).with_callsite_filter(wish_for))
    }

    /// Sends what is left.
    pub async fn stop(self) {
        let flushed = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH_WITHIN)).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "traces were not all sent");
        }
    }
}

/// `OTEL_TRACES_SAMPLER_ARG` under `parentbased_traceidratio`: the SDK would decide as well, after all spans were made.
fn share_of_env() -> Option<f64> {
    let is_share = std::env::var("OTEL_TRACES_SAMPLER").is_ok_and(|sampler| sampler == "parentbased_traceidratio");
    let share = std::env::var("OTEL_TRACES_SAMPLER_ARG").ok().filter(|_| is_share)?.parse().ok()?;
    (0.0..=1.0).contains(&share).then_some(share)
}

/// Spans that are meant for traces, and this program's own events. `sometimes`: whether there is such a span depends on
/// what it would stand in.
fn wish_for(metadata: &Metadata<'_>) -> Interest {
    let target = metadata.target();
    let is_own = target.starts_with("vendorscope");
    match metadata.is_span() {
        true if is_own && target.ends_with("::spans") && metadata.name() == REQUEST => Interest::always(),
        true if is_own && target.ends_with("::spans") => Interest::sometimes(),
        false if is_own && *metadata.level() <= Level::INFO => Interest::always(),
        _ => Interest::never(),
    }
}

/// The span of a request, whatever stands in one, and events.
fn is_traced<S>(metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let wish = wish_for(metadata);
    wish.is_always() || (wish.is_sometimes() && context.lookup_current().is_some())
}

/// The SDK sends from a thread of its own; the HTTP client needs the runtime's clock and sockets.
struct Exporter {
    exporter: SpanExporter,
    runtime: Handle,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

impl opentelemetry_sdk::trace::SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut sending = pin!(self.exporter.export(batch));
        poll_fn(|context| {
            let _runtime = self.runtime.enter();
            sending.as_mut().poll(context)
        })
        .await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The span of one request, as a part of the trace that the caller names (`traceparent`, W3C Trace Context). Disabled
/// where nothing is traced, and for those who only ask whether the instance is well.
pub fn request_span(request: &Request) -> Span {
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics") {
        return Span::none();
    }
    let is_of_caller = request.headers().contains_key("traceparent");
    if !is_of_caller && SHARE.get().is_some_and(|share| rand::random::<f64>() >= *share) {
        return Span::none();
    }
    let span = tracing::trace_span!(
        target: "vendorscope::spans",
        "request",
        otel.kind = "server",
        otel.name = Empty,
        otel.status_code = Empty,
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
        url.path = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let parent = TraceContextPropagator::new().extract(&Headers(request.headers()));
    if parent.span().span_context().is_valid() {
        // It has just been made: nothing has begun it yet.
        let _ = span.set_parent(parent);
    }
    let (method, route) =
        (request.method().as_str(), request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    span.record("otel.name", route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")));
    span.record("http.request.method", method);
    if let Some(route) = route {
        span.record("http.route", route);
    }
    // Without the query: people type into it.
    span.record("url.path", request.uri().path());
    span
}

/// Notes how a request was answered.
pub fn note_status(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// The id of the trace that a span belongs to, in 32 digits; `None` where nothing is traced.
pub fn trace_id(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let trace = context.span().span_context().trace_id();
    (trace != TraceId::INVALID).then(|| trace.to_string())
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
