//! A private authority, and what it vouches for: a server on this machine and a client. Made by `openssl` for a test.

use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

/// `ca.pem`, `server.pem` and `.key`, `client.pem` and `.key`, in a folder of their own.
pub struct Certificates(TempDir);

impl Certificates {
    pub fn make() -> Self {
        let made = Self(tempfile::tempdir().expect("a folder"));
        made.certify("ca", &["-addext", "keyUsage=critical,keyCertSign"]);
        for name in ["server", "client"] {
            let [authority, key] = ["ca.pem", "ca.key"].map(|file| made.file(file));
            let names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
            made.certify(name, &[&["-CA", &authority, "-CAkey", &key], &names[..]].concat());
        }
        made
    }

    pub fn file(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// What a server is started with that takes nobody without a certificate, on a further port.
    pub fn of_server(&self, port: u16) -> Vec<String> {
        let files =
            [("--tls-cert-file", "server.pem"), ("--tls-key-file", "server.key"), ("--tls-ca-cert-file", "ca.pem")];
        let mut options = vec!["--tls-port".to_owned(), port.to_string()];
        options.extend(files.into_iter().flat_map(|(option, file)| [option.to_owned(), self.file(file)]));
        options
    }

    /// What `redis-cli` reaches such a server with.
    pub fn of_client(&self) -> Vec<String> {
        let files = [("--cacert", "ca.pem"), ("--cert", "client.pem"), ("--key", "client.key")];
        let files = files.into_iter().flat_map(|(option, file)| [option.to_owned(), self.file(file)]);
        ["--tls".to_owned()].into_iter().chain(files).collect()
    }

    fn certify(&self, name: &str, how: &[&str]) {
        let [key, certificate] = [".key", ".pem"].map(|kind| PathBuf::from(self.file(&format!("{name}{kind}"))));
        let done = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
            .args(["-subj", &format!("/CN=vendorscope test {name}")])
            .arg("-keyout")
            .arg(key)
            .arg("-out")
            .arg(certificate)
            .args(how)
            .output()
            .expect("openssl is installed");
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    }
}
