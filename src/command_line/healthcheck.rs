use std::{
    io::{BufRead, BufReader, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;

/// How long the instance may take.
const WITHIN: Duration = Duration::from_secs(2);

#[derive(Args)]
pub struct Healthcheck {
    /// Ask whether it can work (/readyz), and not only whether it answers (/healthz)
    #[arg(long)]
    ready: bool,
}

impl Healthcheck {
    /// Fails unless the instance that listens at this address answers 200.
    pub fn run(&self, listens_at: SocketAddr) -> anyhow::Result<()> {
        let address = reached_at(listens_at);
        let path = if self.ready { "/readyz" } else { "/healthz" };
        let status = ask(address, path).with_context(|| format!("http://{address}{path} does not answer"))?;
        if status.split(' ').nth(1) != Some("200") {
            bail!("http://{address}{path} answers {}", status.trim_end());
        }
        Ok(())
    }
}

/// Whoever listens everywhere is reached here.
fn reached_at(listens_at: SocketAddr) -> SocketAddr {
    let ip = match listens_at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens_at.port())
}

/// The first line of the answer.
fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    Ok(status)
}
