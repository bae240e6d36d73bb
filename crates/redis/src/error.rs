//! What can go wrong: while connecting for the first time, and with one request.

use std::{fmt, time::Duration};

/// Why there will be no connection, however long one waits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be used.
    #[error("the Redis address {url} cannot be used: {reason}")]
    Url { url: RedactedUrl, reason: String },
    /// The server was reached and refused us for good: wrong password, no such database, a member of a cluster taken
    /// for a server alone.
    #[error("Redis at {url} refuses this program: {reason}")]
    Refused { url: RedactedUrl, reason: String },
}

/// Why a request was not answered as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// Whether the server did what it was asked is not known.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("refused: {0}")]
    Refused(String),
}
/// A Redis address without its password. The only form in which one is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedUrl(String);

impl RedactedUrl {
    /// Hides everything between `://` and the last `@`, so that even an address too broken to be parsed shows no
    /// password.
    pub fn new(url: &str) -> Self {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), url),
        };
        Self(match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}***@{host}"),
            None => format!("{scheme}{rest}"),
        })
    }
}

impl fmt::Display for RedactedUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for RedactedUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("rediss://default:s3cret@host:6380/2", "rediss://***@host:6380/2"),
            ("redis://:s3cret/with@signs@host", "redis://***@host"),
            ("default:s3cret@host", "***@host"),
        ] {
            assert_eq!(RedactedUrl::new(url).to_string(), shown);
            assert!(!format!("{:?}", RedactedUrl::new(url)).contains("s3cret"));
        }
    }
}
