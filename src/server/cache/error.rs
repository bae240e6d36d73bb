//! Why the cache could not be set up. On a read nothing of it ever leaves the cache.

use std::fmt;

/// Why a cache could not be built.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The address cannot be used.
    #[error("REDIS_URL {url} cannot be used: {reason}")]
    Url { url: RedactedUrl, reason: String },
    /// The server was reached and refused us for good: wrong password, no such database, a read-only replica.
    #[error("Redis at {url} refuses this program: {reason}")]
    Refused { url: RedactedUrl, reason: String },
}

/// A Redis address without its password. The only form in which one is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedUrl(String);

impl RedactedUrl {
    /// Hides everything between `://` and the last `@`, so that even an address too broken to be parsed shows no password.
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
