use std::collections::HashMap;

use secrecy::ExposeSecret;
use vendorscope::server::config::{Config, ConfigError, IdleLimits, LogFormat, parse_network};

use crate::harness::Certificates;

fn read(vars: &[(&str, &str)]) -> Result<Config, Vec<ConfigError>> {
    let vars: HashMap<&str, &str> = vars.iter().copied().collect();
    Config::from_vars(|name| vars.get(name).map(|value| (*value).to_owned()))
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn with_nothing_set_it_is_development_on_this_machine() {
    let config = read(&[]).expect("defaults");
    assert!(!config.production && config.sessions.secret_is_temporary);
    assert_eq!(config.database.url.expose_secret(), "sqlite://vendorscope.db");
    assert_eq!((config.cache.redis(), config.sessions.redis()), (None, None));
    assert_eq!((config.log.filter.as_str(), config.log.format), ("info", LogFormat::Pretty));
    assert_eq!(config.http.address.to_string(), "127.0.0.1:3000");
    let other = read(&[]).expect("defaults").sessions.secret;
    assert_ne!(config.sessions.secret.expose_secret(), other.expose_secret(), "a secret of its own each start");
}

#[test]
fn production_names_everything_that_is_missing_at_once() {
    let errors = read(&[("APP_ENV", "production"), ("REDIS_URL", " ")]).expect_err("three are missing");
    let mut names: Vec<&str> = errors
        .iter()
        .map(|error| match error {
            ConfigError::Missing { name, .. } | ConfigError::Refused { name, .. } => *name,
        })
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["DATABASE_URL", "REDIS_URL", "SESSION_SECRET"]);
    let all = [
        ("APP_ENV", "production"),
        ("REDIS_URL", "rediss://r:6380"),
        ("DATABASE_URL", "postgres://u@h/d"),
        ("SESSION_SECRET", SECRET),
    ];
    let config = read(&all).expect("complete");
    assert!(config.production);
    assert_eq!(
        config.sessions.redis(),
        config.cache.redis(),
        "sessions live where the cache does, unless told otherwise"
    );
}

#[test]
fn a_wrong_value_is_named_with_what_is_accepted() {
    for (name, value, shown) in [
        ("APP_ENV", "staging", "`staging`"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x", "`mysql://root:***@db/x`"),
        ("DATABASE_URL", "sqlite://:memory:", "`sqlite://:memory:`"),
        ("DATABASE_CONNECTIONS", "0", "`0`"),
        ("REDIS_URL", "http://:hunter2@cache", "`http://:***@cache`"),
        ("REDIS_URL", "hunter2", "`***`"),
        ("REDIS_URL", "redis://", "`redis://`"),
        ("SESSION_REDIS_URL", "cache:6379?password=hunter2", "`***`"),
        ("SESSION_SECRET", "hunter2", "`***`"),
        ("SESSION_SECRET_PREVIOUS", "hunter2", "`***`"),
        ("MAX_CONNECTIONS", "15", "`15`"),
        ("REQUIRE_TOTP", "vendor", "`vendor`"),
        ("SMTP_URL", "http://:hunter2@mail", "`http://:***@mail`"),
        ("MAIL_FROM", "nobody", "`nobody`"),
        ("OIDC_ISSUER", "http://login.example.com", "`http://login.example.com`"),
        ("OIDC_NAME", "Bazaar", "`Bazaar`"),
        // Where a host is forgotten, what stands in its place may be a password.
        ("REDIS_URL", "redis://default:hunter2secret", "`redis://***`"),
        ("REDIS_URL", "redis+cluster://one:6379,two:hunter2", "`redis+cluster://***`"),
        ("REDIS_URL", "redis+ring://cache:6379,[::1]:6380/1?x=hunter2", "`redis+ring://cache:6379,[::1]:6380/1`"),
        ("SMTP_URL", "smtp://user:hunter2secret", "`smtp://***`"),
        ("DATABASE_URL", "postgre://user:hunter2secret", "`postgre://***`"),
        ("DATABASE_URL", "mysql://db?password=hunter2@x", "`mysql://***`"),
        ("PUBLIC_URL", "https://user:hunter2secret@x", "`https://user:***@x`"),
        ("PUBLIC_URL", "https://user:hunter2secret", "`https://***`"),
        ("PUBLIC_URL", "user:hunter2secret@x", "`***`"),
        ("OIDC_ISSUER", "https://u:hunter2secret@x", "`https://u:***@x`"),
        ("OIDC_ISSUER", "https://login.example.com?tenant=hunter2", "`https://login.example.com?***`"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:hunter2secret@x", "`https://user:***@x`"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "`http://`"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://x/v1?key=hunter2", "`https://x/v1?***`"),
        ("OIDC_CLIENT_SECRET", "hunter2", "`***`"),
        ("LIMIT_PAGES", "none", "`none`"),
        ("LIMIT_PROBES", "1/1y", "`1/1y`"),
        ("LIMIT_CODES", "5/h", "`5/h`"),
        ("LIMIT_ZONE_CHANGES", "2", "`2`"),
        ("REDIS_URL", "redis+sentinel://:hunter2@cache:26379", "`redis+sentinel://:***@cache:26379`"),
        ("REDIS_URL", "redis+ring://cache", "`redis+ring://cache`"),
        ("SESSION_IDLE_MINUTES", "4", "`4`"),
        ("SESSION_IDLE_MINUTES", "off", "`off`"),
        ("SESSION_IDLE_MINUTES_ADMIN", "1441", "`1441`"),
        ("LIMIT_LOGIN_ACCOUNT", "many", "`many`"),
        ("LIMIT_READS", "0/1m", "`0/1m`"),
        ("INSTANCES", "0", "`0`"),
        ("PUBLIC_URL", "vendors.example.com", "`vendors.example.com`"),
        ("METRICS_TOKEN", "hunter2", "`***`"),
        ("COOKIE_DOMAIN", "https://example.com", "`https://example.com`"),
        ("LEPTOS_SITE_ADDR", "localhost", "`localhost`"),
        ("LEPTOS_HASH_FILES", "yes", "`yes`"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "`10.0.0.0/33`"),
        ("RUST_LOG", "vendorscope=loud", "`vendorscope=loud`"),
        ("RUST_LOG", "loud", "`loud`"),
        ("RUST_LOG", "info,vendorscop", "`info,vendorscop`"),
        ("LOG_FORMAT", "xml", "`xml`"),
        ("OTEL_TRACES_SAMPLER", "bogus", "`bogus`"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5", "`1.5`"),
    ] {
        let errors = read(&[(name, value)]).expect_err(name);
        let [error] = &errors[..] else { panic!("{name}: {errors:?}") };
        let text = error.to_string();
        assert!(text.starts_with(&format!("{name}={shown} is not accepted: ")), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn what_is_set_is_what_is_used() {
    let config = read(&[
        ("DATABASE_URL", "postgres://app:hunter2@db/market?sslmode=require"),
        ("DATABASE_CONNECTIONS", "25"),
        ("REDIS_URL", "redis://:hunter2@cache:6379/1"),
        ("SESSION_REDIS_URL", "redis://sessions"),
        ("SESSION_SECRET", SECRET),
        ("SESSION_SECRET_PREVIOUS", "hunter2 hunter2 hunter2 hunter2 hunter2"),
        ("SESSION_IDLE_MINUTES", "30"),
        ("MAX_CONNECTIONS", "500"),
        ("LIMIT_ZONE_CHANGES", "off"),
        ("LIMIT_LOGIN_ACCOUNT", "5/1h"),
        ("LIMIT_WRITES", "off"),
        ("INSTANCES", "3"),
        ("PUBLIC_URL", "https://vendors.example.com/"),
        ("METRICS_TOKEN", "hunter2hunter2hunter2"),
        ("COOKIE_DOMAIN", ".Example.com"),
        ("OIDC_ISSUER", "https://login.example.com/realms/market"),
        ("OIDC_CLIENT_ID", "vendorscope"),
        ("OIDC_CLIENT_SECRET", "hunter2 of the provider"),
        ("OIDC_SCOPES", "email  profile"),
        ("LEPTOS_SITE_ADDR", "0.0.0.0:8080"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("RUST_LOG", "vendorscope=debug,info"),
        ("LOG_FORMAT", "json"),
    ])
    .expect("all accepted");
    assert_eq!(config.database.connections, 25);
    assert_eq!(config.sessions.redis(), Some("redis://sessions"));
    assert_eq!(config.sessions.cookie_domain.as_deref(), Some("example.com"));
    let half_an_hour = Some(std::time::Duration::from_secs(1800));
    assert_eq!(config.sessions.idle_limits, IdleLimits { admins: half_an_hour, others: half_an_hour });
    let limit = config.limits.login_account.expect("a limit");
    assert_eq!(
        (limit.count.get(), limit.period.as_secs(), config.limits.writes, config.limits.instances.get()),
        (5, 3600, None, 3)
    );
    assert!(config.limits.reads.is_some() && config.limits.pages.is_some(), "what is not set is as usual");
    assert_eq!((config.limits.zone_changes, config.http.connections), (None, Some(500)));
    assert!(config.sessions.previous_secret.is_some());
    assert_eq!(config.http.public_url, "https://vendors.example.com");
    let provider = config.provider.as_ref().expect("a provider");
    assert_eq!(
        (provider.issuer.as_str(), provider.client_id.as_str(), provider.client_secret.expose_secret()),
        ("https://login.example.com/realms/market", "vendorscope", "hunter2 of the provider")
    );
    assert_eq!(
        (provider.name.as_str(), provider.claim.as_str(), provider.scopes.join(" ").as_str()),
        ("the marketplace", "email", "email profile")
    );
    assert_eq!(config.http.address.port(), 8080);
    assert_eq!(
        config.http.trusted_proxies,
        [parse_network("10.0.0.0/8"), parse_network("::1")].map(|network| network.expect("a network"))
    );
    assert_eq!((config.log.filter.as_str(), config.log.format), ("vendorscope=debug,info", LogFormat::Json));

    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn redis_may_be_one_server_behind_sentinels_or_a_cluster() {
    for url in [
        "redis://cache",
        "rediss://user:pw@cache:6380/1",
        "redis+sentinel://a:1,b/main/2",
        "rediss+cluster://:pw@a:7000,b:7001",
    ] {
        assert_eq!(read(&[("REDIS_URL", url)]).expect(url).sessions.redis(), Some(url));
    }
}

#[test]
fn files_for_tls_to_redis_are_read_at_the_start_and_what_is_wrong_with_them_is_said() {
    let (made, others) = (Certificates::make(), Certificates::make());
    let [ca, own, key] = ["ca.pem", "client.pem", "client.key"].map(|name| made.file(name));
    let (other_key, missing) = (others.file("client.key"), made.file("no-such.pem"));
    let config = read(&[("REDIS_URL", "rediss://r"), ("REDIS_CA", &ca), ("REDIS_CERT", &own), ("REDIS_KEY", &key)]);
    let config = config.expect("all of it");
    assert!(config.redis_tls.authorities().is_some() && config.redis_tls.own().is_some());
    assert!(!format!("{config:?}").contains("PRIVATE KEY"));
    let sessions = read(&[("REDIS_URL", "redis://r"), ("SESSION_REDIS_URL", "rediss+cluster://s"), ("REDIS_CA", &ca)]);
    assert!(sessions.expect("of use for one of them").redis_tls.authorities().is_some());
    type Vars<'a> = [(&'static str, &'a str)];
    let wrong: [(&Vars, &str, &str); 8] = [
        (&[("REDIS_CA", &missing)], "REDIS_CA", "No such file"),
        (&[("REDIS_CA", &key)], "REDIS_CA", "it holds none"),
        (&[("REDIS_CERT", &own)], "REDIS_CERT", "only together with REDIS_KEY"),
        (&[("REDIS_KEY", &key)], "REDIS_KEY", "only together with REDIS_CERT"),
        (&[("REDIS_CERT", &key), ("REDIS_KEY", &key)], "REDIS_CERT", "it holds none"),
        (&[("REDIS_CERT", &own), ("REDIS_KEY", &own)], "REDIS_KEY", "private key of REDIS_CERT in PEM"),
        (&[("REDIS_CERT", &own), ("REDIS_KEY", &other_key)], "REDIS_KEY", "private key of REDIS_CERT in PEM"),
        (&[("REDIS_URL", "redis://r"), ("REDIS_CA", &ca)], "REDIS_CA", "begins with rediss"),
    ];
    for (vars, name, why) in wrong {
        let all: Vec<_> = [("REDIS_URL", "rediss://r")].into_iter().chain(vars.iter().copied()).collect();
        let errors = read(&all).expect_err(name);
        let [error] = &errors[..] else { panic!("{vars:?}: {errors:?}") };
        let text = error.to_string();
        assert!(text.starts_with(&format!("{name}=`")) && text.contains(why), "{vars:?}: {text}");
    }
}

#[test]
fn a_network_holds_the_addresses_that_begin_like_it() {
    for (network, address, inside) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false),
    ] {
        let contains = parse_network(network)
            .expect(network)
            .contains(&address.parse::<std::net::IpAddr>().expect(address).to_canonical());
        assert_eq!(contains, inside, "{address} in {network}");
    }
    for text in ["", "10.0.0.0/", "10.0.0/8", "::1/129", "example.com"] {
        assert_eq!(parse_network(text), None, "{text}");
    }
}

/// cargo-leptos reads Cargo.toml, the server reads Leptos.toml: what both say must be the same. (`env` is the server's
/// alone: cargo-leptos does not know it.)
#[test]
fn both_leptos_configurations_agree() {
    let cargo = section(include_str!("../../Cargo.toml"), "\n[[workspace.metadata.leptos]]\n");
    let mut leptos = section(include_str!("../../Leptos.toml"), "\n[package.metadata.leptos]\n");
    assert!(leptos.contains_key("output-name") && leptos.contains_key("hash-files"), "{leptos:?}");
    assert_eq!(leptos.remove("env").as_deref(), Some("\"DEV\""));
    for (key, value) in &leptos {
        assert_eq!(cargo.get(key), Some(value), "{key}");
    }
    let of_the_server = [
        "output-name",
        "site-root",
        "site-pkg-dir",
        "site-addr",
        "reload-port",
        "env",
        "hash-files",
        "hash-file-name",
        "server-fn-prefix",
    ];
    for key in of_the_server {
        assert_eq!(leptos.get(key), cargo.get(key), "{key}");
    }
}

/// The lines of a section, whose heading must begin a line: leptos_config finds it no other way.
fn section(toml: &str, heading: &str) -> HashMap<String, String> {
    let (_, rest) = toml.split_once(heading).expect("the section");
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once(" = ")).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_provider_needs_an_id_a_secret_and_an_address_to_come_back_to() {
    let issuer = ("OIDC_ISSUER", "https://login.example.com");
    let refused = |vars: &[(&str, &str)]| -> Vec<String> {
        read(vars).expect_err("something is missing").iter().map(ToString::to_string).collect()
    };
    let texts = refused(&[issuer]);
    assert_eq!(texts.len(), 2, "{texts:?}");
    for (text, name) in texts.iter().zip(["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"]) {
        assert!(text.starts_with(&format!("{name}=`` is not accepted: with OIDC_ISSUER, ")), "{text}");
    }
    let given = [issuer, ("OIDC_CLIENT_ID", "vendorscope"), ("OIDC_CLIENT_SECRET", "hunter2")];
    assert!(read(&given).expect("all of it").provider.is_some());
    let production = [
        ("APP_ENV", "production"),
        ("REDIS_URL", "rediss://r:6380"),
        ("DATABASE_URL", "postgres://u@h/d"),
        ("SESSION_SECRET", SECRET),
    ];
    let texts = refused(&[&given[..], &production[..]].concat());
    assert!(texts.len() == 1 && texts[0].starts_with("PUBLIC_URL=`` is not accepted: with OIDC_ISSUER, "), "{texts:?}");
    let complete = [&given[..], &production[..], &[("PUBLIC_URL", "https://vendors.example.com")]].concat();
    assert!(read(&complete).expect("all of it").provider.is_some());
}

#[test]
fn admins_are_logged_out_after_an_hour_without_use_unless_it_is_said_otherwise() {
    let minutes = |vars: &[(&str, &str)]| {
        let IdleLimits { admins, others } = read(vars).expect("accepted").sessions.idle_limits;
        [admins, others].map(|limit| limit.map(|limit| limit.as_secs() / 60))
    };
    assert_eq!(minutes(&[]), [Some(60), None]);
    assert_eq!(minutes(&[("SESSION_IDLE_MINUTES", "120")]), [Some(120), Some(120)]);
    assert_eq!(minutes(&[("SESSION_IDLE_MINUTES_ADMIN", "15")]), [Some(15), None]);
    assert_eq!(minutes(&[("SESSION_IDLE_MINUTES_ADMIN", "off")]), [None, None]);
    assert_eq!(
        minutes(&[("SESSION_IDLE_MINUTES_ADMIN", "15"), ("SESSION_IDLE_MINUTES", "120")]),
        [Some(15), Some(120)]
    );
}

/// `cargo leptos watch` serves the style sheet as it is, and what that imports nowhere.
#[test]
fn the_style_sheet_is_whole() {
    assert!(!include_str!("../../style/main.css").lines().any(|line| line.trim_start().starts_with("@import")));
}
