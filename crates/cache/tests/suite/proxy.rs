//! A TCP proxy before a real server, which can be told to misbehave.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// What happens to connections, new and old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Every connection is closed at once.
    Reset,
    /// Nothing comes through, and nothing is closed.
    BlackHole,
    /// What the server says arrives this much later.
    Slow(Duration),
}

/// Gone with the value that stands for it.
pub struct Proxy {
    address: SocketAddr,
    port: Arc<AtomicU16>,
    fault: Arc<watch::Sender<Fault>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// In front of a server on this port of this machine.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let fault = Arc::new(watch::channel(Fault::None).0);
        let port = Arc::new(AtomicU16::new(port));
        let task = tokio::spawn(accept(listener, port.clone(), fault.clone()));
        Self { address, port, fault, task }
    }

    /// `redis://127.0.0.1:PORT`
    pub fn redis_url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that are made from now on lead to the server on this port.
    pub fn lead_to(&self, port: u16) {
        self.port.store(port, Ordering::SeqCst);
    }

    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, port: Arc<AtomicU16>, fault: Arc<watch::Sender<Fault>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(carry(client, port.load(Ordering::SeqCst), fault.subscribe()));
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(client: TcpStream, port: u16, mut fault: watch::Receiver<Fault>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (there, back) =
        (pipe(from_client, to_server, fault.clone(), false), pipe(from_server, to_client, fault.clone(), true));
    tokio::select! {
        () = there => (),
        () = back => (),
        _ = fault.wait_for(|fault| *fault == Fault::Reset) => (),
    }
}

async fn pipe(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut fault: watch::Receiver<Fault>,
    slows: bool,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if fault.wait_for(|fault| *fault != Fault::BlackHole).await.is_err() {
            return;
        }
        let now = *fault.borrow();
        if let (Fault::Slow(by), true) = (now, slows) {
            tokio::time::sleep(by).await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
