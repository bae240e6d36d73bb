//! Generations that are asked for before it is known which entry they will be needed for.
//!
//! Whoever answers a request knows early whose data it will take, while other questions are still open: who asks, and
//! whether he may. All of them can go to the store at the same time. The lookups of that request then need no round
//! trip of their own, where this process has the entry.
//!
//! It is as good as a lookup at the moment of asking: the same judgement of the outbox first, then the same
//! generations, and that moment is after the request came. So it must serve no more than that request, or those that
//! had come by then, and only such as change nothing: what a write of its own made stale it would not know.
//! [`HOLDS_FOR`] keeps what goes on for long, a stream, from going by it.

use std::{future::Future, time::Duration};

use tokio::{task_local, time::Instant};

use crate::{
    Cache,
    generations::Generation,
    key::{Key, Tag},
    lookup::{self, Found},
    seen_through,
};

/// How long lookups may go by it.
const HOLDS_FOR: Duration = Duration::from_millis(500);

task_local! {
    static FORESIGHT: Option<Foresight>;
}

/// Generations that the store gave at one moment, to be trusted as of that moment.
#[derive(Debug, Clone)]
pub struct Foresight {
    asked: Instant,
    /// Of the store, and of the time for which it counted: see [`Cache::trust`].
    mask: u64,
    tags: Vec<Tag>,
    generations: Vec<Option<Generation>>,
}

impl Cache {
    /// Asks for the generations of these tags. `None` where they are not to be trusted or cannot be had: lookups will
    /// find out why.
    pub async fn foresee(&self, tags: &[Tag]) -> Option<Foresight> {
        let (asked, tags) = (Instant::now(), lookup::normal(tags));
        let mask = self.trust(&tags).await.ok()?;
        let generations = seen_through(mask, self.0.store.generations(&tags).await.ok()?);
        Some(Foresight { asked, mask, tags, generations })
    }

    /// The entry that this process has, if the foresight in force says that it is current.
    pub(crate) async fn find_foreseen(&self, key: &Key, tags: &[Tag]) -> Option<Found> {
        let foreseen = |foresight: &Option<Foresight>| {
            let foresight = foresight.as_ref()?;
            foresight.of(tags).map(|generations| (generations, foresight.mask))
        };
        let (generations, mask) = FORESIGHT.try_with(foreseen).ok()??;
        let entry = self.0.l1.find(key, tags, self.0.clock.now_micros()).await?;
        entry.is_stamped(tags, &generations).then_some(Found::Current { entry, l1: true, mask })
    }
}

impl Foresight {
    /// Has the lookups that `work` makes in its own task go by it, where there is one, instead of asking the store for
    /// what this process has.
    pub async fn scope<F: Future>(foresight: Option<Self>, work: F) -> F::Output {
        FORESIGHT.scope(foresight, work).await
    }

    fn of(&self, tags: &[Tag]) -> Option<Vec<Option<Generation>>> {
        let of_tag = |tag: &Tag| self.tags.iter().position(|known| known == tag).map(|place| self.generations[place]);
        if self.asked.elapsed() < HOLDS_FOR { tags.iter().map(of_tag).collect() } else { None }
    }
}
