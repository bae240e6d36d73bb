use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use serde::Serialize;
use vendorscope_cache::{Cache, Cause, Tag};

use super::{Sender, Written, note, write};
use crate::{
    domain::ingest::{Ingested, OrderBatch, ProductBatch, RefundBatch},
    server::{
        AppError, cache_keys,
        db::{Db, Tx},
        import::ImportError,
        ingest::{self, IngestResult},
    },
};

/// What the marketplace's backend sends: all of a request or nothing, and the vendors it changes are invalidated before
/// it is answered, each once.
pub struct Ingest {
    db: Db,
    cache: Cache,
}

impl Ingest {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// New orders, and known ones as they are now. `Invalid` by place and field.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "ingest.orders", skip_all)]
    pub async fn orders(&self, sender: &Sender, batch: OrderBatch) -> Result<Ingested, AppError> {
        let batch = batch.checked()?;
        self.take("orders ingested", sender, batch, |tx, batch, only| ingest::take_orders(tx, batch, only).boxed())
            .await
    }

    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "ingest.refunds", skip_all)]
    pub async fn refunds(&self, sender: &Sender, batch: RefundBatch) -> Result<Ingested, AppError> {
        let batch = batch.checked()?;
        self.take("refunds ingested", sender, batch, |tx, batch, only| ingest::take_refunds(tx, batch, only).boxed())
            .await
    }

    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "ingest.products", skip_all)]
    pub async fn products(&self, sender: &Sender, batch: ProductBatch) -> Result<Ingested, AppError> {
        let batch = batch.checked()?;
        self.take("products ingested", sender, batch, |tx, batch, only| ingest::take_products(tx, batch, only).boxed())
            .await
    }

    /// The remembered answer where the key was used before for the same, else what `work` makes of it. A request that
    /// was refused is not remembered: nothing of it was kept.
    async fn take<B, W>(&self, what: &'static str, sender: &Sender, batch: B, work: W) -> Result<Ingested, AppError>
    where
        B: Serialize + Send + Sync + 'static,
        W: for<'a> FnOnce(&'a mut Tx, &'a B, Option<&'a str>) -> BoxFuture<'a, Result<IngestResult, ImportError>>
            + Send
            + 'static,
    {
        let once = sender.once(what, &batch)?;
        let batch = Arc::new(batch);
        let (only, sender) = (sender.only_vendor.clone(), sender.clone());
        let cause = Cause { who: sender.who.clone(), why: what };
        write(&self.db, &self.cache, cause, once, move |tx| {
            async move {
                let taken = work(tx, &batch, only.as_deref()).await.map_err(refused)?;
                if let Some(only) = only
                    && taken.vendors_changed.iter().any(|vendor| *vendor != only)
                {
                    // Nothing of it is kept.
                    return Err(AppError::Conflict(format!(
                        "this key writes for vendor `{only}` alone, and what was sent changes what others see"
                    )));
                }
                if !taken.vendors_changed.is_empty() {
                    let became = serde_json::to_value(taken.ingested).ok();
                    let detail = format!("{what}: vendors {}", taken.vendors_changed.join(" "));
                    note(tx, &sender, "ingest", &detail, None, became).await?;
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
    let of_vendors = vendors
        .iter()
        .flat_map(|id| [cache_keys::vendor_tag(id), cache_keys::products_tag(id), cache_keys::orders_tag(id)]);
    of_vendors.chain((!vendors.is_empty()).then(cache_keys::marketplace_tag)).collect()
}

/// What went wrong with an import, as a service says it.
pub(in crate::server) fn refused(error: ImportError) -> AppError {
    match error {
        ImportError::Invalid(refused) => AppError::Invalid(refused),
        ImportError::Db(error) => error.into(),
        other => AppError::Internal(other.to_string()),
    }
}
