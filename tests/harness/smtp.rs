use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, mpsc},
    time::Duration,
};

/// An SMTP server that prints what it is sent.
pub struct Smtp {
    process: Child,
    lines: Mutex<mpsc::Receiver<String>>,
    port: u16,
}

impl Smtp {
    pub fn start() -> Self {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
        assert!(python.exists(), "{} is not there: scripts/setup --tests makes it", python.display());
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let mut process = Command::new(python)
            .args(["-u", "-m", "aiosmtpd", "--nosetuid", "--class", "aiosmtpd.handlers.Debugging"])
            .args(["--listen", &format!("127.0.0.1:{port}"), "stdout"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the SMTP server starts");
        let output = process.stdout.take().expect("piped");
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(process.try_wait().expect("a process").is_none(), "the SMTP server has stopped");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, lines: Mutex::new(lines), port }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Whether nothing more comes.
    pub fn is_silent(&self) -> bool {
        self.lines.lock().expect("not poisoned").recv_timeout(Duration::from_millis(500)).is_err()
    }

    /// The next letter, its long lines put together again.
    pub fn letter(&self) -> String {
        let mut letter = String::new();
        loop {
            let line =
                self.lines.lock().expect("not poisoned").recv_timeout(Duration::from_secs(60)).expect("a letter");
            if line.contains("END MESSAGE") {
                return letter.replace("=\n", "").replace("=3D", "=");
            }
            letter.push_str(&line);
            letter.push('\n');
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
