use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::free_port;

/// A Redis server on a free port, without persistence; killed when dropped.
pub struct RedisServer {
    process: Child,
    port: u16,
}

impl RedisServer {
    /// Starts one and waits until it answers.
    pub fn start() -> Self {
        for _ in 0..5 {
            let port = free_port();
            let process = Command::new("redis-server")
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
                .stdout(Stdio::null())
                .spawn()
                .expect("redis-server starts (scripts/setup --tests installs it)");
            let mut server = Self { process, port };
            if server.answers() {
                return server;
            }
        }
        panic!("redis-server did not answer on any of five ports");
    }

    /// `redis://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Whether it answers before it gives up (because somebody else took the port) or ten seconds have passed.
    fn answers(&mut self) -> bool {
        let client = redis::Client::open(self.url()).expect("a Redis URL");
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return false;
            }
            // Ours, and not another one's that was quicker on this port.
            let answer =
                client.get_connection().and_then(|mut connection| redis::cmd("INFO").arg("server").query::<String>(&mut connection));
            if answer.is_ok_and(|info| info.contains(&format!("process_id:{}\r\n", self.process.id()))) {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
