use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{Db, DbError, sql};

/// What was found when the database was last looked at. Strangers ask for it as often as they like: it costs a write a
/// second.
#[derive(Default)]
pub(super) struct Readiness {
    found: watch::Sender<Option<Found>>,
    is_looking: AtomicBool,
}

#[derive(Clone)]
struct Found {
    at: Instant,
    outcome: Result<(), String>,
}

/// How long what was found counts.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// How long a caller waits for what is being looked at. Balancers do not wait much longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// A look may take this long where the one before it was good: others write, and it waits its turn behind them.
const TAKES_ITS_TURN_WITHIN: Duration = Duration::from_secs(10);

impl Readiness {
    pub(super) async fn ask(db: &Db) -> Result<(), String> {
        let readiness = &db.readiness;
        let mut found = readiness.found.subscribe();
        let last = found.borrow().clone();
        if let Some(last) = last.as_ref().filter(|last| last.at.elapsed() < FRESH_FOR) {
            return last.outcome.clone();
        }
        if !readiness.is_looking.swap(true, Ordering::AcqRel) {
            // Not by the caller, who may hang up: then the next one would begin anew.
            tokio::spawn(look(db.clone()));
        }
        if tokio::time::timeout(ANSWER_WITHIN, found.changed()).await.is_ok() {
            let now = found.borrow().clone();
            return now.map_or_else(|| Err("was not looked at".to_owned()), |now| now.outcome);
        }
        match last {
            Some(Found { at, outcome: Ok(()) }) if at.elapsed() < TAKES_ITS_TURN_WITHIN => Ok(()),
            _ => Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
        }
    }
}

async fn look(db: Db) {
    let looking = Looking(db);
    let outcome = check(&looking.0).await.map_err(|error| error.to_string());
    looking.0.readiness.found.send_replace(Some(Found { at: Instant::now(), outcome }));
}

/// Lets the next look begin, however this one ended.
struct Looking(Db);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.readiness.is_looking.store(false, Ordering::Release);
    }
}

/// A write that is kept, for a full disk shows in nothing less.
pub(super) async fn check(db: &Db) -> Result<(), DbError> {
    let mut tx = db.read().await?;
    tx.execute_uncounted(sql("SELECT 1")).await?;
    tx.commit().await?;
    let mut tx = match db.write().await {
        // Another program writes to the file, an import perhaps, and for long: it can be written to.
        Err(DbError::Unavailable(error)) if db.dialect.is_busy(&error) => return Ok(()),
        tx => tx?,
    };
    tx.execute_uncounted(sql("UPDATE readiness SET checked_us = $1").bind(Timestamp::now().as_microsecond())).await?;
    tx.commit().await
}
