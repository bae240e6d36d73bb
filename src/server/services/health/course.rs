use jiff::{SignedDuration, Timestamp};
use vendorscope_cache::{
    Span,
    stats::{Counter, Counts},
    times::Timing,
};

use super::{
    Health,
    facts::sum,
    report::{event, percentiles},
    rows,
};
use crate::server_functions::cache_health::{CacheCourse, CoursePoint, CourseRange};

/// Events of one chart.
const EVENTS: i64 = 200;

impl Health {
    /// What was counted over time, and what happened meanwhile.
    pub async fn course(&self, range: CourseRange) -> CacheCourse {
        // Spans of counts, and how many of them are one point.
        let (span, spans, of_a_point) = match range {
            CourseRange::Hour => (Span::Minute, 60, 1),
            CourseRange::Day => (Span::Minute, 24 * 60, 10),
            CourseRange::Week => (Span::Hour, 7 * 24, 1),
        };
        let step = span.lasts().as_secs() * of_a_point;
        // The last point is the present one, and every point begins at a round time.
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
        let ahead = (step - now % step).div_ceil(span.lasts().as_secs()).saturating_sub(1) as usize;
        let course = self.cache.course(span, spans - ahead).await;
        let points: Vec<_> = course
            .spans
            .chunks(of_a_point as usize)
            .zip(0_u64..)
            .map(|(counts, place)| {
                let second = i64::try_from(course.from + place * step).unwrap_or(0);
                point(Timestamp::from_second(second).unwrap_or_default(), &sum(counts))
            })
            .collect();
        let from = points.first().map_or_else(Timestamp::now, |point| point.at);
        let events = self.ask(rows::list_events(&self.db, from.as_microsecond(), EVENTS)).await.unwrap_or_default();
        let until = Timestamp::now() + SignedDuration::from_secs(1);
        let marked = events.iter().filter(|row| row.kind != "verdict").map(event).filter(|event| event.at <= until);
        let mut events: Vec<_> = marked.collect();
        events.reverse();
        CacheCourse { range, step_seconds: step, is_whole: course.is_whole, points, events }
    }
}

fn point(at: Timestamp, counts: &Counts) -> CoursePoint {
    let of = |counter| counts.get(counter);
    CoursePoint {
        at,
        hit_rate: counts.hit_rate_percent(),
        l1_hits: of(Counter::L1Hits),
        store_hits: of(Counter::Hits).saturating_sub(of(Counter::L1Hits)),
        misses: counts.misses(),
        bypasses: of(Counter::Bypasses),
        stale: of(Counter::Stale),
        loads: of(Counter::Loads),
        load_time: percentiles(counts.times(Timing::Load)),
        invalidated_tags: of(Counter::InvalidatedTags),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vendorscope_cache::stats::Stats;

    use super::*;

    #[test]
    fn a_point_has_the_counter_that_each_of_its_figures_is_called_after() {
        let stats = Stats::default();
        for (counter, count) in Counter::ALL.into_iter().zip(1..) {
            stats.add_many(counter, 1_000 - count);
        }
        (0..4).for_each(|_| stats.time(Timing::Load, Duration::from_millis(7)));
        let counts = stats.take();
        let of = |counter| counts.get(counter);
        let found = point(Timestamp::UNIX_EPOCH, &counts);
        assert_eq!(
            (found.l1_hits, found.store_hits, found.misses, found.bypasses, found.stale),
            (
                of(Counter::L1Hits),
                of(Counter::Hits) - of(Counter::L1Hits),
                counts.misses(),
                of(Counter::Bypasses),
                of(Counter::Stale)
            )
        );
        assert_eq!((found.loads, found.invalidated_tags), (of(Counter::Loads), of(Counter::InvalidatedTags)));
        assert_eq!(found.hit_rate, counts.hit_rate_percent());
        assert!(found.load_time.is_some_and(|times| times.p50 > 5.0 && times.p99 <= 10.0));
    }
}
