//! Configuration, read from the environment once at start. A wrong value stops the start with its name, its value and
//! what is accepted; secrets and passwords are never shown.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;
use leptos::config::LeptosOptions;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use vendorscope_redis::Tls;

use super::mail;

/// What stands in an address.
mod addresses;
/// Where to listen, and for whom.
mod http;
/// How many requests of a kind are let in.
mod limits;
/// What is accepted and probably not meant.
mod notices;
/// The marketplace's OpenID Connect provider.
mod provider;
/// Variables, one by one.
mod reader;
/// TLS to Redis.
pub mod redis_tls;
/// Secrets that are worth their name.
mod secret;
/// Who stays logged in.
mod sessions;

use addresses::{cookie_domain, is_collector, is_database_url, is_redis_url, redact_url};
pub use addresses::{parse_network, redact};
pub use limits::{Limit, LimitConfig};
pub use provider::{EMAIL, ProviderConfig};
use reader::{OrRequired, Reader};
pub use secret::{MIN_SECRET, is_strong};
pub use sessions::{IdleLimits, RequireTotp, SessionConfig};
use sessions::{SEEDS_LOOKED_AT_EVERY, TRUSTED_UNASKED, read_idle_limits};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// `APP_ENV=production`: nothing falls back to memory, cookies are Secure.
    pub production: bool,
    pub database: DatabaseConfig,
    pub cache: CacheConfig,
    pub sessions: SessionConfig,
    /// By which both are reached where their addresses say `rediss`.
    pub redis_tls: Tls,
    pub limits: LimitConfig,
    pub http: HttpConfig,
    /// `None`: no letters are sent.
    pub mail: Option<MailConfig>,
    /// `None`: nobody logs in through the marketplace.
    pub provider: Option<ProviderConfig>,
    pub log: LogConfig,
}

#[derive(Debug, Clone)]
pub struct MailConfig {
    /// `smtp://user:password@host:port?tls=required`, or `smtps://…`.
    pub smtp_url: SecretString,
    /// Whom letters are from.
    pub from: String,
}

#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    pub url: SecretString,
    /// The most connections that read at the same time.
    pub connections: u32,
}

#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// `None`: memory.
    pub redis_url: Option<SecretString>,
}

impl CacheConfig {
    /// The address of its Redis.
    pub fn redis(&self) -> Option<&str> {
        self.redis_url.as_ref().map(ExposeSecret::expose_secret)
    }
}

#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where people reach this installation, without a slash at its end: what links that leave it begin with.
    pub public_url: String,
    /// Nobody has said so: it is made of `address`.
    pub public_url_is_guessed: bool,
    /// What `/metrics` asks for. `None`: anyone may read it in development, and nobody in production.
    pub metrics_token: Option<SecretString>,
    /// How long an answer may take to begin.
    pub timeout: Duration,
    /// How long it goes on answering, but is not ready, once it was told to stop.
    pub stop_delay: Duration,
    /// The most connections at a time. `None`: as many as the process may open files for, less what it needs itself.
    pub connections: Option<usize>,
    /// How long a connection may go without a whole request head. Longer than proxies keep idle ones.
    pub idle_timeout: Duration,
    /// `cargo leptos watch` runs this program, and tells open pages when to load anew.
    pub reloads_pages: bool,
    /// Names and folders of the browser half.
    pub leptos: LeptosOptions,
    /// The names of its files are said to carry hashes; `leptos` says whether the hashes are there.
    pub wants_hashes: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// As `RUST_LOG` is written: `info`, `vendorscope=debug,info`.
    pub filter: String,
    pub format: LogFormat,
    /// Whether a collector of traces is named; everything else of it is read by OpenTelemetry's own crates.
    pub traces: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}

/// One variable that the program cannot start with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{name} is not set, and APP_ENV=production requires it: {accepted}")]
    Missing { name: &'static str, accepted: &'static str },
    #[error("{name}=`{value}` is not accepted: {accepted}")]
    Refused { name: &'static str, value: String, accepted: String },
}

const COLLECTORS: &str =
    "http://host:port of a collector that takes OTLP over HTTP; one beside the program sends it on by TLS";
const SAMPLERS: &str = "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or \
                        parentbased_traceidratio";
const REDIS_URLS: &str = "redis://[user:password@]host[:port][/database], redis+sentinel://host:port,host:port/master \
    or \
                          redis+cluster://host:port,host:port, and each with rediss for TLS; / ? # % in a password are \
                          written %2F %3F %23 %25";
const DATABASE_URLS: &str = "sqlite://path/to/file.db or postgres://user:password@host/database; / ? # % in a password \
                             are written %2F %3F %23 %25";
const SECRETS: &str = "at least 32 characters that nobody can guess, no short text repeated, such as the output of \
                       `openssl rand -base64 48`";
const SMTP_URLS: &str = "smtps://user:password@host, or smtp://user:password@host:587?tls=required";
const SENDERS: &str = "an address such as Marketplace <vendors@example.com>";

impl Config {
    pub fn from_env() -> Result<Self, Vec<ConfigError>> {
        Self::from_vars(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads the variables from `vars`; an empty one counts as not set. All that is wrong is named at once.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader { vars, production: false, errors: Vec::new() };
        reader.production = reader.read("APP_ENV", "development or production", |text| match text {
            "development" => Some(false),
            "production" => Some(true),
            _ => None,
        }) == Some(true);

        let database = DatabaseConfig {
            url: reader.read_secret("DATABASE_URL", DATABASE_URLS, is_database_url).or_required(
                &mut reader,
                "DATABASE_URL",
                DATABASE_URLS,
                || "sqlite://vendorscope.db".into(),
            ),
            connections: reader
                .read("DATABASE_CONNECTIONS", "a whole number from 1 to 1000", |text| {
                    text.parse().ok().filter(|n| (1..=1000).contains(n))
                })
                .unwrap_or(10),
        };
        let redis_url = reader.read_secret("REDIS_URL", REDIS_URLS, is_redis_url);
        if redis_url.is_none() {
            reader.require("REDIS_URL", REDIS_URLS);
        }
        let session_redis_url = reader.read_secret("SESSION_REDIS_URL", REDIS_URLS, is_redis_url);
        let any_tls =
            [&redis_url, &session_redis_url].into_iter().flatten().any(|url| url.expose_secret().starts_with("rediss"));
        let redis_tls = redis_tls::read(&mut reader, any_tls);
        let secret = reader.read_secret("SESSION_SECRET", SECRETS, is_strong);
        let previous_secret =
            reader.read_secret("SESSION_SECRET_PREVIOUS", SECRETS, |text| text.chars().count() >= MIN_SECRET);
        let sessions = SessionConfig {
            redis_url: session_redis_url.or_else(|| redis_url.clone()),
            previous_secret,
            secret_is_temporary: secret.is_none(),
            secret: secret.or_required(&mut reader, "SESSION_SECRET", SECRETS, random_secret),
            require_totp: reader
                .read("REQUIRE_TOTP", "nobody, admin or all", |text| match text {
                    "nobody" => Some(RequireTotp::Nobody),
                    "admin" => Some(RequireTotp::Admins),
                    "all" => Some(RequireTotp::Everybody),
                    _ => None,
                })
                .unwrap_or_default(),
            cookie_domain: reader.read("COOKIE_DOMAIN", "a domain such as .example.com", cookie_domain),
            idle_limits: read_idle_limits(&mut reader),
            trusted_unasked: TRUSTED_UNASKED,
            seeds_looked_at_every: SEEDS_LOOKED_AT_EVERY,
        };
        let limits = limits::read(&mut reader);
        let http = http::read(&mut reader);
        let smtp_url = reader.read_secret("SMTP_URL", SMTP_URLS, mail::is_smtp_url);
        let from = reader.read("MAIL_FROM", SENDERS, |text| mail::is_sender(text).then(|| text.to_owned()));
        let mail = match (smtp_url, from) {
            (Some(smtp_url), Some(from)) => Some(MailConfig { smtp_url, from }),
            (Some(_), None) if reader.text("MAIL_FROM").is_none() => {
                reader.errors.push(ConfigError::Refused {
                    name: "MAIL_FROM",
                    value: String::new(),
                    accepted: format!("with SMTP_URL, {SENDERS}"),
                });
                None
            }
            _ => None,
        };
        let provider = provider::read(&mut reader);
        let log = LogConfig {
            filter: reader
                .read(
                    "RUST_LOG",
                    "a level (error, warn, info, debug, trace), or levels by module such as vendorscope=debug,info",
                    |text| is_log_filter(text).then(|| text.to_owned()),
                )
                .unwrap_or_else(|| "info".to_owned()),
            format: reader
                .read("LOG_FORMAT", "pretty or json", |text| match text {
                    "pretty" => Some(LogFormat::Pretty),
                    "json" => Some(LogFormat::Json),
                    _ => None,
                })
                .unwrap_or(LogFormat::Pretty),
            traces: ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
                .into_iter()
                .any(|name| reader.read_shown(name, COLLECTORS, is_collector, redact_url).is_some()),
        };
        reader.read("OTEL_TRACES_SAMPLER", SAMPLERS, |text| {
            SAMPLERS.split([' ', ',']).any(|sampler| sampler == text && sampler != "or").then_some(())
        });
        reader.read("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1", |text| {
            text.parse().ok().filter(|share: &f64| (0.0..=1.0).contains(share))
        });
        let config = Self {
            production: reader.production,
            database,
            cache: CacheConfig { redis_url },
            sessions,
            redis_tls,
            limits,
            http,
            mail,
            provider,
            log,
        };
        if reader.errors.is_empty() { Ok(config) } else { Err(reader.errors) }
    }

    /// Development, everything in memory but the database, whose URL the test sets; a free port of this machine.
    pub fn for_tests() -> Self {
        let mut leptos = http::default_leptos_options();
        leptos.hash_files = false;
        Self {
            production: false,
            database: DatabaseConfig { url: "".into(), connections: 4 },
            cache: CacheConfig { redis_url: None },
            sessions: SessionConfig {
                redis_url: None,
                secret: "a secret of the tests, long enough".into(),
                previous_secret: None,
                secret_is_temporary: false,
                require_totp: RequireTotp::Nobody,
                cookie_domain: None,
                idle_limits: IdleLimits::default(),
                trusted_unasked: TRUSTED_UNASKED,
                seeds_looked_at_every: SEEDS_LOOKED_AT_EVERY,
            },
            redis_tls: Tls::default(),
            // As often as one likes: tests ask more often than anybody. Guessing passwords is limited as ever.
            limits: LimitConfig {
                reads: None,
                writes: None,
                pages: None,
                probes: None,
                zone_changes: None,
                ..LimitConfig::default()
            },
            // Tests load a small machine far beyond what a person would wait for.
            http: HttpConfig {
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
                trusted_proxies: Vec::new(),
                public_url: "http://vendorscope.test".to_owned(),
                public_url_is_guessed: false,
                metrics_token: None,
                timeout: Duration::from_secs(600),
                stop_delay: Duration::ZERO,
                connections: None,
                idle_timeout: http::IDLE_TIMEOUT,
                reloads_pages: false,
                leptos,
                wants_hashes: false,
            },
            mail: None,
            provider: None,
            log: LogConfig { filter: "info".to_owned(), format: LogFormat::Pretty, traces: false },
        }
    }
}

/// Whether this is a filter, and each word in it that stands alone a level: a word that is none would be taken for a
/// module's name, and everything else be silent.
fn is_log_filter(text: &str) -> bool {
    let is_known = |part: &str| part.contains(['=', '[', ':']) || part.parse::<LevelFilter>().is_ok();
    EnvFilter::builder().parse(text).is_ok() && text.split(',').map(str::trim).all(is_known)
}

fn random_secret() -> SecretString {
    hex::encode(rand::random::<[u8; 32]>()).into()
}
