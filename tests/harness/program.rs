use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use super::Client;

/// Far longer than a start ever takes.
const START_WITHIN: Duration = Duration::from_secs(60);

/// The program, serving on a free port. Killed when dropped.
pub struct Program {
    process: Child,
    address: SocketAddr,
}

impl Program {
    /// Starts it in `folder` with these variables, and returns once it listens.
    pub fn serve(folder: &Path, vars: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_vendorscope"))
            .arg("serve")
            .current_dir(folder)
            .env_clear()
            .envs(vars.iter().copied())
            .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = process.stderr.take().expect("its log is piped");
        let (tell, told) = mpsc::channel();
        // Goes on reading until the program ends, so that a full pipe never stops it.
        std::thread::spawn(move || {
            let mut said = String::new();
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if let Some((_, rest)) = line.split_once("listening on http://") {
                    let address: String = rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':')).collect();
                    let _ = tell.send(Ok(address));
                }
                if said.len() < 10_000 {
                    said.push_str(&line);
                    said.push('\n');
                }
            }
            let _ = tell.send(Err(said));
        });
        match told.recv_timeout(START_WITHIN).expect("the program listens in time") {
            Ok(address) => Self { process, address: address.parse().expect("an address") },
            Err(said) => panic!("the program did not start: {said}"),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// `kill -9`. Returns once it is gone.
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
