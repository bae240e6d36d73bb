use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use vendorscope_cache::Cache;
use vendorscope_redis::{ConnectError, Router};

use super::{
    AppState, StartError, cache_keys,
    config::{Config, redact},
    db::{Db, outbox},
    identity::{provider::Provider, sessions::Sessions},
    letters,
    rate_limit::Limiter,
    services::{DatabaseOutbox, warming},
    serving::{self, Bounds},
    web::Site,
};

/// How long requests in flight may take to finish once the server is told to stop.
const GRACE: Duration = Duration::from_secs(30);
/// How long it may take to close the database after that.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// The server, connected and listening, but not answering yet.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    state: AppState,
}

impl Application {
    /// Connects to everything, brings the database up to date, and binds the address. Port 0 takes a free one.
    pub async fn build(config: Config) -> Result<Self, StartError> {
        if config.sessions.secret_is_temporary {
            tracing::warn!(
                "SESSION_SECRET is not set: made one for this start, so everyone has to log in again after the next"
            );
        }
        let db = open_database(&config).await?;
        let installation = outbox::installation(&db)
            .await
            .map_err(|source| StartError::of_database(config.database.url.expose_secret(), source))?;
        let routers = Routers::connect(&config).await?;
        // Before anything is claimed that another instance uses: whoever takes this one's address may be one.
        let wanted = config.http.address;
        let listening = async {
            let listener = TcpListener::bind(wanted).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listening.await.map_err(|source| StartError::Listen { address: wanted, source })?;
        let cache = cache_over(routers.cache, &installation).await;
        // Before anyone asks: what earlier instances have left is delivered, or not trusted.
        cache.watch(Arc::new(DatabaseOutbox(db.clone()))).await;
        let sessions = Sessions::open(&config, &installation).await.map_err(|e| StartError::Sessions(e.to_string()))?;
        let sessions = sessions.remembering(routers.sessions.clone(), &installation);
        sessions.compare_secrets().await;
        let limits = Limiter::over(&config, &installation, routers.sessions);
        let provider = Provider::of(&config).map_err(StartError::Provider)?;
        let state = AppState::new(config, db, cache, sessions, limits, provider);
        state.accounts.learn_ended_sessions().await.map_err(|error| StartError::Sessions(error.to_string()))?;
        Ok(Self { listener, address, state })
    }

    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Answers until `shutdown` comes, is not ready for `STOP_DELAY`, and then lets requests in flight finish.
    pub async fn run_until_stopped(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        tracing::info!(address = %self.address, "listening on http://{}", self.address);
        let (told, stopping) = tokio::sync::oneshot::channel::<()>();
        let state = self.state.clone();
        let signal = async move {
            shutdown.await;
            // Balancers look elsewhere first; until they do, this instance goes on as if nothing had been said.
            state.is_stopping.store(true, Ordering::Relaxed);
            let delay = state.config.http.stop_delay;
            if !delay.is_zero() {
                tracing::info!(seconds = delay.as_secs(), "not ready any more: the listener closes in a moment");
                tokio::time::sleep(delay).await;
            }
            tracing::info!("stopping");
            state.live.stop();
            // Nobody hears it where serving has ended already.
            let _ = told.send(());
        };
        let warmed = self.state.clone();
        let warming = async move {
            tokio::join!(
                warming::keep_warm(&warmed.cache, &warmed.analytics),
                warmed.accounts.follow_ended_sessions(),
                warmed.accounts.keep_seeds_sealed(),
                letters::keep_sending(&warmed),
                warmed.sessions.keep_comparing_secrets(),
            )
        };
        let (watched, port) = (self.state.clone(), self.address.port());
        // A task of its own, which ends with this function: what it is writing down when the others are told to stop
        // is written to its end, and not a second time with the stop.
        let mut watching = tokio::task::JoinSet::new();
        watching.spawn(async move {
            let eviction = || async { watched.sessions.store().eviction().await.ok().flatten() };
            watched.health.watch(port, eviction).await;
        });
        let stopped = self.state.clone();
        let bounds = Bounds::new(&self.state.config);
        let serving = serving::serve(self.listener, Site::new(self.state), bounds, signal);
        let out_of_patience = async {
            if stopping.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(GRACE).await;
        };
        let result = tokio::select! {
            () = serving => Ok(()),
            () = forever(warming) => Ok(()),
            () = out_of_patience => {
                tracing::warn!(seconds = GRACE.as_secs(), "stopped with requests unfinished");
                Ok(())
            }
        };
        stopped.health.stop().await;
        // Whoever has not given a connection back by now goes with the process.
        let _ = tokio::time::timeout(CLOSE_WITHIN, stopped.db.close()).await;
        result
    }
}

/// Goes on waiting where the work ends early.
async fn forever<T>(work: impl Future<Output = T>) {
    work.await;
    std::future::pending().await
}

/// The database, up to date and writable.
pub async fn open_database(config: &Config) -> Result<Db, StartError> {
    let url = config.database.url.expose_secret();
    let failed = |source| StartError::of_database(url, source);
    let db = Db::connect(url, config.database.connections).await.map_err(failed)?;
    if let Err(error) = db.migrate().await {
        db.close().await;
        return Err(failed(error));
    }
    tracing::info!(database = db.dialect.name(), url = redact(url), "database ready");
    Ok(db)
}

/// The cache, in Redis where there is a URL; in there its names end with the installation's.
pub async fn open_cache(config: &Config, installation: &str) -> Result<Cache, StartError> {
    Ok(cache_over(Routers::cache(config).await?, installation).await)
}

/// Connections to the Redis of the cache, and to that of sessions and limits: the same where that is the same, so that
/// what one request asks of all three travels together.
struct Routers {
    cache: Option<Arc<Router>>,
    sessions: Option<Arc<Router>>,
}

impl Routers {
    async fn connect(config: &Config) -> Result<Self, StartError> {
        let cache = Self::cache(config).await?;
        let sessions = match config.sessions.redis() {
            None => None,
            url if url == config.cache.redis() => cache.clone(),
            Some(url) => {
                let router = Router::connect_by(url, &config.redis_tls).await;
                Some(Arc::new(router.map_err(|error| StartError::Sessions(error.to_string()))?))
            }
        };
        Ok(Self { cache, sessions })
    }

    async fn cache(config: &Config) -> Result<Option<Arc<Router>>, StartError> {
        let Some(url) = config.cache.redis() else { return Ok(None) };
        let failed = |e: ConnectError| StartError::Cache { url: redact(url), reason: e.to_string() };
        Router::connect_by(url, &config.redis_tls).await.map(|router| Some(Arc::new(router))).map_err(failed)
    }
}

async fn cache_over(router: Option<Arc<Router>>, installation: &str) -> Cache {
    match router {
        Some(router) => Cache::over_redis(router, cache_keys::namespace().of_installation(installation)).await,
        None => {
            tracing::warn!("no REDIS_URL: the cache lives in this process alone");
            Cache::memory()
        }
    }
}
