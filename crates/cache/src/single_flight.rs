//! One lookup and one load in this process, however many ask: single work, as the field calls it.
//!
//! The first caller leads the work, those who come while it may be joined follow and get what it brings. Who follows
//! gets a result that was begun before it asked, so work may only be joined while that result is as new as that of work
//! of one's own would be:
//!
//! - a **load with a stamp** is named by the generations that its result will carry. Whoever has just read the same
//!   generations from the store knows that nothing was invalidated since the leader read them: it may be joined until
//!   it completes.
//! - a **lookup**, and a load without a stamp (the store is away), may be joined until it begins, and is closed then.
//!   Those who come later wait for it to complete and are served together by the next one: of each name, one is running
//!   and one is filling up.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::{
    Outcome,
    entry::Entry,
    generations::Stamp,
    key::{Key, Tag},
};

/// Which work. Two callers that name the same may share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WorkName {
    Lookup(Key, Vec<Tag>),
    Stamped(Key, Stamp),
    Unstamped(Key),
    /// The reload of an entry that is still fresh.
    Refresh(Key),
}

/// What a load brings.
#[derive(Debug, Clone)]
pub struct LoadResult {
    pub entry: Entry,
    pub outcome: Outcome,
}

/// How work stands, for those who joined it.
#[derive(Clone)]
pub enum Progress<T> {
    Running,
    Completed(T),
    /// With the loader's error, of whatever type that is.
    Failed(Arc<dyn Any + Send + Sync>),
}

pub struct SingleFlight<T>(Arc<Mutex<Works<T>>>);

type Works<T> = HashMap<WorkName, Named<T>>;
pub type Follower<T> = watch::Receiver<Progress<T>>;

struct Named<T> {
    /// Can be joined.
    open: Option<Follower<T>>,
    /// Can only be waited for.
    closed: Option<Follower<T>>,
}

/// What a caller is.
pub enum Joined<T> {
    /// Who has to do the work.
    Leader(Leader<T>),
    /// Who waits for it.
    Follower(Follower<T>),
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> SingleFlight<T> {
    pub fn join(&self, name: WorkName) -> Joined<T> {
        let mut works = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named = works.entry(name.clone()).or_insert(Named { open: None, closed: None });
        if let Some(progress) = &named.open {
            return Joined::Follower(progress.clone());
        }
        let (progress, followers) = watch::channel(Progress::Running);
        named.open = Some(followers.clone());
        Joined::Leader(Leader { progress, followers, before: named.closed.clone(), works: self.0.clone(), name })
    }
}

/// The duty to do the work. Dropped without [`complete`](Self::complete), as by a panic, it
/// tells its followers that nothing will come.
pub struct Leader<T> {
    progress: watch::Sender<Progress<T>>,
    followers: Follower<T>,
    before: Option<Follower<T>>,
    works: Arc<Mutex<Works<T>>>,
    name: WorkName,
}

impl<T: Clone> Leader<T> {
    /// Waits for the work of this name that was closed before.
    pub async fn wait_for_previous(&mut self) {
        if let Some(mut before) = self.before.take() {
            // Completed or lost: over in any case.
            let _ = before.wait_for(|progress| !matches!(progress, Progress::Running)).await;
        }
    }

    /// From here on nobody can follow: the work begins.
    pub fn close(&self) {
        self.change_named(|named, followers| {
            named.open = None;
            named.closed = Some(followers.clone());
        });
    }

    /// Gives the followers what it brought.
    pub fn complete<E: Clone + Send + Sync + 'static>(self, result: &Result<T, E>) {
        self.progress.send_replace(match result {
            Ok(value) => Progress::Completed(value.clone()),
            Err(error) => Progress::Failed(Arc::new(error.clone())),
        });
    }
}

impl<T> Leader<T> {
    fn change_named(&self, change: impl FnOnce(&mut Named<T>, &Follower<T>)) {
        let mut works = self.works.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = works.get_mut(&self.name) {
            change(named, &self.followers);
            if named.open.is_none() && named.closed.is_none() {
                works.remove(&self.name);
            }
        }
    }
}

impl<T> Drop for Leader<T> {
    fn drop(&mut self) {
        self.change_named(|named, followers| {
            // Only what is this work's own: another one may be open already.
            for gate in [&mut named.open, &mut named.closed] {
                if gate.as_ref().is_some_and(|own| own.same_channel(followers)) {
                    *gate = None;
                }
            }
        });
    }
}

/// The result, as far as a follower can have it: `None` if the leader was lost, or its error is of another type.
pub async fn result_of<T: Clone, E: Clone + 'static>(mut follower: Follower<T>) -> Option<Result<T, E>> {
    let progress = follower.wait_for(|progress| !matches!(progress, Progress::Running)).await.ok()?;
    match &*progress {
        Progress::Completed(value) => Some(Ok(value.clone())),
        Progress::Failed(error) => error.downcast_ref::<E>().cloned().map(Err),
        Progress::Running => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> WorkName {
        WorkName::Unstamped(Key::new("profile:{42}"))
    }

    fn leader(single: &SingleFlight<u64>) -> Option<Leader<u64>> {
        match single.join(name()) {
            Joined::Leader(leader) => Some(leader),
            Joined::Follower(_) => None,
        }
    }

    fn follower(single: &SingleFlight<u64>) -> Option<Follower<u64>> {
        match single.join(name()) {
            Joined::Follower(progress) => Some(progress),
            Joined::Leader(_) => None,
        }
    }

    #[tokio::test]
    async fn followers_get_what_the_leader_brings() -> Result<(), &'static str> {
        let single = SingleFlight::default();
        let leader = leader(&single).ok_or("the first is the leader")?;
        let follower = follower(&single).ok_or("the second is a follower")?;
        leader.complete::<String>(&Ok(7));
        assert_eq!(result_of::<_, String>(follower).await, Some(Ok(7)));
        assert!(single.0.lock().is_ok_and(|works| works.is_empty()));
        Ok(())
    }

    #[tokio::test]
    async fn a_lost_leader_strands_nobody() -> Result<(), &'static str> {
        let single = SingleFlight::default();
        let lost = leader(&single).ok_or("a leader")?;
        let follower = follower(&single).ok_or("a follower")?;
        drop(lost);
        assert_eq!(result_of::<_, String>(follower).await, None);
        assert!(leader(&single).is_some(), "the next one leads");
        Ok(())
    }

    #[tokio::test]
    async fn of_a_name_one_flies_and_one_workss() -> Result<(), &'static str> {
        let single = SingleFlight::default();
        let first = leader(&single).ok_or("a leader")?;
        first.close();
        let mut second = leader(&single).ok_or("the first can no longer be joined")?;
        let third = follower(&single).ok_or("the second can")?;
        let waiting = tokio::spawn(async move {
            second.wait_for_previous().await;
            second.close();
            second.complete::<String>(&Ok(2));
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "the first is still running");
        first.complete::<String>(&Ok(1));
        assert_eq!(result_of::<_, String>(third).await, Some(Ok(2)));
        assert!(waiting.await.is_ok());
        assert!(single.0.lock().is_ok_and(|works| works.is_empty()));
        Ok(())
    }

    #[tokio::test]
    async fn an_error_of_another_type_is_not_taken_for_ours() -> Result<(), &'static str> {
        let single = SingleFlight::default();
        let leader = leader(&single).ok_or("a leader")?;
        let (same, other) = (follower(&single).ok_or("a follower")?, follower(&single).ok_or("a follower")?);
        leader.complete(&Err("down".to_owned()));
        assert_eq!(result_of::<_, String>(same).await, Some(Err("down".to_owned())));
        assert_eq!(result_of::<_, u8>(other).await, None);
        Ok(())
    }
}
