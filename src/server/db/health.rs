//! What the page of the cache's health looks back on. Uncounted: no vendor's request asks for it.

use super::{Db, DbError, Tx, rows, sql};

/// One start of the program.
#[derive(Debug, Clone)]
pub struct InstanceRow {
    pub id: String,
    /// Machine and port.
    pub name: String,
    pub version: String,
    pub started_us: i64,
    pub seen_us: i64,
    pub ended_us: Option<i64>,
    /// JSON.
    pub state: String,
}

/// Something that happened to the cache.
#[derive(Debug, Clone)]
pub struct EventRow {
    pub at_us: i64,
    pub instance: String,
    pub kind: String,
    pub detail: String,
}

/// Invalidations of one minute that are alike.
#[derive(Debug, Clone)]
pub struct InvalidationRow {
    /// Minutes since 1970.
    pub minute: i64,
    /// With a space between; empty where they were too many to be told apart.
    pub tags: String,
    pub who: String,
    pub why: String,
    pub times: i64,
    pub last_us: i64,
}

/// What an instance was asked for most, and which tags made most of its lookups miss, within ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesRow {
    /// Ten minutes, counted from 1970.
    pub slot: i64,
    /// JSON.
    pub reads: String,
    pub missed: String,
}

/// Writes down how an instance fares, and what it has seen and done since the last time: all of it or nothing. Names
/// take the place of those of the same slot.
pub async fn note(
    db: &Db,
    instance: &InstanceRow,
    events: &[EventRow],
    invalidations: &[InvalidationRow],
    names: &[NamesRow],
) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    let row = sql("INSERT INTO cache_instances (id, name, version, started_us, seen_us, ended_us, state) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET \
                   name = excluded.name, seen_us = excluded.seen_us, ended_us = excluded.ended_us, state = \
                   excluded.state")
    .bind(instance.id.clone())
    .bind(instance.name.clone())
    .bind(instance.version.clone())
    .bind(instance.started_us)
    .bind(instance.seen_us)
    .bind(instance.ended_us)
    .bind(instance.state.clone());
    tx.execute_uncounted(row).await?;
    for event in events {
        insert_event(&mut tx, event).await?;
    }
    for invalidation in invalidations {
        add_invalidations(&mut tx, &instance.id, invalidation).await?;
    }
    for names in names {
        let row = sql("INSERT INTO cache_names (slot, instance, reads, missed) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (slot, instance) DO UPDATE SET reads = excluded.reads, missed = excluded.missed")
        .bind(names.slot)
        .bind(instance.id.clone())
        .bind(names.reads.clone())
        .bind(names.missed.clone());
        tx.execute_uncounted(row).await?;
    }
    tx.commit().await
}

/// Names that instances other than this one have written down since this slot.
pub async fn list_names(db: &Db, since_slot: i64, but_of: &str) -> Result<Vec<NamesRow>, DbError> {
    let query = sql("SELECT slot, reads, missed FROM cache_names WHERE slot >= $1 AND instance <> $2 \
                     ORDER BY slot, instance")
    .bind(since_slot)
    .bind(but_of.to_owned());
    let found = all(db, query).await?;
    found
        .iter()
        .map(|row| {
            Ok(NamesRow {
                slot: rows::int(row, "slot")?,
                reads: rows::text(row, "reads")?,
                missed: rows::text(row, "missed")?,
            })
        })
        .collect()
}

pub async fn insert_event(tx: &mut Tx, event: &EventRow) -> Result<(), DbError> {
    let row = sql("INSERT INTO cache_events (at_us, instance, kind, detail) VALUES ($1, $2, $3, $4)")
        .bind(event.at_us)
        .bind(event.instance.clone())
        .bind(event.kind.clone())
        .bind(event.detail.clone());
    tx.execute_uncounted(row).await.map(|_| ())
}

/// Adds to those that are alike. `instance` is whoever invalidates, or `cli`.
pub async fn add_invalidations(tx: &mut Tx, instance: &str, row: &InvalidationRow) -> Result<(), DbError> {
    let row = sql("INSERT INTO cache_invalidations (minute, instance, tags, who, why, times, last_us) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (minute, instance, tags, who, why) DO UPDATE SET \
                   times = cache_invalidations.times + excluded.times, last_us = excluded.last_us")
    .bind(row.minute)
    .bind(instance.to_owned())
    .bind(row.tags.clone())
    .bind(row.who.clone())
    .bind(row.why.clone())
    .bind(row.times)
    .bind(row.last_us);
    tx.execute_uncounted(row).await.map(|_| ())
}

/// Instances that were seen since, the one that was started last first.
pub async fn list_instances(db: &Db, since_us: i64) -> Result<Vec<InstanceRow>, DbError> {
    let query = sql("SELECT id, name, version, started_us, seen_us, ended_us, state FROM cache_instances \
                     WHERE seen_us >= $1 ORDER BY started_us DESC, id")
    .bind(since_us);
    let found = all(db, query).await?;
    found
        .iter()
        .map(|row| {
            Ok(InstanceRow {
                id: rows::text(row, "id")?,
                name: rows::text(row, "name")?,
                version: rows::text(row, "version")?,
                started_us: rows::int(row, "started_us")?,
                seen_us: rows::int(row, "seen_us")?,
                ended_us: rows::int_or_null(row, "ended_us")?,
                state: rows::text(row, "state")?,
            })
        })
        .collect()
}

/// The newest `limit` events since, the newest first.
pub async fn list_events(db: &Db, since_us: i64, limit: i64) -> Result<Vec<EventRow>, DbError> {
    let query = sql("SELECT at_us, instance, kind, detail FROM cache_events WHERE at_us >= $1 \
                     ORDER BY at_us DESC, id DESC LIMIT $2")
    .bind(since_us)
    .bind(limit);
    all(db, query).await?.iter().map(event).collect()
}

/// The event of a kind that was written down last.
pub async fn last_event(db: &Db, kind: &str) -> Result<Option<EventRow>, DbError> {
    let query = sql("SELECT at_us, instance, kind, detail FROM cache_events WHERE kind = $1 \
                     ORDER BY id DESC LIMIT 1")
    .bind(kind.to_owned());
    all(db, query).await?.first().map(event).transpose()
}

fn event(row: &sqlx::any::AnyRow) -> Result<EventRow, DbError> {
    Ok(EventRow {
        at_us: rows::int(row, "at_us")?,
        instance: rows::text(row, "instance")?,
        kind: rows::text(row, "kind")?,
        detail: rows::text(row, "detail")?,
    })
}

/// The newest `limit` invalidations since this minute, of all instances, the newest first.
pub async fn list_invalidations(db: &Db, since_minute: i64, limit: i64) -> Result<Vec<InvalidationRow>, DbError> {
    let query = sql("SELECT minute, tags, who, why, CAST(SUM(times) AS BIGINT) AS times, MAX(last_us) AS last_us \
                     FROM cache_invalidations WHERE minute >= $1 GROUP BY minute, tags, who, why \
                     ORDER BY MAX(last_us) DESC, tags LIMIT $2")
    .bind(since_minute)
    .bind(limit);
    let found = all(db, query).await?;
    found
        .iter()
        .map(|row| {
            Ok(InvalidationRow {
                minute: rows::int(row, "minute")?,
                tags: rows::text(row, "tags")?,
                who: rows::text(row, "who")?,
                why: rows::text(row, "why")?,
                times: rows::int(row, "times")?,
                last_us: rows::int(row, "last_us")?,
            })
        })
        .collect()
}

/// Removes what is older, and names before this slot.
pub async fn forget(db: &Db, before_us: i64, before_slot: i64) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    for (table, column, before) in [
        ("cache_instances", "seen_us", before_us),
        ("cache_events", "at_us", before_us),
        ("cache_invalidations", "minute", before_us / 60_000_000),
        ("cache_names", "slot", before_slot),
    ] {
        tx.execute_uncounted(sql(format!("DELETE FROM {table} WHERE {column} < $1")).bind(before)).await?;
    }
    tx.commit().await
}

async fn all(db: &Db, query: super::Arguments<'_>) -> Result<Vec<sqlx::any::AnyRow>, DbError> {
    let mut tx = db.read().await?;
    let found = tx.rows_uncounted(query).await?;
    tx.commit().await?;
    Ok(found)
}
