//! Connections: how many at a time, from whom, and how long one may keep its place without asking for anything.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{config::Config, web::Site};
use futures::FutureExt;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, watch},
};

/// After an accept failed for want of files or memory.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Files that the process opens beside connections: the browser half, the log, Redis, traces.
const OTHER_FILES: usize = 128;
/// Files of one database connection: of SQLite the database, its log and its shared memory.
const FILES_OF_A_DATABASE_CONNECTION: usize = 3;
/// Where nobody says how many files may be open.
const USUAL_FILES: u64 = 1_024;
/// The least and the most that is worked out from the number of files.
const FEWEST: usize = 64;
const MOST: usize = 100_000;
/// The part of all connections that one address may have.
const PART_OF_ONE_ADDRESS: usize = 4;

/// How many connections there may be, and how long an idle one stays.
#[derive(Debug, Clone)]
pub struct Bounds {
    most: usize,
    of_one_address: usize,
    /// Proxies, which have connections of everybody.
    trusted: Vec<IpNet>,
    idle: Duration,
}

impl Bounds {
    /// As configured, or else below the number of files that this process may open.
    pub fn new(config: &Config) -> Self {
        let most = config.http.connections.unwrap_or_else(|| {
            let files = rlimit::Resource::NOFILE.get_soft().unwrap_or(USUAL_FILES);
            let databases = config.database.connections as usize * FILES_OF_A_DATABASE_CONNECTION;
            usize::try_from(files).unwrap_or(MOST).saturating_sub(OTHER_FILES + databases).clamp(FEWEST, MOST)
        });
        Self {
            most,
            of_one_address: (most / PART_OF_ONE_ADDRESS).max(1),
            trusted: config.http.trusted_proxies.clone(),
            idle: config.http.idle_timeout,
        }
    }

    /// How many this address may have. As many as there may be, for a proxy, and for this machine itself.
    fn of(&self, address: IpAddr) -> usize {
        let is_trusted = address.is_loopback() || self.trusted.iter().any(|network| network.contains(&address));
        if is_trusted { self.most } else { self.of_one_address }
    }
}

/// Answers connections until `stop` comes, then lets requests in flight finish. A connection over which no request
/// comes, or only slowly, is closed; one more than an address may have is closed at once; while there are as many as
/// there may be, others wait until one ends.
pub async fn serve(listener: TcpListener, site: Site, bounds: Bounds, stop: impl Future<Output = ()>) {
    tracing::info!(most = bounds.most, of_one_address = bounds.of_one_address, "connections");
    let (site, places) = (Arc::new(site), Arc::new(Semaphore::new(bounds.most)));
    let peers = Peers::default();
    let (stopping, told) = watch::channel(false);
    let (alive, mut ended) = mpsc::channel::<()>(1);
    let mut stop = pin!(stop);
    loop {
        if places.available_permits() == 0 {
            tracing::warn!(most = bounds.most, "as many connections as there may be: others wait (MAX_CONNECTIONS)");
        }
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut stop => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut stop => break,
        };
        let address = peer.ip().to_canonical();
        let Some(seat) = peers.sit_down(address, bounds.of(address)) else {
            tracing::debug!(%address, "closed: this address has as many connections as one may have");
            continue;
        };
        let site = site.clone();
        let service = service_fn(move |request| site.clone().answer(peer, request).map(Ok::<_, Infallible>));
        let (alive, mut told, idle) = (alive.clone(), told.clone(), bounds.idle);
        tokio::spawn(async move {
            let _held = (place, seat, alive);
            let mut builder = Builder::new(TokioExecutor::new()).http1_only();
            builder.http1().timer(TokioTimer::new()).header_read_timeout(idle);
            let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                // However it ends, there is nobody left to tell.
                _ = connection.as_mut() => return,
                _ = told.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
    drop((listener, alive));
    stopping.send_replace(true);
    // Nothing is ever sent: the end of the last connection ends it.
    ended.recv().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // Gone before it was accepted.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// Connections by address, of those that have any.
#[derive(Debug, Clone, Default)]
struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Peers {
    /// A place among the connections of an address; `None` where it has as many already.
    fn sit_down(&self, address: IpAddr, most: usize) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat { peers: self.clone(), address })
    }
}

/// One connection of an address, until it is dropped.
#[derive(Debug)]
struct Seat {
    peers: Peers,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_part_of_all_connections_and_gets_back_what_it_lets_go() {
        let mut config = Config::for_tests();
        config.http.connections = Some(40);
        config.http.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let bounds = Bounds::new(&config);
        let (stranger, proxy) = (IpAddr::from([203, 0, 113, 9]), IpAddr::from([10, 0, 0, 1]));
        assert_eq!((bounds.of(stranger), bounds.of(proxy), bounds.of(IpAddr::from([127, 0, 0, 1]))), (10, 40, 40));
        let peers = Peers::default();
        let mut seats: Vec<_> = (0..10).filter_map(|_| peers.sit_down(stranger, 10)).collect();
        assert!(seats.len() == 10 && peers.sit_down(stranger, 10).is_none());
        assert!(peers.sit_down(proxy, 40).is_some(), "nobody else's");
        seats.pop();
        assert!(peers.sit_down(stranger, 10).is_some());
        drop(seats);
        assert!(peers.0.lock().unwrap().is_empty(), "nothing is kept of whoever has gone");
    }

    #[test]
    fn connections_leave_files_for_the_rest() {
        let files = usize::try_from(rlimit::Resource::NOFILE.get_soft().unwrap()).unwrap_or(MOST);
        let most = Bounds::new(&Config::for_tests()).most;
        assert!(most + OTHER_FILES <= files.max(FEWEST + OTHER_FILES), "{most} of {files}");
    }
}
