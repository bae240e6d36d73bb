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
    time::{sleep, timeout},
};

use crate::{
    address::{Sentinels, at},
    error::{RedactedUrl, RequestError},
    identity::Identity,
    patience::patiently,
};

/// For name resolution, TCP, TLS and the handshake together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For one sentinel to say who the master is.
const SENTINEL_TIMEOUT: Duration = Duration::from_millis(500);
/// A server that answers a probe slower than this stays out of use.
const PROBE_TIMEOUT: Duration = Duration::from_millis(250);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Probes that may fail before the connection is given up and made anew.
const PROBES: u32 = 3;
/// A connection is asked this often whether it is still there: services close idle ones, networks forget them.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

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
    identity: Arc<Identity>,
    /// What was answered over it.
    answers: Arc<AtomicU64>,
    serial: u64,
}

impl Connected {
    fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }
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

/// How a connection fares: what its circuit breaker does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// Why requests fail at once, and since when; `None` while they are carried out.
    pub down: Option<(String, SystemTime)>,
    /// How often the breaker has opened since the program started.
    pub openings: u64,
}

impl Down {
    pub fn for_now(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: false, since: SystemTime::now() }
    }

    pub fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: true, since: SystemTime::now() }
    }
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
        let live = patiently(within, || 0, self.live()).await.ok_or(RequestError::Timeout(within))??;
        let mut connection = live.connection.clone();
        let asking = pipeline.query_async::<Value>(&mut connection);
        let answer = patiently(within, || live.answers(), asking).await;
        live.answers.fetch_add(u64::from(matches!(answer, Some(Ok(_)))), Ordering::Relaxed);
        match answer {
            Some(Ok(Value::Array(values))) => Ok((values, live)),
            Some(Ok(other)) => Ok((vec![other], live)),
            Some(Err(error)) => {
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
            None => {
                self.report(Report::Silent(live.serial));
                Err(RequestError::Timeout(within))
            }
        }
    }

    /// Asks the server what it is by now. Where it is no longer what it was when the connection was made (it was
    /// demoted, or was and is master again), the connection is made anew, and the next call tells.
    pub async fn confirm(&self, within: Duration) -> Result<u64, RequestError> {
        // Whatever it was: the question is its connection's.
        let live = patiently(within, || 0, self.live()).await.ok_or(RequestError::Timeout(within))?;
        let identity = live?.identity;
        let (answers, connected) = self.ask(&identity.question(), within).await?;
        if connected.server != identity.server || !identity.is_confirmed_by(&answers) {
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
    let (mut pause, mut is_first) = (FIRST_PAUSE, true);
    for serial in 1_u64.. {
        match timeout(CONNECT_TIMEOUT, connect(&target))
            .await
            .unwrap_or_else(|_| Err(Down::for_now("no connection in time")))
        {
            Ok((connection, identity)) => {
                let server = identity.server;
                tracing::info!(%url, server = %format_args!("{server:016x}"), "redis connected");
                if let (Some(key), true) = (&identity.kept_under, std::mem::take(&mut is_first)) {
                    tracing::warn!(
                        %url,
                        key,
                        "this Redis does not say which server it is (INFO without run_id and master_replid), so it is \
                         told apart by what it keeps under this key: what it loses in a failover goes unnoticed"
                    );
                }
                let live =
                    Connected { connection, server, identity: Arc::new(identity), answers: Arc::default(), serial };
                pause = FIRST_PAUSE;
                breaker.close(&live);
                let reason = watch_over(&live, &breaker, &mut reports).await;
                tracing::warn!(%url, reason, "redis connection lost");
                breaker.open(Down::for_now(reason));
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
        match timeout(KEEP_ALIVE, reports.recv()).await {
            Err(_) if !probe(live).await => return "lost while nobody used it".to_owned(),
            Err(_) => {}
            Ok(None) => return "closed".to_owned(),
            Ok(Some(Report::Broken(serial))) if serial == live.serial => return "connection broken".to_owned(),
            Ok(Some(Report::Silent(serial))) if serial == live.serial => {
                tracing::warn!("redis does not answer in time: not asked until a probe succeeds");
                breaker.open(Down::for_now("does not answer in time"));
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
            Ok(Some(_)) => {}
        }
    }
}

/// Whether the server answers in time again, within a few tries.
async fn probe(live: &Connected) -> bool {
    let mut pause = FIRST_PAUSE;
    for _ in 0..PROBES {
        let mut connection = live.connection.clone();
        let ping = redis::cmd("PING");
        match patiently(PROBE_TIMEOUT, || live.answers(), ping.query_async::<Value>(&mut connection)).await {
            Some(Ok(_)) => return true,
            Some(Err(_)) => return false,
            None => sleep(pause).await,
        }
        pause *= 2;
    }
    false
}

/// Finds the server, connects, and asks it who it is.
async fn connect(target: &Target) -> Result<(MultiplexedConnection, Identity), Down> {
    let server = match target {
        Target::Server(server) | Target::Member(server) => server.clone(),
        Target::Master(sentinels) => find_master(sentinels).await?,
    };
    let mut connection = open(server, CONNECT_TIMEOUT).await?;
    // Alone, because the error of a command in a pipeline does not say its code.
    redis::cmd("PING").query_async::<Value>(&mut connection).await.map_err(|error| Down::from(&error))?;
    let identity = Identity::of(&mut connection, !matches!(target, Target::Server(_))).await?;
    Ok((connection, identity))
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
    Err(Down::for_now(reason))
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
        Self { reason: error.to_string(), for_good: refused, since: SystemTime::now() }
    }
}
