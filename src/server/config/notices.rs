use secrecy::ExposeSecret;

use super::Config;
use crate::server::db::unverified_host;

impl Config {
    /// What is accepted and probably not meant: each with what follows from it and what to do, for the log at start and
    /// for `vendorscope doctor`.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        let address = self.http.address;
        if !self.production && !address.ip().is_loopback() {
            notices.push(format!(
                "APP_ENV=development listens on {address}, where others reach it: cookies are not Secure, /metrics is \
                 open and \
                 nothing is required; set APP_ENV=production"
            ));
        }
        if !self.production {
            return notices;
        }
        if self.http.public_url_is_guessed {
            notices.push(format!(
                "PUBLIC_URL is not set: links for lost passwords begin with {}; set it to where people reach this \
                 installation, such as https://vendors.example.com",
                self.http.public_url
            ));
        } else if self.http.public_url.starts_with("http://") {
            notices.push(format!(
                "PUBLIC_URL={} is without TLS: in production browsers keep the cookie of https:// alone",
                self.http.public_url
            ));
        }
        if let Some(host) = unverified_host(self.database.url.expose_secret()) {
            notices.push(format!(
                "the connection to PostgreSQL at {host} is not verified: whoever gets in between can read and change \
                 all \
                 of it; add ?sslmode=verify-full&sslrootcert=/path/ca.pem to DATABASE_URL \
                 (docs/deployment.md#tls-to-postgresql-and-redis)"
            ));
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notices(change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = Config::for_tests();
        config.database.url = "sqlite://x.db".into();
        change(&mut config);
        config.notices()
    }

    #[test]
    fn what_is_probably_not_meant_is_said_and_nothing_else() {
        assert_eq!(notices(|_| ()), [""; 0]);
        let production = |config: &mut Config| {
            config.production = true;
            config.http.public_url = "https://vendors.example.com".to_owned();
        };
        assert_eq!(notices(production), [""; 0]);
        let said = |change: fn(&mut Config), words: &str| {
            let notices = notices(change);
            assert!(notices.len() == 1 && notices[0].contains(words), "{words}: {notices:?}");
        };
        said(|config| config.http.address = ([0, 0, 0, 0], 3000).into(), "APP_ENV=development listens on 0.0.0.0:3000");
        said(
            |config| {
                config.production = true;
                config.http.public_url_is_guessed = true;
            },
            "PUBLIC_URL is not set",
        );
        said(|config| config.production = true, "PUBLIC_URL=http://vendorscope.test is without TLS");
        said(
            |config| {
                config.production = true;
                config.http.public_url = "https://vendors.example.com".to_owned();
                config.database.url = "postgres://u:p@db.internal/d?sslmode=require".into();
            },
            "PostgreSQL at db.internal is not verified",
        );
    }
}
