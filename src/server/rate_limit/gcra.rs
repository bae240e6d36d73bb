//! The generic cell rate algorithm (ITU-T I.371), in whole microseconds. What is kept of somebody is one instant,
//! `due`: when all that was let in would have been, had it come evenly. Each request moves it by one interval, and may
//! move it no further ahead of the clock than a full burst.

use std::time::Duration;

use crate::server::config::Limit;

/// A limit as the algorithm needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Microseconds from one to the next, when they come evenly.
    pub interval: u64,
    /// How many may come at once.
    pub burst: u64,
}

/// Whether one more is let in, and how things stand then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    pub admitted: bool,
    /// How many more may come at once.
    pub remaining: u64,
    /// Microseconds until the next one is let in; 0 where this one was.
    pub retry_after: u64,
    /// Microseconds until a full burst may come again.
    pub reset: u64,
}

impl Rate {
    pub fn of(limit: Limit) -> Self {
        let (count, period) =
            (u64::from(limit.count.get()), u64::try_from(limit.period.as_micros()).unwrap_or(u64::MAX));
        Self { interval: (period / count).max(1), burst: count }
    }

    /// One instance's part, where `instances` share what this allows. Together they let in no more per time; where
    /// there are more instances than requests in a burst, each still lets in one.
    pub fn share(self, instances: u64) -> Self {
        Self { interval: self.interval * instances, burst: (self.burst / instances).max(1) }
    }

    /// Microseconds that `due` may be ahead of the clock.
    pub fn tolerance(self) -> u64 {
        self.interval * self.burst
    }

    /// Decides on one request at `now`; with it, what `due` becomes where it is let in.
    pub fn admit(self, due: Option<u64>, now: u64) -> (Decision, Option<u64>) {
        let full = now + self.tolerance();
        // Never further ahead than a full burst, whatever the clock or the limit was when it was written.
        let due = due.unwrap_or(now).clamp(now, full);
        let next = due + self.interval;
        if next > full {
            (Decision { admitted: false, remaining: 0, retry_after: next - full, reset: due - now }, None)
        } else {
            (
                Decision {
                    admitted: true,
                    remaining: (full - next) / self.interval,
                    retry_after: 0,
                    reset: next - now,
                },
                Some(next),
            )
        }
    }

    /// The decision on one of several that come at once, after `before` others of them: what `admit` decides when these
    /// have moved `due` as far as they were let in.
    pub fn admit_after(self, before: u64, due: u64, now: u64) -> Decision {
        let full = now + self.tolerance();
        let due = due.clamp(now, full);
        let let_in = before.min((full - due) / self.interval);
        self.admit(Some(due + let_in * self.interval), now).0
    }

    /// What `due` becomes when one that was let in is not to count.
    pub fn give_back(self, due: u64) -> u64 {
        due.saturating_sub(self.interval)
    }
}

impl Decision {
    pub fn retry_after(self) -> Duration {
        Duration::from_micros(self.retry_after)
    }

    pub fn reset(self) -> Duration {
        Duration::from_micros(self.reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_burst_is_let_in_and_then_one_each_interval() {
        let rate = Rate::of(Limit::new(5, Duration::from_secs(10)).unwrap());
        assert_eq!(rate, Rate { interval: 2 * SECOND, burst: 5 });
        let mut due = None;
        for remaining in (0..5).rev() {
            let (decision, next) = rate.admit(due, SECOND);
            assert_eq!((decision.admitted, decision.remaining), (true, remaining));
            due = next;
        }
        let (decision, next) = rate.admit(due, SECOND);
        assert_eq!(
            (decision, next),
            (Decision { admitted: false, remaining: 0, retry_after: 2 * SECOND, reset: 10 * SECOND }, None)
        );
        let (decision, _) = rate.admit(due, 2 * SECOND);
        assert_eq!((decision.admitted, decision.retry_after), (false, SECOND), "a refusal costs nothing");
        assert!(rate.admit(due, 3 * SECOND).0.admitted);
        assert_eq!(rate.admit(due, 100 * SECOND).0.remaining, 4, "after a while all is as at first");
    }

    #[test]
    fn those_that_come_at_once_are_decided_on_as_if_one_came_after_the_other() {
        let rate = Rate { interval: 10, burst: 3 };
        for first in [0, 90, 100, 111, 119, 130, 1_000] {
            let mut due = Some(first);
            for before in 0..6 {
                let (decision, next) = rate.admit(due, 100);
                assert_eq!(rate.admit_after(before, first, 100), decision, "{before} before it, due {first}");
                due = next.or(due);
            }
        }
    }

    #[test]
    fn what_is_given_back_was_never_taken() {
        let rate = Rate { interval: 10, burst: 2 };
        let first = rate.admit(None, 100).1.unwrap();
        let second = rate.admit(Some(first), 100).1.unwrap();
        assert!(!rate.admit(Some(second), 100).0.admitted);
        assert!(rate.admit(Some(rate.give_back(second)), 100).0.admitted);
    }

    #[test]
    fn a_clock_that_was_set_back_shuts_nobody_out_for_longer_than_a_burst_takes() {
        let rate = Rate { interval: 10, burst: 2 };
        assert_eq!(rate.admit(Some(1_000_000), 100).0.retry_after, 10);
    }

    #[test]
    fn shares_never_add_up_to_more_per_time() {
        for instances in 1..=20 {
            let whole = Rate { interval: 1_000, burst: 10 };
            let share = whole.share(instances);
            assert_eq!(share.interval, whole.interval * instances);
            assert!(share.burst >= 1 && (share.burst * instances <= whole.burst || share.burst == 1));
        }
    }
}
