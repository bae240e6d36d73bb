//! Telling the log of what goes on failing: at once, then now and then, and when it is over.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How often the same cause is told of again.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Causes that are told apart. Of more within [`TELL_EVERY`], none is told.
const CAUSES: usize = 8;

/// Something that is tried again and again. Nothing is wrong at first.
#[derive(Debug, Default)]
pub(crate) struct Complaint(Mutex<Option<Failing>>);

#[derive(Debug)]
struct Failing {
    since: Instant,
    last: Instant,
    /// Causes, and when each was told of last.
    told: Vec<(String, Instant)>,
}

impl Complaint {
    /// It has failed once more. For how long it has by now, if that is to be told.
    pub fn fails(&self, cause: &str) -> Option<Duration> {
        let now = Instant::now();
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failing = failing.get_or_insert_with(|| Failing { since: now, last: now, told: Vec::new() });
        failing.last = now;
        failing.told.retain(|(_, at)| now.duration_since(*at) < TELL_EVERY);
        if failing.told.len() >= CAUSES || failing.told.iter().any(|(told, _)| told == cause) {
            return None;
        }
        failing.told.push((cause.to_owned(), now));
        Some(now.duration_since(failing.since))
    }

    /// It has failed once more. Whether it did not before, for what is told once however long it lasts.
    pub fn begins(&self) -> bool {
        let now = Instant::now();
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = failing.is_none();
        failing.get_or_insert_with(|| Failing { since: now, last: now, told: Vec::new() }).last = now;
        begins
    }

    /// For how long it has been failing; `None` while nothing is wrong.
    pub fn lasts(&self) -> Option<Duration> {
        let failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failing.as_ref().map(|failing| failing.since.elapsed())
    }

    /// What was looked at since `began` shows that nothing fails any more. For how long it did, if it did: once.
    pub fn is_over(&self, began: Instant) -> Option<Duration> {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = failing.take_if(|failing| failing.last < began)?;
        Some(began.duration_since(over.since))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const WHILE: Duration = Duration::from_millis(50);

    #[tokio::test(start_paused = true)]
    async fn a_cause_is_told_of_at_once_then_every_ten_seconds_and_another_one_at_once() {
        let (complaint, mut told) = (Complaint::default(), Vec::new());
        for attempt in 0..600 {
            // From the twelfth second on two causes take turns.
            let cause = if attempt >= 240 && attempt % 2 == 1 { "refused" } else { "no answer" };
            told.extend(complaint.fails(cause).map(|lasted| (cause, lasted.as_secs())));
            advance(WHILE).await;
        }
        assert_eq!(
            told,
            [("no answer", 0), ("no answer", 10), ("refused", 12), ("no answer", 20), ("refused", 22)],
            "of thirty seconds"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn causes_that_are_never_the_same_do_not_fill_the_log() {
        let complaint = Complaint::default();
        let told = (0..1_000).filter(|attempt| complaint.fails(&format!("attempt {attempt}")).is_some()).count();
        assert_eq!(told, CAUSES);
        advance(TELL_EVERY).await;
        assert_eq!(complaint.fails("another"), Some(TELL_EVERY));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_once_begins_again_only_after_it_was_over() {
        let complaint = Complaint::default();
        for _ in 0..2 {
            let told = (0..600).filter(|_| complaint.begins()).count();
            assert_eq!(told, 1);
            advance(WHILE).await;
            assert_eq!(complaint.is_over(Instant::now()), Some(WHILE));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_over_once_and_only_by_a_look_that_began_after_the_last_failure() {
        let complaint = Complaint::default();
        assert_eq!(complaint.is_over(Instant::now()), None, "nothing was wrong");
        complaint.fails("no answer");
        let looked = Instant::now();
        advance(WHILE).await;
        complaint.fails("no answer");
        assert_eq!(complaint.is_over(looked), None);
        assert_eq!(complaint.lasts(), Some(WHILE));
        advance(WHILE).await;
        assert_eq!(complaint.is_over(Instant::now()), Some(2 * WHILE));
        assert_eq!((complaint.is_over(Instant::now()), complaint.lasts()), (None, None), "it is told once");
        assert_eq!(complaint.fails("no answer"), Some(Duration::ZERO), "and begins anew");
    }
}
