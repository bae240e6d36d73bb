//! What is wrong with an installation, and what to do about it: looked at from where the program runs, changing
//! nothing.

use serde::Serialize;
use strum::{Display, IntoStaticStr};

use super::{
    check_browser_half,
    config::{Config, ConfigError},
};

/// The database.
mod database;
/// The marketplace's login.
mod provider;
/// The Redis of the cache, and that of sessions and limits.
mod redis;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Level {
    Ok,
    /// It works, and perhaps not as was meant, or not for long.
    Warn,
    /// Something does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, found: found.into(), remedy: None }
    }

    fn warn(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, level: Level::Warn, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn fail(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, level: Level::Fail, found: found.into(), remedy: Some(remedy.into()) }
    }

    /// Where the text says what to do as well.
    fn told(name: &'static str, level: Level, found: impl Into<String>) -> Self {
        Self { name, level, found: found.into(), remedy: None }
    }
}

/// Looks at everything that this configuration names.
pub async fn examine(config: &Config) -> Vec<Check> {
    let mut checks = configuration(config);
    let (found, installation) = database::examine(config).await;
    checks.extend(found);
    checks.extend(redis::examine(config, installation.as_deref()).await);
    checks.extend(provider::examine(config).await);
    checks
}

/// What there is to say where the configuration cannot be used.
pub fn refused(errors: &[ConfigError]) -> Vec<Check> {
    errors.iter().map(|error| Check::told("configuration", Level::Fail, error.to_string())).collect()
}

fn configuration(config: &Config) -> Vec<Check> {
    let environment = if config.production { "production" } else { "development" };
    let mut checks = vec![Check::ok("configuration", format!("APP_ENV={environment}, every variable is accepted"))];
    checks.extend(config.notices().into_iter().map(|notice| Check::told("configuration", Level::Warn, notice)));
    checks.push(if config.sessions.secret_is_temporary {
        Check::warn(
            "secret",
            "SESSION_SECRET is not set: everybody is logged out by a restart",
            "set it to the output of `openssl rand -base64 48`",
        )
    } else {
        Check::ok("secret", "SESSION_SECRET is long and varied enough")
    });
    if config.production && config.http.metrics_token.is_none() {
        checks.push(Check::warn(
            "metrics",
            "METRICS_TOKEN is not set: nobody can read /metrics",
            "set it, and give it to Prometheus (docs/operations.md#watching-it)",
        ));
    }
    if config.production && config.http.trusted_proxies.is_empty() {
        checks.push(Check::warn(
            "proxies",
            "TRUSTED_PROXIES is not set: behind a balancer all clients are one address, also for the limits of logins",
            "set it to the addresses of the balancers",
        ));
    }
    checks.push(match check_browser_half(&config.http.leptos, config.http.wants_hashes) {
        Ok(()) => Check::ok("files", format!("the browser half is in {}", config.http.leptos.site_root)),
        Err(error) => Check::told("files", Level::Fail, error.to_string()),
    });
    checks.push(open_files());
    checks
}

/// Fewer open files than this are soon used up by open dashboards.
pub const FEW_FILES: u64 = 4096;

fn open_files() -> Check {
    let (name, most) = ("open files", rlimit::Resource::NOFILE.get_hard().unwrap_or_default());
    let found = format!("this process may open {most}; the server's may have another limit");
    if most >= FEW_FILES {
        return Check::ok(name, found);
    }
    Check::warn(
        name,
        format!("{found}, and each open dashboard is one"),
        "raise the hard limit (LimitNOFILE=65536 in the unit, ulimit -Hn)",
    )
}

/// Clocks that differ by more than this many microseconds are told, and by more than the second are a failure: times
/// in logs and of sessions are then not what they say.
const CLOCK_WARN_US: i64 = 2_000_000;
const CLOCK_FAIL_US: i64 = 60_000_000;

/// Another machine's clock, asked between these two instants of ours, all in microseconds since 1970.
fn compare_clocks(name: &'static str, before_us: i64, theirs_us: i64, after_us: i64) -> Check {
    let off = if theirs_us < before_us { theirs_us - before_us } else { (theirs_us - after_us).max(0) };
    let seconds = off as f64 / 1_000_000.0;
    if off.abs() < CLOCK_WARN_US {
        return Check::ok(name, "the same time as here");
    }
    let level = if off.abs() < CLOCK_FAIL_US { Level::Warn } else { Level::Fail };
    let found = format!("{:.1} s {} this machine's", seconds.abs(), if off < 0 { "behind" } else { "ahead of" });
    Check { name, level, found, remedy: Some("keep both clocks right (NTP: timedatectl status)".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_asked_in_between_is_right() {
        let level = |theirs| compare_clocks("clock", 10_000_000, theirs, 12_000_000).level;
        for theirs in [9_000_000, 10_000_000, 11_000_000, 13_000_000] {
            assert_eq!(level(theirs), Level::Ok, "{theirs}");
        }
        assert_eq!((level(7_000_000), level(15_000_000)), (Level::Warn, Level::Warn));
        assert_eq!((level(-60_000_000), level(80_000_000)), (Level::Fail, Level::Fail));
        assert_eq!(compare_clocks("clock", 10_000_000, 7_000_000, 12_000_000).found, "3.0 s behind this machine's");
    }
}
