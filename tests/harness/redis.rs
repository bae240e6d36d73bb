//! A real Redis server of a test's own, on a free port and in a folder of its own; killed when dropped.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use tempfile::TempDir;

/// Far longer than a start ever takes.
const START_WITHIN: Duration = Duration::from_secs(20);

pub struct RedisServer {
    process: Child,
    port: u16,
    options: Vec<String>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server and returns once it accepts connections.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further options, such as `["--requirepass", "secret"]`.
    pub fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        // Between asking for a free port and the server taking it, another test may have been faster: then with another one.
        for _ in 0..20 {
            let port = free_port();
            if let Some(process) = launch(port, &options, &folder) {
                return Self { process, port, options, folder };
            }
        }
        panic!("redis-server does not start");
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection of the test's own, to look and to meddle.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("an address");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again on the same port, with what it had saved to its folder.
    pub fn restart(&mut self) {
        self.kill();
        self.process = launch(self.port, &self.options, &self.folder).expect("redis-server starts again");
    }

    /// Stops it from answering while its connections stay open: a black hole.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill {signal}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nothing listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// `None` if it ended before it accepted connections.
fn launch(port: u16, options: &[String], folder: &TempDir) -> Option<Child> {
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"])
        .arg(folder.path())
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed");
    let output = process.stdout.take().expect("its output is piped");
    let (tell, told) = mpsc::channel();
    // Goes on reading until the server ends, so that a full pipe never stops it.
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.contains("eady to accept connections") {
                let _ = tell.send(());
            }
        }
    });
    match told.recv_timeout(START_WITHIN) {
        Ok(()) => Some(process),
        Err(_) => {
            let _ = process.kill();
            let _ = process.wait();
            None
        }
    }
}
