use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use super::gcra::{Decision, Rate};

/// What this process knows of who asked how often.
#[derive(Debug)]
pub struct MemoryLimits {
    began: Instant,
    due: Mutex<HashMap<String, u64>>,
}

/// Entries at which those that say nothing any more are looked for.
const SWEEP_AT: usize = 10_000;

impl Default for MemoryLimits {
    fn default() -> Self {
        Self { began: Instant::now(), due: Mutex::default() }
    }
}

impl MemoryLimits {
    pub fn admit(&self, key: &str, rate: Rate) -> Decision {
        let now = self.now();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let (decision, next) = rate.admit(due.get(key).copied(), now);
        if let Some(next) = next {
            // A due instant that has passed is as good as none. Looked for each time the number of entries has doubled.
            if due.len() >= SWEEP_AT && due.len().is_power_of_two() {
                due.retain(|_, due| *due > now);
            }
            due.insert(key.to_owned(), next);
        }
        decision
    }

    /// What `admit` would decide.
    pub fn look(&self, key: &str, rate: Rate) -> Decision {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied();
        rate.admit(due, self.now()).0
    }

    pub fn give_back(&self, key: &str, rate: Rate) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(due) = due.get_mut(key) {
            *due = rate.give_back(*due);
        }
    }

    /// Microseconds; a clock that nobody sets.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
