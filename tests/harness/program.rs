//! The program itself, as a process of its own that can be killed.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use tempfile::TempDir;

use super::TestDatabase;

/// Far longer than a start ever takes.
const START_WITHIN: Duration = Duration::from_secs(120);
/// Every instance's, so that each knows the others' cookies.
const SECRET: &str = "a secret of the tests, long enough";

pub struct Program {
    process: Child,
    pub address: SocketAddr,
    /// The first lines of its log.
    log: Arc<Mutex<Vec<String>>>,
    _home: TempDir,
}

impl Program {
    /// `vendorscope serve` on a free port, with the cache and the sessions in this Redis.
    pub fn serve(database: &TestDatabase, redis_url: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut process = Self::command(database)
            .arg("serve")
            .current_dir(home.path())
            .envs([("REDIS_URL", redis_url), ("LEPTOS_SITE_ADDR", "127.0.0.1:0"), ("RUST_LOG", "vendorscope=info")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = process.stderr.take().expect("its log is piped");
        let (tell, told) = mpsc::channel();
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = said.clone();
        // Goes on reading until the program ends, so that a full pipe never stops it.
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let address = line
                    .split("listening on http://")
                    .nth(1)
                    .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
                if let Some(address) = address {
                    let _ = tell.send(Ok(address));
                }
                let mut kept = kept.lock().expect("nobody panics here");
                if kept.len() < 2_000 {
                    kept.push(line);
                }
            }
            let _ = tell.send(Err(kept.lock().expect("nobody panics here").join("\n")));
        });
        match told.recv_timeout(START_WITHIN) {
            Ok(Ok(address)) => Self { process, address, log: said, _home: home },
            other => {
                let _ = process.kill();
                panic!("the program does not start: {other:?}");
            }
        }
    }

    /// The program on this database, to be told what to do.
    pub fn command(database: &TestDatabase) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vendorscope"));
        command.env_clear().envs([("DATABASE_URL", database.url()), ("SESSION_SECRET", SECRET)]);
        command
    }

    /// The first lines of its log.
    pub fn said(&self) -> Vec<String> {
        self.log.lock().expect("nobody panics here").clone()
    }

    /// Whether one of them holds this.
    pub fn has_said(&self, what: &str) -> bool {
        self.said().iter().any(|line| line.contains(what))
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
