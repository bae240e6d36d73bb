use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::redis::free_port;

/// Far longer than a start ever takes.
const START_WITHIN: Duration = Duration::from_secs(20);

/// HAProxy on a free port, which gives each request to the next instance in turn, whoever sends it. Killed when
/// dropped.
pub struct Balancer {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Balancer {
    /// Which instance has answered stands in the header `X-Instance`: the first is `0`.
    pub async fn start(instances: &[SocketAddr]) -> Self {
        let folder = tempfile::Builder::new().prefix("vendorscope-haproxy").tempdir().expect("a temporary folder");
        let servers: String =
            instances.iter().enumerate().map(|(number, address)| format!("    server {number} {address}\n")).collect();
        // Between asking for a free port and taking it, another test may have been faster: then with another one.
        for _ in 0..10 {
            let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
            let configuration = format!(
                "global\n    maxconn 1000\n\
                 defaults\n    mode http\n    timeout connect 5s\n    timeout client 60s\n    timeout server \
                 60s\n    option forwardfor\n\
                 frontend in\n    bind {address}\n    default_backend instances\n\
                 backend instances\n    balance roundrobin\n    http-response set-header X-Instance %s\n{servers}"
            );
            let file = folder.path().join("haproxy.cfg");
            std::fs::write(&file, configuration).expect("a file to write");
            // Debian has it where people who are not root do not look.
            let program =
                if std::path::Path::new("/usr/sbin/haproxy").exists() { "/usr/sbin/haproxy" } else { "haproxy" };
            let process = Command::new(program)
                .arg("-db")
                .arg("-f")
                .arg(&file)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let mut process = process.expect("haproxy is installed (scripts/setup --tests does that)");
            let begun = Instant::now();
            // Until it takes connections, or has given up because the port was taken.
            while process.try_wait().expect("its state").is_none() {
                if tokio::net::TcpStream::connect(address).await.is_ok() {
                    return Self { process, address, _folder: folder };
                }
                assert!(begun.elapsed() < START_WITHIN, "haproxy does not listen");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        panic!("haproxy does not start");
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
