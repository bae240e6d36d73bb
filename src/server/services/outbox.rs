use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use vendorscope_cache::{Cause, Invalidation, Look, Outbox, PendingInvalidation, StoreClaim, Tag};

use crate::server::db::{
    Db, DbError, Tx,
    health::{InvalidationRow, add_invalidations},
    outbox,
};

/// Within this time every instance has delivered what is pending, or does without what its store holds.
const TOLD_WITHIN: Duration = Duration::from_millis(1_100);
/// Tags that are named, of an invalidation that a command leaves.
const NAMED: usize = 50;

/// Invalidates without a cache at hand: leaves it to the running instances, if there are any, or to the next one that
/// starts.
pub async fn invalidate(db: &Db, tags: &[Tag], cause: &Cause) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    record_without_instance(&mut tx, tags, cause).await?;
    tx.commit().await?;
    wait_until_told().await;
    Ok(())
}

/// Leaves an invalidation in the transaction of the change that calls for it.
pub async fn record(tx: &mut Tx, tags: &[Tag], cause: &Cause) -> Result<PendingInvalidation, DbError> {
    let invalidation = Invalidation::new(tags, cause, Timestamp::now());
    let id = outbox::record(tx, &invalidation.to_json()).await?;
    Ok(PendingInvalidation { id, invalidation })
}

/// The same where no instance delivers it itself, and writes down that it did: imports and other commands.
pub async fn record_without_instance(tx: &mut Tx, tags: &[Tag], cause: &Cause) -> Result<(), DbError> {
    let PendingInvalidation { invalidation, .. } = record(tx, tags, cause).await?;
    let row = InvalidationRow {
        minute: invalidation.at.as_second().div_euclid(60),
        // Of an import of many vendors, all are too many to be told apart.
        tags: if tags.len() > NAMED { String::new() } else { invalidation.tags.join(" ") },
        who: invalidation.who,
        why: invalidation.why,
        times: 1,
        last_us: invalidation.at.as_microsecond(),
    };
    add_invalidations(tx, "command", &row).await
}

/// Returns once no instance serves anymore what earlier writes to this database have made stale.
pub async fn wait_until_told() {
    tokio::time::sleep(TOLD_WITHIN).await;
}

/// The database's outbox, as the cache needs it.
pub struct DatabaseOutbox(pub Db);

#[async_trait]
impl Outbox for DatabaseOutbox {
    async fn look(&self, limit: usize) -> Result<Look, String> {
        let found = outbox::look(&self.0, limit).await.map_err(|error| error.to_string())?;
        let read = |(id, text): (i64, String)| match serde_json::from_str::<Invalidation>(&text) {
            Ok(invalidation) => Ok(PendingInvalidation { id, invalidation }),
            Err(error) => Err(format!(
                "outbox row {id} cannot be read ({error}): invalidate what it names by hand, then delete it"
            )),
        };
        let pending = found.pending.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Look { claim: StoreClaim { epoch: found.epoch, server: found.server }, pending })
    }

    async fn record(&self, invalidation: &Invalidation) -> Result<i64, String> {
        let recorded = async {
            let mut tx = self.0.write().await?;
            let id = outbox::record(&mut tx, &invalidation.to_json()).await?;
            tx.commit().await.map(|()| id)
        };
        recorded.await.map_err(|error: DbError| error.to_string())
    }

    async fn acknowledge(&self, ids: &[i64], claim: &StoreClaim) -> Result<bool, String> {
        outbox::acknowledge(&self.0, ids, claim.epoch, &claim.server).await.map_err(|error| error.to_string())
    }

    async fn claim(&self, seen: i64, server: &str) -> Result<bool, String> {
        outbox::claim(&self.0, seen, server, Timestamp::now().as_microsecond()).await.map_err(|error| error.to_string())
    }
}
