use std::{
    io::{BufRead, BufReader},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Weak, mpsc},
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::free_port;

/// A PostgreSQL server to make databases in: the one `scripts/test` has started for the whole run
/// (`TEST_POSTGRES_URL`), or one of this process, killed when nobody holds it any more.
pub struct PostgresServer {
    /// With the database `postgres`.
    url: String,
    own: Option<(Child, TempDir)>,
}

/// Far longer than a start ever takes.
const START_WITHIN: Duration = Duration::from_secs(60);

static RUNNING: Mutex<Weak<PostgresServer>> = Mutex::const_new(Weak::new());

impl PostgresServer {
    /// The server of this process; started if there is none.
    pub async fn running() -> Arc<Self> {
        let mut running = RUNNING.lock().await;
        if let Some(server) = running.upgrade() {
            return server;
        }
        let server = Arc::new(match std::env::var("TEST_POSTGRES_URL") {
            Ok(url) => Self { url, own: None },
            Err(_) => Self::start_with(&["--auth=trust"], &[]),
        });
        *running = Arc::downgrade(&server);
        server
    }

    /// Makes an empty database and returns its URL.
    pub async fn create_database(&self) -> String {
        let name = format!("test_{:032x}", rand::random::<u128>());
        let mut connection = PgConnection::connect(&self.url).await.expect("TEST_POSTGRES_URL answers");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("a new database");
        // Nobody is owed a goodbye: the database is there.
        let _ = connection.close().await;
        let (server, _) = self.url.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{name}")
    }

    pub fn port(&self) -> u16 {
        let place = self.url.rsplit_once('@').expect("a user").1;
        place.split(['/', '?']).next().and_then(|place| place.rsplit_once(':')?.1.parse().ok()).expect("a port")
    }

    /// One of the caller's own, made with these arguments of initdb and started with these settings.
    pub fn start_with(made_with: &[&str], settings: &[&str]) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("vendorscope-postgres").tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let as_root = is_root(&folder);
        if as_root {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        run(unprivileged(as_root, programs.join("initdb"))
            .arg("--pgdata")
            .arg(&data)
            .args(["--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"])
            .args(made_with));
        for _ in 0..5 {
            let port = free_port();
            let mut process = unprivileged(as_root, programs.join("postgres"))
                .arg("-D")
                .arg(&data)
                .args([
                    "-p",
                    &port.to_string(),
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    "unix_socket_directories=",
                    "-c",
                    "fsync=off",
                    "-c",
                    "max_connections=100",
                ])
                .args(settings.iter().flat_map(|setting| ["-c", *setting]))
                // Its log is read below, and not in everyone's language.
                .env("LC_ALL", "C")
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("postgres starts (scripts/setup --tests installs it)");
            if is_ready(&mut process) {
                let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
                return Self { url, own: Some((process, folder)) };
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("postgres did not answer on any of five ports");
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some((process, _)) = &mut self.own {
            // SIGINT: the server ends its own processes with it, which a SIGKILL would leave behind. `kill` is a
            // program on every system that PostgreSQL runs on, and spares the tests unsafe code.
            let _ = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
            let _ = process.wait();
        }
    }
}

/// Whether the server says that it takes connections, before it ends (because somebody else took the port) or
/// `START_WITHIN` is over.
fn is_ready(process: &mut Child) -> bool {
    let log = process.stderr.take().expect("its log is piped");
    let (tell, told) = mpsc::channel();
    // Goes on reading until the server ends, so that a full pipe never stops it.
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains("database system is ready to accept connections") {
                // Nobody listens any more where it came too late.
                let _ = tell.send(());
            }
        }
    });
    told.recv_timeout(START_WITHIN).is_ok()
}

/// Whether the tests run as root: a folder belongs to whoever makes it.
pub fn is_root(folder: &TempDir) -> bool {
    std::fs::metadata(folder.path()).is_ok_and(|made| made.uid() == 0)
}

/// PostgreSQL refuses to run as root. `setpriv` becomes what it starts, so that its process id is
/// the server's.
pub fn unprivileged(as_root: bool, program: PathBuf) -> Command {
    if !as_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The folder of PostgreSQL's programs: the newest of Debian's, else where `postgres` on PATH really lies.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    if let Some(version) = newest {
        return PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find_map(|folder| folder.join("postgres").canonicalize().ok()?.parent().map(PathBuf::from))
        .expect("postgres is installed (scripts/setup --tests does that)")
}
