//! The program itself, as a process of its own that can be stopped and killed.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::TestDatabase;

/// Far longer than a start ever takes.
const START_WITHIN: Duration = Duration::from_secs(120);
/// Every instance's, so that each knows the others' cookies.
pub const SECRET: &str = "a secret of the tests, long enough";

/// A running instance. It ends when dropped.
pub struct Program {
    process: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
    _home: TempDir,
}

/// An instance that did not start.
#[derive(Debug)]
pub struct NotStarted {
    pub code: Option<i32>,
    pub log: String,
    /// What it took to say so.
    pub after: Duration,
}

impl NotStarted {
    /// The line that says why: the last one.
    pub fn why(&self) -> &str {
        self.log.lines().last().unwrap_or_default()
    }
}

impl Program {
    /// `vendorscope serve` on a free port, with the cache and the sessions in this Redis.
    pub fn serve(database: &TestDatabase, redis_url: &str) -> Self {
        Self::serve_with(&[("DATABASE_URL", database.url()), ("REDIS_URL", redis_url)])
    }

    /// `vendorscope serve` on a free port, with these variables besides what every instance here has.
    pub fn serve_with(vars: &[(&str, &str)]) -> Self {
        Self::start(vars).unwrap_or_else(|refused| panic!("the program does not start: {refused:?}"))
    }

    /// The same where it may not start.
    pub fn start(vars: &[(&str, &str)]) -> Result<Self, NotStarted> {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_vendorscope")), vars)
    }

    /// The same, where another program (with its arguments) starts it.
    pub fn start_by(mut command: Command, vars: &[(&str, &str)]) -> Result<Self, NotStarted> {
        let home = tempfile::tempdir().expect("a temporary folder");
        write_browser_half(home.path());
        let begun = Instant::now();
        let mut process = command
            .arg("serve")
            .current_dir(home.path())
            .env_clear()
            .envs([("SESSION_SECRET", SECRET), ("LEPTOS_SITE_ADDR", "127.0.0.1:0"), ("RUST_LOG", "vendorscope=info")])
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(vars.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = process.stderr.take().expect("its log is piped");
        let log: Arc<Mutex<String>> = Arc::default();
        let (tell, told) = mpsc::channel();
        let kept = log.clone();
        // Goes on reading until the program ends, so that a full pipe never stops it.
        std::thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                let address = line
                    .split("listening on http://")
                    .nth(1)
                    .and_then(|rest| rest.split_whitespace().next()?.trim_end_matches(['"', ',', '}']).parse().ok());
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < 1_000_000 {
                    kept.push_str(&line);
                    kept.push('\n');
                }
                if let Some(address) = address {
                    let _ = tell.send(Some(address));
                }
            }
            let _ = tell.send(None);
        });
        match told.recv_timeout(START_WITHIN) {
            Ok(Some(address)) => Ok(Self { process, address, log, _home: home }),
            _ => {
                let after = begun.elapsed();
                let code = match process.try_wait() {
                    // It has closed its log, and is about to end.
                    Ok(None) if after < START_WITHIN => process.wait().ok().and_then(|status| status.code()),
                    ended => ended.ok().flatten().and_then(|status| status.code()),
                };
                let _ = process.kill();
                let log = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Err(NotStarted { code, log, after })
            }
        }
    }

    /// The program on this database, to be told what to do.
    pub fn command(database: &TestDatabase) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vendorscope"));
        command.env_clear().envs([("DATABASE_URL", database.url()), ("SESSION_SECRET", SECRET)]);
        command
    }

    /// What it has written to its log so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns once its log has these words.
    pub async fn until_log_has(&self, words: &str) {
        let begun = Instant::now();
        while !self.log().contains(words) {
            assert!(begun.elapsed() < START_WITHIN, "its log never says `{words}`: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Tells it to stop, as service managers do (SIGTERM), and returns at once.
    pub fn tell_to_stop(&self) {
        let done = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()), "it is told");
    }

    /// Returns its exit code once it has ended by itself.
    pub async fn until_ended(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("its state") {
                return status.code();
            }
            assert!(begun.elapsed() < START_WITHIN, "it does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Files of the names that the program looks for, in its working folder.
pub fn write_browser_half(home: &Path) {
    let folder = home.join("target/site/pkg");
    std::fs::create_dir_all(&folder).expect("a folder");
    for extension in ["css", "js", "wasm"] {
        std::fs::write(folder.join(format!("vendorscope.{extension}")), "").expect("written");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
