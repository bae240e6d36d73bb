//! One connection to one Redis server, that mends itself and knows which server it speaks to.
//!
//! A task of its own connects, so that a caller's short timeout never cuts a slow handshake off again and again. It is
//! the circuit breaker too: the first call without an answer opens it, calls fail at once while it is open, and a
//! `PING` answered in time (the half-open probe) closes it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use redis::{AsyncConnectionConfig, Client, ConnectionInfo, Pipeline, RedisError, Value, aio::MultiplexedConnection};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    address::{Sentinels, at},
    error::{RedactedUrl, RequestError},
};

/// For name resolution, TCP, TLS and the handshake together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For one sentinel to say who the master is.
const SENTINEL_TIMEOUT: Duration = Duration::from_millis(500);
/// A server that answers a probe slower than this stays out of use.
const PROBE_TIMEOUT: Duration = Duration::from_millis(250);
/// A timer that goes off this much too late says that this process has more to do than it can.
const BEHIND: Duration = Duration::from_millis(20);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Probes that may fail before the connection is given up and made anew.
const PROBES: u32 = 3;

/// What to connect to.
#[derive(Debug, Clone)]
pub enum Target {
    /// A server that stands alone, or whose address leads to whichever is the master.
    Server(ConnectionInfo),
    /// A member of a cluster.
    Member(ConnectionInfo),
    /// Whoever the sentinels say is the master at the time.
    Master(Sentinels),
}

/// A connection that was made and shaken hands over.
#[derive(Clone)]
pub struct Connected {
    connection: MultiplexedConnection,
    /// Of the server at the other end: another one after every restart and every failover. A TCP connection does not
    /// survive its server, so whatever is answered over this one comes from this process.
    pub server: u64,
    serial: u64,
}

#[derive(Clone)]
enum State {
    Connecting,
    Connected(Connected),
    Down(Arc<Down>),
}

/// Why there is no connection.
pub struct Down {
    pub reason: String,
    /// Trying again will not help: the password is wrong, not the network.
    for_good: bool,
    since: SystemTime,
}

impl Down {
    fn now(reason: impl Into<String>, for_good: bool) -> Self {
        Self { reason: reason.into(), for_good, since: SystemTime::now() }
    }
}

/// How a connection fares: what its circuit breaker does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// Why requests fail at once, and since when; `None` while they are carried out.
    pub down: Option<(String, SystemTime)>,
    /// How often the breaker has opened since the program started.
    pub openings: u64,
}

/// How a call ended that the task should look at.
enum Report {
    /// The connection of this serial number is broken.
    Broken(u64),
    /// It did not answer in time.
    Silent(u64),
}

pub struct Link {
    state: watch::Receiver<State>,
    reports: mpsc::UnboundedSender<Report>,
    openings: Arc<AtomicU64>,
    task: tokio::task::AbortHandle,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Starts connecting. Needs a Tokio runtime.
    pub fn start(target: Target, url: RedactedUrl) -> Self {
        let (publish, state) = watch::channel(State::Connecting);
        let (reports, incoming) = mpsc::unbounded_channel();
        let openings = Arc::new(AtomicU64::new(0));
        let breaker = Breaker { state: publish, openings: openings.clone() };
        let task = tokio::spawn(keep_connected(target, url, breaker, incoming)).abort_handle();
        Self { state, reports, openings, task }
    }

    /// How the connection fares now. Asks nobody.
    pub fn status(&self) -> LinkStatus {
        let down = match &*self.state.borrow() {
            State::Down(down) => Some((down.reason.clone(), down.since)),
            State::Connecting | State::Connected(_) => None,
        };
        LinkStatus { down, openings: self.openings.load(Ordering::Relaxed) }
    }

    /// Waits for the first attempt. `Err` only where trying again cannot help.
    pub async fn first_attempt(&self) -> Result<(), String> {
        let mut state = self.state.clone();
        let settled = timeout(CONNECT_TIMEOUT, state.wait_for(|state| !matches!(state, State::Connecting))).await;
        match settled {
            Ok(Ok(state)) => match &*state {
                State::Down(down) if down.for_good => Err(down.reason.clone()),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Sends the pipeline and waits for all answers, connecting included, no longer than `within`. An error that the
    /// server gave as an answer is in its place among the values.
    pub async fn ask(&self, pipeline: &Pipeline, within: Duration) -> Result<(Vec<Value>, Connected), RequestError> {
        let deadline = Instant::now() + within;
        let late = |_| RequestError::Timeout(within);
        let live = tokio::time::timeout_at(deadline, self.live()).await.map_err(late)??;
        let mut connection = live.connection.clone();
        let mut asking = std::pin::pin!(pipeline.query_async::<Value>(&mut connection));
        let mut answer = tokio::time::timeout_at(deadline, &mut asking).await;
        if answer.is_err() && deadline.elapsed() > BEHIND {
            // Not the server is late but this process, and the answer may be waiting to be read.
            answer = timeout(within, asking).await;
        }
        match answer {
            Ok(Ok(Value::Array(values))) => Ok((values, live)),
            Ok(Ok(other)) => Ok((vec![other], live)),
            Ok(Err(error)) => {
                if error.is_timeout() {
                    self.report(Report::Silent(live.serial));
                    return Err(RequestError::Timeout(within));
                }
                if error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error() {
                    self.report(Report::Broken(live.serial));
                    return Err(RequestError::Unreachable(error.to_string()));
                }
                Err(RequestError::Refused(error.to_string()))
            }
            Err(_) => {
                self.report(Report::Silent(live.serial));
                Err(RequestError::Timeout(within))
            }
        }
    }

    /// Asks the server what it is by now. Where it is no longer what it was when the connection was made (it was
    /// demoted, or was and is master again), the connection is made anew, and the next call tells.
    pub async fn confirm(&self, within: Duration) -> Result<u64, RequestError> {
        let mut question = redis::pipe();
        question.cmd("INFO").arg("server").cmd("INFO").arg("replication").ignore_errors();
        let (values, connected) = self.ask(&question, within).await?;
        let mut texts = values
            .into_iter()
            .map(|value| redis::from_redis_value::<String>(value).map_err(|e| RequestError::Refused(e.to_string())));
        let (server, replication) = match (texts.next(), texts.next()) {
            (Some(server), Some(replication)) => (server?, replication?),
            _ => return Err(RequestError::Refused("no answer to INFO".to_owned())),
        };
        if info_field(&replication, "role") == Some("slave") || fingerprint(&server, &replication) != connected.server {
            self.give_up(&connected);
            return Err(RequestError::Unreachable("the server has become another one".to_owned()));
        }
        Ok(connected.server)
    }

    /// Has the connection made anew, wherever the address leads now.
    pub fn reconnect(&self) {
        if let State::Connected(connected) = &*self.state.borrow() {
            self.give_up(connected);
        }
    }

    /// Has the connection made anew: the server has become one that cannot be used.
    pub fn give_up(&self, live: &Connected) {
        self.report(Report::Broken(live.serial));
    }

    /// The connection, after waiting for one that is being made. Fails at once while there is none to be had.
    async fn live(&self) -> Result<Connected, RequestError> {
        let mut state = self.state.clone();
        match &*state
            .wait_for(|state| !matches!(state, State::Connecting))
            .await
            .map_err(|_| RequestError::Unreachable("closed".to_owned()))?
        {
            State::Connected(live) => Ok(live.clone()),
            State::Down(down) => Err(RequestError::Unreachable(down.reason.clone())),
            State::Connecting => Err(RequestError::Unreachable("connecting".to_owned())),
        }
    }

    fn report(&self, report: Report) {
        // The task ends only with the link itself.
        let _ = self.reports.send(report);
    }
}

/// The state of a link, and how often it has become `Down`.
struct Breaker {
    state: watch::Sender<State>,
    openings: Arc<AtomicU64>,
}

impl Breaker {
    fn close(&self, live: &Connected) {
        self.state.send_replace(State::Connected(live.clone()));
    }

    /// While it is open already, the first reason's time stands.
    fn open(&self, down: Down) {
        self.state.send_modify(|state| {
            let since = match state {
                State::Down(before) => before.since,
                State::Connecting | State::Connected(_) => {
                    self.openings.fetch_add(1, Ordering::Relaxed);
                    down.since
                }
            };
            *state = State::Down(Arc::new(Down { since, ..down }));
        });
    }
}

/// Connects, watches over the connection, connects again; until the link is dropped.
async fn keep_connected(
    target: Target,
    url: RedactedUrl,
    breaker: Breaker,
    mut reports: mpsc::UnboundedReceiver<Report>,
) {
    let mut pause = FIRST_PAUSE;
    for serial in 1_u64.. {
        match timeout(CONNECT_TIMEOUT, connect(&target))
            .await
            .unwrap_or_else(|_| Err(Down::now("no connection in time", false)))
        {
            Ok((connection, server)) => {
                tracing::info!(%url, server = %format_args!("{server:016x}"), "redis connected");
                let live = Connected { connection, server, serial };
                pause = FIRST_PAUSE;
                breaker.close(&live);
                let reason = watch_over(&live, &breaker, &mut reports).await;
                tracing::warn!(%url, reason, "redis connection lost");
                breaker.open(Down::now(reason, false));
            }
            Err(down) => {
                let first = !matches!(&*breaker.state.borrow(), State::Down(_));
                if first {
                    tracing::warn!(%url, reason = down.reason, "redis not reachable");
                }
                breaker.open(down);
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Returns why the connection is of no use any more.
async fn watch_over(live: &Connected, breaker: &Breaker, reports: &mut mpsc::UnboundedReceiver<Report>) -> String {
    loop {
        match reports.recv().await {
            None => return "closed".to_owned(),
            Some(Report::Broken(serial)) if serial == live.serial => return "connection broken".to_owned(),
            Some(Report::Silent(serial)) if serial == live.serial => {
                tracing::warn!("redis does not answer in time: not asked until a probe succeeds");
                breaker.open(Down::now("does not answer in time", false));
                if !probe(live).await {
                    return "does not answer".to_owned();
                }
                breaker.close(live);
                tracing::info!("redis answers again");
                // Whoever else gave up before the probe has nothing new to say.
                while let Ok(report) = reports.try_recv() {
                    if matches!(report, Report::Broken(serial) if serial == live.serial) {
                        return "connection broken".to_owned();
                    }
                }
            }
            Some(_) => {}
        }
    }
}

/// Whether the server answers in time again, within a few tries.
async fn probe(live: &Connected) -> bool {
    let mut pause = FIRST_PAUSE;
    for _ in 0..PROBES {
        let mut connection = live.connection.clone();
        match timeout(PROBE_TIMEOUT, redis::cmd("PING").query_async::<Value>(&mut connection)).await {
            Ok(Ok(_)) => return true,
            Ok(Err(_)) => return false,
            Err(_) => sleep(pause).await,
        }
        pause *= 2;
    }
    false
}

/// Finds the server, connects, and asks it who it is.
async fn connect(target: &Target) -> Result<(MultiplexedConnection, u64), Down> {
    let server = match target {
        Target::Server(server) | Target::Member(server) => server.clone(),
        Target::Master(sentinels) => find_master(sentinels).await?,
    };
    let mut connection = open(server, CONNECT_TIMEOUT).await?;
    // Alone, because the error of a command in a pipeline does not say its code.
    redis::cmd("PING").query_async::<Value>(&mut connection).await.map_err(|error| Down::from(&error))?;
    let mut hello = redis::pipe();
    hello.cmd("INFO").arg("server").cmd("INFO").arg("replication");
    let (server, replication): (String, String) =
        hello.query_async(&mut connection).await.map_err(|error| Down::from(&error))?;
    if info_field(&replication, "role") == Some("slave") {
        // Not for good: behind one address a replica is what there is for a moment while another server takes over.
        return Err(Down::now("it is a read-only replica", false));
    }
    if matches!(target, Target::Server(_)) && info_field(&server, "redis_mode") == Some("cluster") {
        return Err(Down::now("it is a member of a cluster: write redis+cluster:// instead of redis://", true));
    }
    // A service that hides its run id is taken to be one server for ever: restoring an old snapshot then goes
    // unnoticed.
    Ok((connection, fingerprint(&server, &replication)))
}

/// The first answer of a sentinel counts. One that is wrong leads to a replica or to nobody, and is asked for again.
pub async fn find_master(Sentinels { sentinels, master, like }: &Sentinels) -> Result<ConnectionInfo, Down> {
    let mut reason = "no sentinel answers".to_owned();
    for sentinel in sentinels {
        let asked = timeout(SENTINEL_TIMEOUT, async {
            let mut connection = open(sentinel.clone(), SENTINEL_TIMEOUT).await?;
            let mut question = redis::cmd("SENTINEL");
            question.arg("get-master-addr-by-name").arg(master);
            question.query_async::<Option<(String, u16)>>(&mut connection).await.map_err(|error| Down::from(&error))
        });
        match asked.await {
            Ok(Ok(Some((host, port)))) => return Ok(at(like, &host, port)),
            Ok(Ok(None)) => reason = format!("the sentinels know no master called {master}"),
            Ok(Err(down)) => reason = down.reason,
            Err(_) => {}
        }
    }
    Err(Down::now(reason, false))
}

async fn open(server: ConnectionInfo, within: Duration) -> Result<MultiplexedConnection, Down> {
    // Timeouts are ours: the client's own limits are only there to clean up behind it.
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(within)).set_response_timeout(Some(CONNECT_TIMEOUT));
    let client = Client::open(server).map_err(|error| Down::from(&error))?;
    client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| Down::from(&error))
}

impl From<&RedisError> for Down {
    fn from(error: &RedisError) -> Self {
        let refused =
            matches!(error.kind(), redis::ErrorKind::AuthenticationFailed | redis::ErrorKind::InvalidClientConfig)
                || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
        Self::now(error.to_string(), refused)
    }
}

/// A field of an `INFO` answer.
pub fn info_field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Of the process (`run_id`: another one after every start) and of the time for which it is master (`master_replid`:
/// another one after every promotion). Of each the first 16 of its 40 random hexadecimal digits.
fn fingerprint(server: &str, replication: &str) -> u64 {
    let digits = |text: &str| text.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let run = info_field(server, "run_id").and_then(digits).unwrap_or(0);
    let reign = info_field(replication, "master_replid").and_then(digits).unwrap_or(0);
    run ^ reign.rotate_left(17)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_info_are_found() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:00000000000000ff6f8f1b0ef4e63b7bfbbf1f4f\r\n";
        assert_eq!(info_field(info, "redis_version"), Some("7.0.15"));
        assert_eq!(info_field(info, "run"), None);
        assert_eq!(fingerprint(info, ""), 255);
        assert_ne!(fingerprint(info, "master_replid:00000000000000ff6f8f1b0ef4e63b7bfbbf1f4f\r\n"), 255);
    }
}
