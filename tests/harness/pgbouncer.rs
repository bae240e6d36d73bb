use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{
    postgres::{is_root, unprivileged},
    redis::free_port,
};

/// Far longer than a start ever takes.
const START_WITHIN: Duration = Duration::from_secs(20);

/// PgBouncer on a free port, in front of the server of a database. Killed when dropped.
pub struct PgBouncer {
    process: Child,
    port: u16,
    database: String,
    _folder: TempDir,
}

impl PgBouncer {
    /// In front of the database of this URL, with `pool_mode`, and with lines that are added to its configuration.
    pub async fn start(database_url: &str, pool_mode: &str, more: &str) -> Self {
        let (server, database) = database_url.rsplit_once('/').expect("a URL with a database");
        let port = server.rsplit_once(':').expect("a port").1;
        let folder = tempfile::Builder::new().prefix("vendorscope-pgbouncer").tempdir().expect("a temporary folder");
        let as_root = is_root(&folder);
        if as_root {
            let given = Command::new("chown").arg("postgres").arg(folder.path()).status();
            assert!(given.is_ok_and(|status| status.success()));
        }
        // Between asking for a free port and taking it, another test may have been faster: then with another one.
        for _ in 0..10 {
            let own = free_port();
            let file = folder.path().join("pgbouncer.ini");
            let configuration = format!(
                "[databases]\n* = host=127.0.0.1 port={port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
                 listen_port = {own}\nunix_socket_dir =\nauth_type = any\npool_mode = {pool_mode}\n\
                 default_pool_size = 20\n{more}\n"
            );
            std::fs::write(&file, configuration).expect("a file to write");
            let program = PathBuf::from("/usr/sbin/pgbouncer");
            let program = if program.exists() { program } else { PathBuf::from("pgbouncer") };
            let mut process = unprivileged(as_root, program)
                .arg(&file)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("pgbouncer is installed (scripts/setup --tests does that)");
            let begun = Instant::now();
            // Until it takes connections, or has given up because the port was taken.
            while process.try_wait().expect("its state").is_none() {
                if tokio::net::TcpStream::connect(("127.0.0.1", own)).await.is_ok() {
                    return Self { process, port: own, database: database.to_owned(), _folder: folder };
                }
                assert!(begun.elapsed() < START_WITHIN, "pgbouncer does not listen");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        panic!("pgbouncer does not start");
    }

    /// The database, through it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", self.port, self.database)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
