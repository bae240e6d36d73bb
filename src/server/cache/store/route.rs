//! From commands to the connections that can carry them out.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use redis::{Cmd, Pipeline, Value};

use super::{
    StoreError,
    address::Address,
    cluster::{self, Cluster},
    link::{Link, Target},
};
use crate::server::cache::error::{CacheError, RedactedUrl};

/// Every server that a store is spread over.
pub enum Route {
    One(Arc<Link>),
    Cluster(Cluster),
}

/// A command with the key that says where it goes. All its keys are in one slot.
pub struct Routed {
    pub key: String,
    pub command: Cmd,
}

/// What came back for one command. An error of the server is a value too.
pub struct Answer {
    pub value: Value,
    /// The server process that gave it.
    pub server: u64,
}

impl Route {
    pub async fn connect(address: Address, shown: RedactedUrl) -> Result<Self, CacheError> {
        let target = match address {
            Address::Server(server) => Target::Server(server),
            Address::Master(sentinels) => Target::Master(sentinels),
            Address::Cluster(seeds) => {
                let started = Cluster::start(seeds, shown.clone()).await;
                return started.map(Self::Cluster).map_err(|reason| CacheError::Refused { url: shown, reason });
            }
        };
        let link = Link::start(target, shown.clone());
        link.first_attempt().await.map_err(|reason| CacheError::Refused { url: shown, reason })?;
        Ok(Self::One(Arc::new(link)))
    }

    /// Which keys may share a command: those of one slot. Without a cluster, all.
    pub fn slot(&self, key: &str) -> u16 {
        match self {
            Self::One(_) => 0,
            Self::Cluster(_) => cluster::slot(key),
        }
    }

    /// Every server that holds keys.
    pub fn links(&self) -> Vec<Arc<Link>> {
        match self {
            Self::One(link) => vec![link.clone()],
            Self::Cluster(cluster) => cluster.links(),
        }
    }

    /// The answers, in the order of the commands: one round trip to each server involved, at the same time. Fails if one of them does.
    pub async fn ask(&self, commands: Vec<Routed>, patience: Duration) -> Result<Vec<Answer>, StoreError> {
        let mut batches: Vec<(Arc<Link>, Vec<usize>, Pipeline)> = Vec::new();
        let count = commands.len();
        for (place, Routed { key, command }) in commands.into_iter().enumerate() {
            let link = match self {
                Self::One(link) => link.clone(),
                Self::Cluster(cluster) => cluster.link(&key)?,
            };
            match batches.iter_mut().find(|(other, _, _)| Arc::ptr_eq(other, &link)) {
                Some((_, places, pipeline)) => {
                    places.push(place);
                    pipeline.add_command(command);
                }
                None => {
                    let mut pipeline = Pipeline::new();
                    pipeline.ignore_errors().add_command(command);
                    batches.push((link, vec![place], pipeline));
                }
            }
        }
        let asked = join_all(batches.iter().map(|(link, _, pipeline)| self.ask_one(link, pipeline, patience))).await;
        let mut answers: Vec<Option<Answer>> = Vec::new();
        answers.resize_with(count, || None);
        for ((_, places, _), result) in batches.iter().zip(asked) {
            let (values, server) = result?;
            for (place, value) in places.iter().zip(values) {
                answers[*place] = Some(Answer { value, server });
            }
        }
        answers.into_iter().collect::<Option<_>>().ok_or_else(|| StoreError::Refused("fewer answers than commands".to_owned()))
    }

    /// Asks one server, and notices if it is no longer the one to ask.
    pub async fn ask_one(&self, link: &Link, pipeline: &Pipeline, patience: Duration) -> Result<(Vec<Value>, u64), StoreError> {
        let asked = link.ask(pipeline, patience).await;
        if let (Err(_), Self::Cluster(cluster)) = (&asked, self) {
            cluster.doubt();
        }
        let (values, live) = asked?;
        for error in values.iter().filter_map(|value| if let Value::ServerError(error) = value { Some(error) } else { None }) {
            match (error.code(), self) {
                // It has become a replica, or is still loading its snapshot.
                ("READONLY" | "LOADING" | "MASTERDOWN", _) => link.give_up(&live),
                ("MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN", Self::Cluster(cluster)) => cluster.doubt(),
                _ => {}
            }
        }
        Ok((values, live.server))
    }
}
