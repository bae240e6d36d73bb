//! What stands in an address, and whether it is one.

use ipnet::IpNet;
use vendorscope_redis::Address;

use crate::server::db::Dialect;

/// `https://host[:port][/path]`, without what a link could not be added to.
pub(super) fn public_url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let plain = !rest.starts_with(['/', ':']) && !rest.contains(['?', '#', '@', ' ']) && names_hosts(rest);
    plain.then(|| text.trim_end_matches('/').to_owned())
}

pub(super) fn is_database_url(text: &str) -> bool {
    let (Some((_, place)), Ok(dialect)) = (text.split_once("://"), Dialect::of(text)) else { return false };
    match dialect {
        // SQLite in memory would be a database of its own on every connection.
        Dialect::Sqlite => !place.is_empty() && !place.starts_with(":memory:"),
        Dialect::Postgres => !place.is_empty() && !is_cut_short(place),
    }
}

/// Whether a character of the password, as it stands, ends what was meant to be the password: what comes before the
/// first `/`, `?` or `#` is then taken for host and port.
fn is_cut_short(after_scheme: &str) -> bool {
    let end = after_scheme.find(['/', '?', '#']).unwrap_or(after_scheme.len());
    let (authority, rest) = after_scheme.split_at(end);
    let credentials = authority.rsplit_once('@').map_or("", |(credentials, _)| credentials);
    let is_unwritten = |(at, _): (usize, &str)| {
        let digits = credentials.get(at + 1..at + 3).unwrap_or_default();
        digits.len() < 2 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    path.contains('@')
        || (query.contains('@') && !query.split('&').all(|pair| pair.contains('=')))
        || credentials.match_indices('%').any(is_unwritten)
}

/// One server, a master behind sentinels, or a cluster.
pub(super) fn is_redis_url(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    !host.is_empty() && !host.starts_with(':') && !is_cut_short(rest) && Address::parse(text).is_ok()
}

/// `http://host[:port][/path]`.
pub(super) fn is_collector(text: &str) -> Option<()> {
    let host = text.strip_prefix("http://")?.rsplit('@').next().unwrap_or_default();
    (!host.is_empty() && !host.starts_with(['/', ':', '?']) && names_hosts(host)).then_some(())
}

pub(super) fn cookie_domain(text: &str) -> Option<String> {
    let domain = text.strip_prefix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    domain.split('.').all(label).then_some(domain)
}

/// A URL without its password and parameters; anything else not at all.
pub fn redact(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return "***".to_owned() };
    let plain = rest.split('?').next().unwrap_or_default();
    match rest.rsplit_once('@') {
        // What has an `@` among its parameters may have a password there.
        Some((credentials, _)) if credentials.contains('?') => format!("{scheme}://***"),
        Some((credentials, place)) => {
            let user = credentials.split_once(':').map_or(credentials, |(user, _)| user);
            format!("{scheme}://{user}:***@{}", place.split('?').next().unwrap_or_default())
        }
        None if scheme == "sqlite" || names_hosts(plain) => format!("{scheme}://{plain}"),
        // A password whose host was forgotten: `redis://user:password`.
        None => format!("{scheme}://***"),
    }
}

/// As `redact`, for what should hold no secret: shown as it is where it cannot hold one.
pub(super) fn redact_url(text: &str) -> String {
    match text.split_once('?') {
        _ if !text.contains("://") && !text.contains('@') => text.to_owned(),
        Some((plain, _)) if !text.contains('@') => format!("{}?***", redact(plain)),
        _ => redact(text),
    }
}

/// Whether what follows `scheme://` begins with hosts, each with a port or without.
fn names_hosts(after_scheme: &str) -> bool {
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = |place: &str| {
        let after_host = place.rsplit_once(']').map_or(place, |(_, port)| port);
        after_host.split_once(':').is_none_or(|(_, port)| port.is_empty() || port.parse::<u16>().is_ok())
    };
    authority.split(',').all(is_host)
}

/// `10.0.0.0/8`, `fd00::/8` or one address.
pub fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}
