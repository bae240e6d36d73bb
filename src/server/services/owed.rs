use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use vendorscope_cache::{Cause, Invalidation, Outbox, Owed, Tag};

use crate::server::db::{Db, DbError, Tx, outbox};

/// Whatever instances there are deliver what is owed, or do without what they hold, within this time.
const TOLD_WITHIN: Duration = Duration::from_millis(1_100);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Invalidates without a cache at hand: leaves it to the running instances, if there are any, or to the next one that starts.
pub async fn owe(db: &Db, tags: &[Tag], cause: &Cause) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    record(&mut tx, tags, cause).await?;
    tx.commit().await?;
    until_told(db).await
}

/// Leaves an invalidation in the transaction of the change that calls for it.
pub async fn record(tx: &mut Tx, tags: &[Tag], cause: &Cause) -> Result<(), DbError> {
    outbox::record(tx, &Invalidation::new(tags, cause, Timestamp::now()).to_json()).await?;
    Ok(())
}

/// Returns once no instance serves anymore what earlier writes to this database have made stale.
pub async fn until_told(db: &Db) -> Result<(), DbError> {
    let began = Instant::now();
    while began.elapsed() < TOLD_WITHIN && !outbox::list(db, 1).await?.is_empty() {
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
    }
    Ok(())
}

/// The database's outbox, as the cache needs it.
pub struct DatabaseOutbox(pub Db);

#[async_trait]
impl Outbox for DatabaseOutbox {
    async fn owed(&self, limit: usize) -> Result<Vec<Owed>, String> {
        let rows = outbox::list(&self.0, limit).await.map_err(|error| error.to_string())?;
        let read = |(id, text): (i64, String)| match serde_json::from_str::<Invalidation>(&text) {
            Ok(invalidation) => Ok(Owed { id, invalidation }),
            Err(error) => Err(format!("outbox row {id} cannot be read ({error}): invalidate what it names by hand, then delete it")),
        };
        rows.into_iter().map(read).collect()
    }

    async fn settle(&self, ids: &[i64]) -> Result<(), String> {
        outbox::remove(&self.0, ids).await.map_err(|error| error.to_string())
    }
}
