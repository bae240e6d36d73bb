//! What this instance counts for Prometheus.

use std::{fmt, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, text::encode},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use vendorscope_cache::{
    Condition,
    stats::{self, Counts},
    times::Timing,
};

/// Upper bounds of the request histogram's buckets, in seconds: from a cached answer to one that is given up.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Counters that live as long as the process. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Metrics {
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    repeats: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    /// As the router has it, `{id}` and all: never what somebody made up.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    event: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { requests: Family::new_with_constructor(|| Histogram::new(SECONDS)), repeats: Counter::default() }
    }
}

impl Metrics {
    /// Notes one answered request.
    pub fn observe(&self, method: &str, route: &str, status: u16, elapsed: Duration) {
        const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
        self.requests
            .get_or_create(&RequestLabels { method, route: route.to_owned(), status })
            .observe(elapsed.as_secs_f64());
    }

    /// Notes that one of them was given an answer of before.
    pub fn count_repeat(&self) {
        self.repeats.inc();
    }

    /// All of it as Prometheus reads it (OpenMetrics 1.0).
    pub fn render(&self, cache: &Counts, condition: &Condition, statements: u64) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("vendorscope");
        let commit = option_env!("VENDORSCOPE_COMMIT").filter(|commit| !commit.is_empty()).unwrap_or("unknown");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION")), ("commit", commit)]);
        registry.register("build", "The release that this instance is", build);
        registry.register(
            "http_request_duration_seconds",
            "Requests that this instance answered",
            self.requests.clone(),
        );
        registry.register(
            "http_answers_repeated",
            "Requests of these that were given an answer of before, without being routed",
            self.repeats.clone(),
        );
        let events = Family::<EventLabels, Counter>::default();
        for counter in stats::Counter::ALL {
            events.get_or_create(&EventLabels { event: counter.name().to_owned() }).inc_by(cache.get(counter));
        }
        for (name, misses) in cache.families() {
            events.get_or_create(&EventLabels { event: name.to_owned() }).inc_by(misses);
        }
        registry.register(
            "cache_events",
            "What happened to lookups in the cache, of all instances that share it together",
            events,
        );
        registry.register_collector(Box::new(CacheTimes(cache.clone())));
        register_condition(&mut registry, condition);
        let sent = Counter::<u64>::default();
        sent.inc_by(statements);
        registry.register("database_statements", "Statements that this instance sent to the database", sent);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// How this instance's cache fares now.
fn register_condition(registry: &mut Registry, condition: &Condition) {
    let openings = Counter::<u64>::default();
    openings.inc_by(condition.connections.iter().map(|connection| connection.openings).sum());
    registry.register(
        "cache_breaker_openings",
        "How often this instance left off asking a server of the cache",
        openings,
    );
    let mut register = |name: &str, help: &str, value: f64| {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    let open = condition.connections.iter().filter(|connection| connection.down.is_some()).count();
    register(
        "cache_breakers_open",
        "Servers of the cache that this instance does not ask, because they did not answer",
        open as f64,
    );
    register(
        "cache_outbox_pending",
        "Invalidations that the cache has still to be told of, as this instance knows them: of all instances together",
        condition.pending as f64,
    );
    register(
        "cache_outbox_pending_seconds",
        "For how long this instance has not been able to deliver the oldest of these; 0 where it is",
        condition.pending_for.unwrap_or_default().as_secs_f64(),
    );
    if let Some(ago) = condition.looked_ago {
        register("cache_outbox_look_age_seconds", "Since this instance looked at the outbox last", ago.as_secs_f64());
    }
    if let Some(epoch) = condition.epoch {
        register("cache_store_epoch", "Counted further whenever another store begins to count", epoch as f64);
    }
    register("cache_near_entries", "Entries in this instance's own memory", condition.near_entries as f64);
    register("cache_near_bytes", "About what they take", condition.near_bytes as f64);
}

/// How long loads and hits took, of all instances that share the cache together.
#[derive(Debug)]
struct CacheTimes(Counts);

impl Collector for CacheTimes {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (timing, name, help) in [
            (Timing::Load, "cache_load_duration", "Values loaded from the database, of all instances"),
            (Timing::Hit, "cache_hit_duration", "Lookups that were hits, of all instances"),
        ] {
            let times = self.0.times(timing);
            let buckets: Vec<_> = times.buckets().collect();
            encoder
                .encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?
                .encode_histogram::<[(&str, &str); 0]>(times.sum().as_secs_f64(), times.count(), &buckets, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use vendorscope_cache::store::LinkStatus;

    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_methods_that_nobody_knows_together() {
        let metrics = Metrics::default();
        metrics.observe("GET", "/api/vendor/products/{id}", 200, Duration::from_millis(3));
        metrics.observe("BREW", "/", 405, Duration::from_millis(3));
        let mut counts = Counts::default();
        counts.set(stats::Counter::Hits, 7);
        let timed = stats::Stats::default();
        timed.time(Timing::Load, Duration::from_millis(7));
        timed.time(Timing::Load, Duration::from_secs(9));
        let down = Some(("no answer".to_owned(), std::time::SystemTime::UNIX_EPOCH));
        let condition = Condition {
            looked_ago: Some(Duration::from_millis(250)),
            pending: 3,
            pending_for: Some(Duration::from_secs(4)),
            epoch: Some(1),
            is_trusted: true,
            near_entries: 5,
            near_bytes: 6_000,
            connections: vec![LinkStatus { down, openings: 2 }, LinkStatus { down: None, openings: 1 }],
        };
        let text = metrics.render(&counts.plus(&timed.take()), &condition, 12).unwrap();
        for line in [
            "vendorscope_http_request_duration_seconds_count{method=\"GET\",\
             route=\"/api/vendor/products/{id}\",status=\"200\"} 1",
            "vendorscope_http_request_duration_seconds_count{method=\"other\",route=\"/\",status=\"405\"} 1",
            "vendorscope_cache_events_total{event=\"hits\"} 7",
            "vendorscope_database_statements_total 12",
            "# TYPE vendorscope_cache_load_duration_seconds histogram",
            "vendorscope_cache_load_duration_seconds_bucket{le=\"0.005\"} 0",
            "vendorscope_cache_load_duration_seconds_bucket{le=\"0.01\"} 1",
            "vendorscope_cache_load_duration_seconds_bucket{le=\"+Inf\"} 2",
            "vendorscope_cache_load_duration_seconds_sum 9.007",
            "vendorscope_cache_hit_duration_seconds_count 0",
            "vendorscope_cache_breakers_open 1.0",
            "vendorscope_cache_breaker_openings_total 3",
            "vendorscope_cache_outbox_pending 3.0",
            "vendorscope_cache_outbox_pending_seconds 4.0",
            "vendorscope_cache_outbox_look_age_seconds 0.25",
            "vendorscope_cache_store_epoch 1.0",
            "vendorscope_cache_near_entries 5.0",
            "vendorscope_cache_near_bytes 6000.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        let build = format!("vendorscope_build_info{{version=\"{}\",commit=", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&build) && text.ends_with("# EOF\n"), "{text}");
        // Before the first look there is no age of it.
        let condition = Condition { looked_ago: None, ..condition };
        assert!(!metrics.render(&counts, &condition, 0).unwrap().contains("look_age"));
    }
}
