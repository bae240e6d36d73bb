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
        Self::start_in(folder, options)
    }

    fn start_sentinel(configuration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A sentinel keeps what it learns in its configuration, and does not start without a file to keep it in.
        let file = folder.path().join("sentinel.conf");
        std::fs::write(&file, configuration).expect("a file to write");
        Self::start_in(folder, vec![file.display().to_string(), "--sentinel".to_owned()])
    }

    fn start_in(folder: TempDir, options: Vec<String>) -> Self {
        // Between asking for a free port and the server taking it, another test may have been faster: then with another
        // one. A member of a cluster takes a second port, 10,000 above the first, and that may not exist.
        for _ in 0..50 {
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

    /// Asks again and again until the answer is the one waited for.
    async fn until_it_says(&self, question: &redis::Cmd, enough: impl Fn(&str) -> bool) {
        let (mut connection, begun) = (self.connection().await, std::time::Instant::now());
        loop {
            let answer: String = question.query_async(&mut connection).await.expect("an answer");
            if enough(&answer) {
                return;
            }
            assert!(begun.elapsed() < START_WITHIN, "{answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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

    /// Starts it again with further options, and returns while it is still reading what it had saved.
    pub fn start_loading(&mut self, options: &[&str]) {
        self.kill();
        let options: Vec<_> =
            self.options.iter().cloned().chain(options.iter().map(|option| (*option).to_owned())).collect();
        self.process = spawn(self.port, &options, &self.folder);
        // Nobody waits for what it says; read it must be.
        let _ = when_ready(&mut self.process);
    }

    /// Returns once it answers.
    pub async fn until_ready(&self) {
        let (client, begun) = (redis::Client::open(self.url()).expect("an address"), std::time::Instant::now());
        loop {
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                && redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
            {
                return;
            }
            assert!(begun.elapsed() < START_WITHIN, "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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

/// Six members of a cluster: three masters, each with a replica.
pub struct RedisCluster {
    pub members: Vec<RedisServer>,
}

impl RedisCluster {
    /// Returns once every member finds the cluster whole and every replica has a copy. A master that is gone is
    /// replaced after about a second.
    pub async fn start() -> Self {
        let members: Vec<_> = (0..6)
            .map(|_| RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"]))
            .collect();
        let addresses = members.iter().map(|member| format!("127.0.0.1:{}", member.port()));
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output();
        let created = created.expect("redis-cli is installed");
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
        for member in &members {
            member.until_it_says(redis::cmd("CLUSTER").arg("INFO"), |info| info.contains("cluster_state:ok")).await;
            member
                .until_it_says(redis::cmd("INFO").arg("replication"), |info| {
                    info.contains("role:master") || info.contains("master_link_status:up")
                })
                .await;
        }
        Self { members }
    }

    /// `redis+cluster://…` with two of the members.
    pub fn url(&self) -> String {
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", self.members[0].port(), self.members[1].port())
    }
}

/// A master with a replica, and a sentinel that makes the replica master within about a second of the master's death.
pub struct RedisSentinel {
    pub master: RedisServer,
    pub replica: RedisServer,
    sentinel: RedisServer,
}

impl RedisSentinel {
    /// Returns once the sentinel knows the replica.
    pub async fn start() -> Self {
        let master = RedisServer::start();
        let master_port = master.port().to_string();
        let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &master_port]);
        let watch = format!("main 127.0.0.1 {master_port} 1");
        let lines = [
            format!("monitor {watch}"),
            "down-after-milliseconds main 500".to_owned(),
            "failover-timeout main 3000".to_owned(),
        ];
        let sentinel = RedisServer::start_sentinel(&lines.map(|line| format!("sentinel {line}\n")).concat());
        replica
            .until_it_says(redis::cmd("INFO").arg("replication"), |info| info.contains("master_link_status:up"))
            .await;
        // One master, its state, one replica: as it will look for a successor.
        sentinel
            .until_it_says(redis::cmd("INFO").arg("sentinel"), |info| {
                info.contains("status=ok") && info.contains("slaves=1")
            })
            .await;
        Self { master, replica, sentinel }
    }

    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/main", self.sentinel.port)
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
    let mut process = spawn(port, options, folder);
    match when_ready(&mut process).recv_timeout(START_WITHIN) {
        Ok(()) => Some(process),
        Err(_) => {
            let _ = process.kill();
            let _ = process.wait();
            None
        }
    }
}

fn spawn(port: u16, options: &[String], folder: &TempDir) -> Child {
    let port = port.to_string();
    let usual = ["--port", &port, "--bind", "127.0.0.1", "--daemonize", "no"];
    let unsaved = ["--save", "", "--appendonly", "no"];
    // A configuration file comes first.
    let (file, options) =
        options.split_at(options.iter().take_while(|option| !option.starts_with("--")).count().min(1));
    Command::new("redis-server")
        .args(file)
        .args(usual)
        .args(if file.is_empty() { &unsaved[..] } else { &[] })
        .args(options)
        .arg("--dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed")
}

/// Tells when it accepts connections; hangs up when it has ended.
fn when_ready(process: &mut Child) -> mpsc::Receiver<()> {
    let output = process.stdout.take().expect("its output is piped");
    let (tell, told) = mpsc::channel();
    // Goes on reading until the server ends, so that a full pipe never stops it.
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.contains("eady to accept connections") || line.contains("+monitor master") {
                let _ = tell.send(());
            }
        }
    });
    told
}
