//! From commands to the connections that can carry them out.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use redis::{Cmd, Pipeline, Value};

use crate::{
    address::Address,
    cluster::{self, Cluster},
    error::{ConnectError, RedactedUrl, RequestError},
    link::{Connected, Link, Target},
    tls::Tls,
    together::{Answered, Together, counted},
};

/// Every server that keys are spread over.
pub struct Router {
    address: Address,
    servers: Servers,
}

enum Servers {
    One(Arc<Link>, Together),
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

impl Router {
    /// Fails if the address cannot be used or the server refuses this program; a server that is merely not there yet is
    /// waited for in the background. Accepts `redis://`, `redis+sentinel://` and `redis+cluster://`, and each with
    /// `rediss`. Needs a Tokio runtime.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::connect_by(url, &Tls::default()).await
    }

    /// The same; where the address says TLS, by this.
    pub async fn connect_by(url: &str, tls: &Tls) -> Result<Self, ConnectError> {
        let shown = RedactedUrl::new(url);
        let address = Address::parse(url).and_then(|address| address.reached_by(tls));
        let address = address.map_err(|reason| ConnectError::Url { url: shown.clone(), reason })?;
        let refused = |reason| ConnectError::Refused { url: shown.clone(), reason };
        let target = match address.clone() {
            Address::Server(server) => Target::Server(server),
            Address::Master(sentinels) => Target::Master(sentinels),
            Address::Cluster(seeds) => {
                let cluster = Cluster::start(seeds, shown.clone()).await.map_err(refused)?;
                return Ok(Self { address, servers: Servers::Cluster(cluster) });
            }
        };
        let link = Link::start(target, shown.clone());
        link.first_attempt().await.map_err(refused)?;
        let link = Arc::new(link);
        Ok(Self { address, servers: Servers::One(link.clone(), Together::start(link)) })
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Which keys may share a command: those of one slot. Without a cluster, all.
    pub fn slot(&self, key: &str) -> u16 {
        match &self.servers {
            Servers::One(..) => 0,
            Servers::Cluster(_) => cluster::slot(key),
        }
    }

    /// Every server that holds keys.
    pub fn links(&self) -> Vec<Arc<Link>> {
        match &self.servers {
            Servers::One(link, _) => vec![link.clone()],
            Servers::Cluster(cluster) => cluster.links(),
        }
    }

    /// What every server that holds keys is, as each says now. Fails if one of them cannot be used.
    pub async fn confirm_servers(&self, within: Duration) -> Result<Vec<u64>, RequestError> {
        let links = self.links();
        let confirmed = join_all(links.iter().map(|link| link.confirm(within))).await;
        if let (true, Servers::Cluster(cluster)) =
            (links.is_empty() || confirmed.iter().any(Result::is_err), &self.servers)
        {
            cluster.doubt();
        }
        if links.is_empty() {
            return Err(RequestError::Unreachable("no member of the cluster answers".to_owned()));
        }
        confirmed.into_iter().collect()
    }

    /// Looks anew where the address leads.
    pub fn reconnect(&self) {
        match &self.servers {
            Servers::One(link, _) => link.reconnect(),
            Servers::Cluster(cluster) => cluster.doubt(),
        }
    }

    /// The answers, in the order of the commands: one round trip to each server involved, at the same time. Fails if
    /// one of them does.
    pub async fn ask(&self, commands: Vec<Routed>, within: Duration) -> Result<Vec<Answer>, RequestError> {
        let mut batches: Vec<(Arc<Link>, Vec<usize>, Pipeline)> = Vec::new();
        let count = commands.len();
        for (place, Routed { key, command }) in commands.into_iter().enumerate() {
            let link = match &self.servers {
                Servers::One(link, _) => link.clone(),
                Servers::Cluster(cluster) => cluster.link(&key)?,
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
        let asked = join_all(batches.iter().map(|(link, _, pipeline)| self.ask_one(link, pipeline, within))).await;
        let mut answers: Vec<Option<Answer>> = Vec::new();
        answers.resize_with(count, || None);
        for ((_, places, _), result) in batches.iter().zip(asked) {
            let (values, server) = result?;
            for (place, value) in places.iter().zip(values) {
                answers[*place] = Some(Answer { value, server });
            }
        }
        answers
            .into_iter()
            .collect::<Option<_>>()
            .ok_or_else(|| RequestError::Refused("fewer answers than commands".to_owned()))
    }

    /// The answer to one command, which may travel with those of others: see [`Together`].
    pub async fn ask_together(&self, question: Routed, within: Duration) -> Result<Answer, RequestError> {
        let Answered { value, server, .. } = self.ask_gathered(question, None, within).await?;
        Ok(Answer { value, server })
    }

    /// The answer to a command that counts so `many` who ask it. Its last argument, how many they are, is added here:
    /// those who ask at the same time are counted at once. With it, how many of these came before.
    pub async fn ask_counted(
        &self,
        question: Routed,
        many: u64,
        within: Duration,
    ) -> Result<(Value, u64), RequestError> {
        self.ask_gathered(question, Some(many), within).await.map(|answered| (answered.value, answered.place))
    }

    async fn ask_gathered(
        &self,
        Routed { key, command }: Routed,
        adds: Option<u64>,
        within: Duration,
    ) -> Result<Answered, RequestError> {
        match &self.servers {
            Servers::One(_, together) => together.ask(command, adds, within).await,
            Servers::Cluster(_) => {
                let command = match adds {
                    Some(many) => counted(command, many),
                    None => command,
                };
                let answer = self.ask(vec![Routed { key, command }], within).await?.pop();
                let Answer { value, server } = answer.ok_or_else(|| RequestError::Refused("no answer".to_owned()))?;
                Ok(Answered { value, server, place: 0 })
            }
        }
    }

    /// Asks one server, and notices if it is no longer the one to ask.
    pub async fn ask_one(
        &self,
        link: &Link,
        pipeline: &Pipeline,
        within: Duration,
    ) -> Result<(Vec<Value>, u64), RequestError> {
        let asked = ask_server(link, pipeline, within).await;
        if let Servers::Cluster(cluster) = &self.servers
            && asked.as_ref().map_or(true, |(values, _)| values.iter().any(is_moved))
        {
            cluster.doubt();
        }
        asked.map(|(values, live)| (values, live.server))
    }
}

/// Whether a member of a cluster says that somebody else is to be asked.
fn is_moved(value: &Value) -> bool {
    let Value::ServerError(error) = value else { return false };
    matches!(error.code(), "MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN")
}

/// What one server answers. Where it says that it is of no use (it has become a replica, or is still loading its
/// snapshot), the connection is made anew.
pub async fn ask_server(
    link: &Link,
    pipeline: &Pipeline,
    within: Duration,
) -> Result<(Vec<Value>, Connected), RequestError> {
    let (values, live) = link.ask(pipeline, within).await?;
    let is_of_no_use = |value: &Value| matches!(value, Value::ServerError(error) if matches!(error.code(), "READONLY" | "LOADING" | "MASTERDOWN"));
    if values.iter().any(is_of_no_use) {
        link.give_up(&live);
    }
    Ok((values, live))
}
