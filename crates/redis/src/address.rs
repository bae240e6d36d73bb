//! Where Redis is: one server, a master that sentinels watch over, or a cluster.
//!
//! - `redis://[user:password@]host:port[/db]`, with TLS `rediss://…`
//! - `redis+sentinel://[user:password@]host:port,host:port/master[/db]`: the hosts are sentinels, which are asked
//!   without a password
//! - `redis+cluster://[user:password@]host:port,host:port`: any members of the cluster
//!
//! and `rediss+sentinel://…`, `rediss+cluster://…` with TLS throughout.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::tls::Tls;

const SENTINEL_PORT: u16 = 26379;
const REDIS_PORT: u16 = 6379;

#[derive(Debug, Clone)]
pub enum Address {
    Server(ConnectionInfo),
    Master(Sentinels),
    /// Members to ask for the others.
    Cluster(Vec<ConnectionInfo>),
}

/// Who to ask for the master.
#[derive(Debug, Clone)]
pub struct Sentinels {
    pub sentinels: Vec<ConnectionInfo>,
    /// As the sentinels call it.
    pub master: String,
    /// How to connect to the master, but for its host and port.
    pub like: ConnectionInfo,
}

impl Address {
    /// The error says what is wrong and holds nothing of the address.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or("it must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://")?;
        let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        if !matches!(base, "redis" | "rediss") {
            return Err("it must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://".to_owned());
        }
        if kind.is_empty() {
            return parse_one(url).map(Self::Server);
        }
        let (credentials, rest) = rest
            .rsplit_once('@')
            .map_or((String::new(), rest), |(credentials, rest)| (format!("{credentials}@"), rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let hosts: Vec<&str> = hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
        let first = *hosts.first().ok_or("it names no host")?;
        match kind {
            "sentinel" => {
                let (master, db) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(
                        "it must end with the master's name: redis+sentinel://host:port,host:port/master".to_owned()
                    );
                }
                let sentinels = hosts
                    .iter()
                    .map(|host| parse_one(&format!("{base}://{}", with_port(host, SENTINEL_PORT))))
                    .collect::<Result<_, _>>()?;
                let like = parse_one(&format!("{base}://{credentials}{}/{db}", with_port(first, REDIS_PORT)))?;
                Ok(Self::Master(Sentinels { sentinels, master: master.to_owned(), like }))
            }
            "cluster" => hosts
                .iter()
                .map(|host| parse_one(&format!("{base}://{credentials}{}", with_port(host, REDIS_PORT))))
                .collect::<Result<_, _>>()
                .map(Self::Cluster),
            _ => Err(format!("`{base}+{kind}` is not known: +sentinel or +cluster")),
        }
    }

    /// The same address; where it says TLS, every server of it is reached by this.
    pub fn reached_by(self, tls: &Tls) -> Result<Self, String> {
        let all = |servers: Vec<ConnectionInfo>| -> Result<Vec<_>, String> {
            servers.into_iter().map(|server| tls.applied_to(server)).collect()
        };
        Ok(match self {
            Self::Server(server) => Self::Server(tls.applied_to(server)?),
            Self::Cluster(members) => Self::Cluster(all(members)?),
            Self::Master(Sentinels { sentinels, master, like }) => {
                Self::Master(Sentinels { sentinels: all(sentinels)?, master, like: tls.applied_to(like)? })
            }
        })
    }
}

/// The same way to connect, to another server.
pub fn at(like: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let addr = match like.addr() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: *insecure, tls_params: tls_params.clone() }
        }
        _ => ConnectionAddr::Tcp(host.to_owned(), port),
    };
    like.clone().set_addr(addr)
}

fn parse_one(url: &str) -> Result<ConnectionInfo, String> {
    url.into_connection_info().map_err(|error| error.to_string())
}

fn with_port(host: &str, port: u16) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(before, _)| !before.starts_with('[') || before.ends_with(']'));
    if has_port { host.to_owned() } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: &ConnectionInfo) -> String {
        address.addr().to_string()
    }

    #[test]
    fn sentinels_and_their_master_are_read() {
        let parsed = Address::parse("redis+sentinel://:s3cret@a:1,b/main/2");
        let Ok(Address::Master(Sentinels { sentinels, master, like })) = parsed else { panic!("{parsed:?}") };
        assert_eq!(
            (sentinels.iter().map(shown).collect::<Vec<_>>(), master),
            (vec!["a:1".to_owned(), "b:26379".to_owned()], "main".to_owned())
        );
        assert_eq!((like.redis_settings().password(), like.redis_settings().db()), (Some("s3cret"), 2));
        assert_eq!(sentinels[0].redis_settings().password(), None);
    }

    #[test]
    fn members_of_a_cluster_are_read() {
        let parsed = Address::parse("rediss+cluster://u:p@a:7000,[::1]:7001,b");
        let Ok(Address::Cluster(members)) = parsed else { panic!("{parsed:?}") };
        assert_eq!(members.len(), 3);
        assert!(members.iter().all(|member| matches!(member.addr(), ConnectionAddr::TcpTls { insecure: false, .. })
            && member.redis_settings().username() == Some("u")));
        assert!(matches!(at(&members[0], "c", 9).addr(), ConnectionAddr::TcpTls { host, port: 9, .. } if host == "c"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, why) in [
            ("localhost", "begin with"),
            ("http://a", "begin with"),
            ("redis+sentinel://a:1", "master's name"),
            ("redis+cluster://", "no host"),
            ("redis+ring://a", "not known"),
        ] {
            assert!(Address::parse(url).is_err_and(|error| error.contains(why)), "{url}");
        }
    }
}
