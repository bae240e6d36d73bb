//! What this instance counts for Prometheus.

use std::{fmt, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, text::encode},
    metrics::{MetricType, counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

use vendorscope_cache::{
    stats::{self, Counts},
    times::Timing,
};

/// Upper bounds of the request histogram's buckets, in seconds: from a cached answer to one that is given up.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Counters that live as long as the process. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Metrics {
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
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
        Self { requests: Family::new_with_constructor(|| Histogram::new(SECONDS)) }
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

    /// All of it as Prometheus reads it (OpenMetrics 1.0).
    pub fn render(&self, cache: &Counts, statements: u64) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("vendorscope");
        registry.register(
            "http_request_duration_seconds",
            "Requests that this instance answered",
            self.requests.clone(),
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
        let sent = Counter::<u64>::default();
        sent.inc_by(statements);
        registry.register("database_statements", "Statements that this instance sent to the database", sent);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
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
        let text = metrics.render(&counts.plus(&timed.take()), 12).unwrap();
        for line in [
            "vendorscope_http_request_duration_seconds_count{method=\"GET\",route=\"/api/vendor/products/{id}\",status=\"200\"} 1",
            "vendorscope_http_request_duration_seconds_count{method=\"other\",route=\"/\",status=\"405\"} 1",
            "vendorscope_cache_events_total{event=\"hits\"} 7",
            "vendorscope_database_statements_total 12",
            "# TYPE vendorscope_cache_load_duration_seconds histogram",
            "vendorscope_cache_load_duration_seconds_bucket{le=\"0.005\"} 0",
            "vendorscope_cache_load_duration_seconds_bucket{le=\"0.01\"} 1",
            "vendorscope_cache_load_duration_seconds_bucket{le=\"+Inf\"} 2",
            "vendorscope_cache_load_duration_seconds_sum 9.007",
            "vendorscope_cache_hit_duration_seconds_count 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
