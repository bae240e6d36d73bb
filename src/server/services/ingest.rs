use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use vendorscope_cache::{Cache, Cause, Tag};

use super::{Written, write};
use crate::{
    domain::{
        field_error::FieldError,
        ingest::{Ingested, OrderBatch, ProductBatch, RefundBatch},
    },
    server::{
        AppError, cache_keys,
        db::{Db, Tx, idempotency},
        import::ImportError,
        ingest::{self, IngestResult},
    },
};

/// What the marketplace's backend sends: all of a request or nothing, and the vendors it changes are invalidated before it is answered,
/// each once.
pub struct Ingest {
    db: Db,
    cache: Cache,
}

/// How long an answer is remembered under its key, in microseconds: a day.
const REMEMBERED_US: i64 = 86_400_000_000;
/// The longest key, in characters.
const MAX_KEY: usize = 200;

/// Who sends something, and the `Idempotency-Key` it carries.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The user's address.
    pub who: String,
    pub key: Option<String>,
}

impl Sender {
    /// `Invalid` for a key that is none.
    pub fn new(who: &str, key: Option<&str>) -> Result<Self, FieldError> {
        let accepted = |key: &str| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        match key {
            Some(key) if !accepted(key) => {
                Err(FieldError::new("Idempotency-Key", format!("must be 1 to {MAX_KEY} visible ASCII characters")))
            }
            key => Ok(Self { who: who.to_owned(), key: key.map(str::to_owned) }),
        }
    }
}

impl Ingest {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// New orders, and known ones as they are now. `Invalid` by place and field.
    pub async fn orders(&self, sender: &Sender, batch: OrderBatch) -> Result<Ingested, AppError> {
        let batch = batch.checked()?;
        self.take("orders ingested", sender, batch, |tx, batch| ingest::take_orders(tx, batch).boxed()).await
    }

    pub async fn refunds(&self, sender: &Sender, batch: RefundBatch) -> Result<Ingested, AppError> {
        let batch = batch.checked()?;
        self.take("refunds ingested", sender, batch, |tx, batch| ingest::take_refunds(tx, batch).boxed()).await
    }

    pub async fn products(&self, sender: &Sender, batch: ProductBatch) -> Result<Ingested, AppError> {
        let batch = batch.checked()?;
        self.take("products ingested", sender, batch, |tx, batch| ingest::take_products(tx, batch).boxed()).await
    }

    /// The remembered answer where the key was used before for the same, else what `work` makes of it. A request that was refused is
    /// not remembered: nothing of it was kept.
    async fn take<B, W>(&self, what: &'static str, sender: &Sender, batch: B, work: W) -> Result<Ingested, AppError>
    where
        B: Serialize + Send + Sync + 'static,
        W: for<'a> FnOnce(&'a mut Tx, &'a B) -> BoxFuture<'a, Result<IngestResult, ImportError>> + Send + 'static,
    {
        let json = serde_json::to_vec(&batch).map_err(|error| AppError::Internal(format!("batch as JSON: {error}")))?;
        let fingerprint = hex::encode(Sha256::digest(&json));
        drop(json);
        let (batch, sender) = (Arc::new(batch), sender.clone());
        let scope = format!("{what} {}", sender.who);
        write(&self.db, &self.cache, Cause { who: sender.who.clone(), why: what }, move |tx| {
            async move {
                if let Some(key) = &sender.key {
                    let now_us = Timestamp::now().as_microsecond();
                    let before = idempotency::claim(tx, &scope, key, &fingerprint, now_us, now_us - REMEMBERED_US).await?;
                    if let Some(before) = before {
                        return replay(&before, &fingerprint).map(|answer| Written::nothing(answer, None));
                    }
                }
                let taken = work(tx, &batch).await.map_err(refused)?;
                if let Some(key) = &sender.key {
                    let answer = serde_json::to_string(&taken.ingested).map_err(|error| AppError::Internal(format!("answer: {error}")))?;
                    idempotency::remember(tx, &scope, key, &answer).await?;
                }
                let stale = stale(&taken.vendors_changed);
                let rests_on_others = taken.ingested.unchanged > 0;
                Ok(match (stale.is_empty(), rests_on_others) {
                    (true, _) => Written::nothing(taken.ingested, None),
                    (false, true) => Written::stale_in_part(taken.ingested, stale),
                    (false, false) => Written::stale(taken.ingested, stale),
                })
            }
            .boxed()
        })
        .await
    }
}

/// Everything of these vendors, and what shows the whole marketplace; nothing where no vendor has changed.
fn stale(vendors: &[String]) -> Vec<Tag> {
    let of_vendors = vendors.iter().flat_map(|id| [cache_keys::vendor_tag(id), cache_keys::products_tag(id), cache_keys::orders_tag(id)]);
    of_vendors.chain((!vendors.is_empty()).then(cache_keys::marketplace_tag)).collect()
}

fn replay(before: &idempotency::Remembered, fingerprint: &str) -> Result<Ingested, AppError> {
    if before.fingerprint != fingerprint {
        return Err(FieldError::new("Idempotency-Key", "was sent with another content before: a key belongs to one request").into());
    }
    serde_json::from_str(&before.answer).map_err(|error| AppError::Internal(format!("remembered answer: {error}")))
}

/// What went wrong with an import, as a service says it.
pub(in crate::server) fn refused(error: ImportError) -> AppError {
    match error {
        ImportError::Invalid(refused) => AppError::Invalid(refused),
        ImportError::Db(error) => error.into(),
        other => AppError::Internal(other.to_string()),
    }
}
