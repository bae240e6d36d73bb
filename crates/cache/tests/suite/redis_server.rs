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

    /// A connection of the test's own, to look and to meddle. Patient: what is measured is how the program fares on a
    /// busy machine, not how the test does.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("an address");
        let patient = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(START_WITHIN))
            .set_response_timeout(Some(START_WITHIN));
        client.get_multiplexed_async_connection_with_config(&patient).await.expect("a connection")
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

const MEMBER: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];

/// Six members of a cluster: three masters, each with a replica.
pub struct RedisCluster {
    pub members: Vec<RedisServer>,
    /// `redis+cluster://…` with two of the members.
    url: String,
}

impl RedisCluster {
    /// Returns once every member finds the cluster whole and every replica has a copy. A master that is gone is
    /// replaced after about a second.
    pub async fn start() -> Self {
        let members: Vec<_> = (0..6).map(|_| RedisServer::start_with(&MEMBER)).collect();
        let addresses: Vec<_> = members.iter().map(|member| format!("127.0.0.1:{}", member.port())).collect();
        Self::of(members, &addresses, "redis", &[]).await
    }

    /// The same behind TLS, among themselves too. `of_server` says how a server is started that is reached by TLS at a
    /// port, and `client` how `redis-cli` reaches it.
    pub async fn start_behind_tls(of_server: impl Fn(u16) -> Vec<String>, client: &[String]) -> Self {
        let (mut members, mut addresses) = (Vec::new(), Vec::new());
        for _ in 0..6 {
            // The members' own port is 10,000 above this one.
            let port = std::iter::repeat_with(free_port).find(|port| *port < 55_000).expect("there is always another");
            let options: Vec<_> = MEMBER.iter().map(|option| (*option).to_owned()).chain(of_server(port)).collect();
            let options =
                options.iter().map(String::as_str).chain(["--tls-cluster", "yes", "--tls-replication", "yes"]);
            members.push(RedisServer::start_with(&options.collect::<Vec<_>>()));
            addresses.push(format!("127.0.0.1:{port}"));
        }
        Self::of(members, &addresses, "rediss", client).await
    }

    async fn of(members: Vec<RedisServer>, addresses: &[String], scheme: &str, client: &[String]) -> Self {
        let created = Command::new("redis-cli")
            .args(client)
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
        Self { members, url: format!("{scheme}+cluster://{},{}", addresses[0], addresses[1]) }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }
}

/// A master with a replica, and a sentinel that makes the replica master within about a second of the master's death.
pub struct RedisSentinel {
    pub master: RedisServer,
    pub replica: RedisServer,
    sentinel: RedisServer,
    url: String,
}

impl RedisSentinel {
    /// Returns once the sentinel knows the replica.
    pub async fn start() -> Self {
        let master = RedisServer::start();
        let port = master.port();
        Self::of(master, port, &[], "", None).await
    }

    /// The same behind TLS, among themselves too. `of_server` says how a server is started that is reached by TLS at a
    /// port.
    pub async fn start_behind_tls(of_server: impl Fn(u16) -> Vec<String>) -> Self {
        let of_server = |port| {
            let mut options = of_server(port);
            options.extend(["--tls-replication", "yes"].map(str::to_owned));
            options
        };
        let [master, replica, sentinel] = std::array::from_fn(|_| free_port());
        let started = RedisServer::start_with(&of_server(master).iter().map(String::as_str).collect::<Vec<_>>());
        let lines: Vec<_> = of_server(sentinel)
            .chunks(2)
            .map(|option| format!("{} {}\n", option[0].trim_start_matches("--"), option[1]))
            .collect();
        Self::of(started, master, &of_server(replica), &lines.concat(), Some(sentinel)).await
    }

    /// `port` is where the master is reached by the others, `tls` where the sentinel is by TLS.
    async fn of(master: RedisServer, port: u16, of_replica: &[String], of_sentinel: &str, tls: Option<u16>) -> Self {
        let port = port.to_string();
        let mut options = vec!["--replicaof", "127.0.0.1", &port];
        options.extend(of_replica.iter().map(String::as_str));
        let replica = RedisServer::start_with(&options);
        let watch = format!("main 127.0.0.1 {port} 1");
        let lines = [
            format!("monitor {watch}"),
            "down-after-milliseconds main 500".to_owned(),
            "failover-timeout main 3000".to_owned(),
        ];
        let lines = lines.map(|line| format!("sentinel {line}\n")).concat();
        let sentinel = RedisServer::start_sentinel(&format!("{of_sentinel}{lines}"));
        replica
            .until_it_says(redis::cmd("INFO").arg("replication"), |info| info.contains("master_link_status:up"))
            .await;
        // One master, its state, one replica: as it will look for a successor.
        sentinel
            .until_it_says(redis::cmd("INFO").arg("sentinel"), |info| {
                info.contains("status=ok") && info.contains("slaves=1")
            })
            .await;
        let (scheme, at) = tls.map_or(("redis", sentinel.port), |port| ("rediss", port));
        Self { master, replica, sentinel, url: format!("{scheme}+sentinel://127.0.0.1:{at}/main") }
    }

    pub fn url(&self) -> String {
        self.url.clone()
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
