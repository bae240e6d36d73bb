use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::postgres::{PostgresServer, is_root};

/// A PostgreSQL server of a test's own that asks for a password and speaks TLS, with a certificate for `localhost` and
/// `0.0.0.0` by an authority of its own.
pub struct GuardedPostgres {
    server: PostgresServer,
    folder: TempDir,
}

impl GuardedPostgres {
    pub const PASSWORD: &'static str = "a:p@ss/w?rd#100%";
    /// The same as a URL has to have it.
    pub const WRITTEN: &'static str = "a%3Ap%40ss%2Fw%3Frd%23100%25";

    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("vendorscope-guarded").tempdir().expect("a temporary folder");
        let in_folder = |name: &str| folder.path().join(name).display().to_string();
        make_certificate(folder.path());
        std::fs::write(folder.path().join("password"), Self::PASSWORD).expect("written");
        if is_root(&folder) {
            let given = Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status();
            assert!(given.is_ok_and(|status| status.success()));
        }
        let server = PostgresServer::start_with(
            &["--auth=scram-sha-256", &format!("--pwfile={}", in_folder("password"))],
            &[
                "ssl=on",
                &format!("ssl_cert_file={}", in_folder("server.pem")),
                &format!("ssl_key_file={}", in_folder("server.key")),
            ],
        );
        Self { server, folder }
    }

    /// Its database `postgres`, as the superuser with this password (as a URL has it), at this name of the machine.
    pub fn url(&self, password: &str, host: &str) -> String {
        let port = self.server.port();
        format!("postgres://postgres:{password}@{host}:{port}/postgres")
    }

    /// The certificate of the authority.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

fn make_certificate(folder: &Path) {
    const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:0.0.0.0").expect("written");
    let openssl = |arguments: &[&str]| {
        let done = Command::new("openssl").args(arguments).current_dir(folder).stderr(Stdio::null()).status();
        assert!(done.is_ok_and(|status| status.success()), "openssl {arguments:?}");
    };
    openssl(
        &[&["req", "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"], &KEY[..]]
            .concat(),
    );
    openssl(&[&["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"], &KEY[..]].concat());
    openssl(&[
        "x509",
        "-req",
        "-days",
        "2",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-in",
        "server.csr",
        "-out",
        "server.pem",
        "-extfile",
        "names",
    ]);
}
