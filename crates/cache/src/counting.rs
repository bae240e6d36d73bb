//! Counting together with the other instances, and what all of them counted.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    Cache, Span,
    clock::micros,
    millis,
    stats::Counts,
    store::{StoreError, Usage},
};

/// How long counts stay in this process before the others can see them.
const FLUSH_COUNTS_AFTER: Duration = Duration::from_secs(2);
/// Minutes that are kept apart while the store does not answer; what is older is counted with the oldest of them.
const MINUTES_KEPT_APART: usize = 240;
/// Spans that are asked for at a time.
const SPANS_AT_ONCE: usize = 240;
/// Spans that other instances may still add to.
const UNFINISHED: u64 = 3;

/// What this process counted and has not handed over, and what it knows of all instances' counts.
#[derive(Default)]
pub(crate) struct Counting(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// By the minute in which it was counted.
    waiting: BTreeMap<u64, Counts>,
    /// When the cache was last used here, µs since 1970, to two seconds.
    used_micros: Option<u64>,
    /// The sum that the store gave last.
    sum: Option<Counts>,
    /// Of minutes and of hours: what the store has, by number, and up to which it was asked.
    courses: [(BTreeMap<u64, Counts>, Option<u64>); 2],
}

impl Counting {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, minute: u64, counts: &Counts) {
        let oldest = self.waiting.first_key_value().map(|(minute, _)| *minute);
        let minute = match oldest {
            Some(oldest) if minute < oldest && self.waiting.len() >= MINUTES_KEPT_APART => oldest,
            _ => minute,
        };
        let of_minute = self.waiting.entry(minute).or_default();
        *of_minute = of_minute.plus(counts);
        if self.waiting.len() > MINUTES_KEPT_APART
            && let (Some((_, first)), Some((second, more))) = (self.waiting.pop_first(), self.waiting.pop_first())
        {
            self.waiting.insert(second, first.plus(&more));
        }
    }
}

/// What was counted in each of some minutes or hours.
#[derive(Debug, Clone)]
pub struct Course {
    /// The oldest first; each begins where the one before it ends.
    pub spans: Vec<Counts>,
    /// When the first one begins, in seconds since 1970.
    pub from: u64,
    /// Whether the store answered: while it does not, what it said last and what this instance counted since.
    pub is_whole: bool,
}

impl Cache {
    /// What the store says of its size; nothing where it does not answer. That is told once for each time that it goes
    /// away: whoever looks at a page of it asks every few seconds.
    pub async fn usage(&self) -> Usage {
        let began = Instant::now();
        match self.0.store.usage().await {
            Ok(usage) => {
                if let Some(lasted) = self.0.size_unsaid.is_over(began) {
                    tracing::info!(lasted_ms = millis(lasted), "the store says its size again");
                }
                usage
            }
            Err(error) => {
                if self.0.size_unsaid.begins() {
                    tracing::warn!(%error, "the store says nothing of its size");
                }
                Usage::default()
            }
        }
    }

    /// What all instances counted: hits by level, misses by reason, loads and who was spared one. While the store does
    /// not answer, what it said last and what this process counted since.
    pub async fn counts(&self) -> Counts {
        if let Some(counts) = self.flush_counts().await {
            return counts;
        }
        let known = self.0.counting.known();
        let last = known.sum.clone().unwrap_or_default();
        known.waiting.values().fold(last.plus(&self.0.stats.peek()), |sum, counts| sum.plus(counts))
    }

    /// What all instances counted in each of the last minutes or hours, up to the present one; the oldest first.
    /// Minutes are kept for a day, hours for a week. `None` while the store does not answer.
    pub async fn history(&self, span: Span, spans: usize) -> Option<Vec<Counts>> {
        self.flush_counts().await?;
        self.0
            .store
            .history(span, spans, self.0.clock.now_micros())
            .await
            .inspect_err(|error| tracing::warn!(%error, "no history"))
            .ok()
    }

    /// The same, remembered: what is over is asked for once, and while the store does not answer it is what was
    /// remembered, with what this process counted since.
    pub async fn course(&self, span: Span, spans: usize) -> Course {
        self.flush_counts().await;
        let last = span.number(self.0.clock.now_micros());
        let first = (last + 1).saturating_sub(spans as u64);
        let fetched = self.fetch_course(span, first, last).await;
        if let Err(error) = &fetched {
            tracing::debug!(%error, "the course is what was known before");
        }
        let known = self.0.counting.known();
        let (course, _) = &known.courses[span as usize];
        let mut spans: Vec<Counts> =
            (first..=last).map(|number| course.get(&number).cloned().unwrap_or_default()).collect();
        let minutes = known.waiting.iter().map(|(minute, counts)| (*minute, counts.clone()));
        for (minute, counts) in minutes.chain([(self.minute(), self.0.stats.peek())]) {
            let number = minute * Span::Minute.lasts().as_secs() / span.lasts().as_secs();
            let place = number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            if let Some(counted) = place.and_then(|place| spans.get_mut(place)) {
                *counted = counted.plus(&counts);
            }
        }
        Course { spans, from: first * span.lasts().as_secs(), is_whole: fetched.is_ok() }
    }

    async fn fetch_course(&self, span: Span, first: u64, last: u64) -> Result<(), StoreError> {
        let from = {
            let known = self.0.counting.known();
            let (course, asked) = &known.courses[span as usize];
            let is_known = course.first_key_value().is_some_and(|(oldest, _)| *oldest <= first);
            asked.filter(|_| is_known).map_or(first, |asked| (asked + 1).saturating_sub(UNFINISHED).max(first))
        };
        let mut at = last + 1;
        while at > from {
            let count = usize::try_from(at - from).unwrap_or(SPANS_AT_ONCE).min(SPANS_AT_ONCE);
            let until_micros = (at - 1) * span.lasts().as_secs() * 1_000_000;
            let counts = self.0.store.history(span, count, until_micros).await?;
            at -= count as u64;
            let mut known = self.0.counting.known();
            known.courses[span as usize].0.extend((at..).zip(counts));
        }
        let mut known = self.0.counting.known();
        let (course, asked) = &mut known.courses[span as usize];
        *asked = Some(last);
        course.retain(|number, _| *number + span.kept().as_secs() / span.lasts().as_secs() > last);
        Ok(())
    }

    /// Whether anybody used the cache here within this time. One in this process counts as used: asking it costs
    /// nothing.
    pub fn was_used_within(&self, time: Duration) -> bool {
        let now = self.0.clock.now_micros();
        let used = self.0.counting.known().used_micros;
        !self.0.store.is_shared() || used.is_some_and(|used| now.saturating_sub(used) <= micros(time))
    }

    /// Begins to count anew, for all instances. What was counted by minute and hour stays.
    pub async fn reset_counts(&self) -> Result<(), StoreError> {
        self.flush_counts().await;
        self.0.store.reset_counts().await
    }

    /// Has the counts handed to the store in a moment, if they are shared and nobody is about to already.
    pub(crate) fn flush_counts_soon(&self) {
        if self.0.store.is_shared() && !self.0.flushing.swap(true, Ordering::AcqRel) {
            let cache = self.clone();
            self.0.counting.known().used_micros = Some(self.0.clock.now_micros());
            tokio::spawn(async move {
                tokio::time::sleep(FLUSH_COUNTS_AFTER).await;
                cache.0.flushing.store(false, Ordering::Release);
                cache.flush_counts().await;
            });
        }
    }

    fn minute(&self) -> u64 {
        Span::Minute.number(self.0.clock.now_micros())
    }

    /// The sum over all instances, after adding what this one counted, each minute to its own. `None` if the store does
    /// not say.
    async fn flush_counts(&self) -> Option<Counts> {
        let minute = self.minute();
        let mut waiting = {
            let mut known = self.0.counting.known();
            let counts = self.0.stats.take();
            if !counts.is_zero() {
                known.add(minute, &counts);
            }
            std::mem::take(&mut known.waiting)
        };
        // The sum is asked for, whether there is something to add or not.
        let first = waiting.pop_first().unwrap_or((minute, Counts::default()));
        let (mut next, mut sum) = (Some(first), None);
        while let Some((of, counts)) = next {
            let at =
                if of == minute { self.0.clock.now_micros() } else { of * Span::Minute.lasts().as_secs() * 1_000_000 };
            match self.0.store.add_counts(&counts, at).await {
                Ok(all) => sum = Some(all),
                Err(error) => {
                    // After a timeout they may be counted twice; statistics can bear that better than losing an outage.
                    tracing::debug!(%error, "counts kept for later");
                    let mut known = self.0.counting.known();
                    waiting.insert(of, counts);
                    waiting
                        .iter()
                        .filter(|(_, counts)| !counts.is_zero())
                        .for_each(|(of, counts)| known.add(*of, counts));
                    return None;
                }
            }
            next = waiting.pop_first();
        }
        self.0.counting.known().sum.clone_from(&sum);
        sum
    }
}
