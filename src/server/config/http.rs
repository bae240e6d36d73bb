use std::{net::SocketAddr, path::Path, time::Duration};

use leptos::config::LeptosOptions;

use super::{
    ConfigError, HttpConfig, Reader,
    addresses::{parse_network, public_url, redact_url},
};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// In production: longer than a balancer that asks every second takes to believe it.
const STOP_DELAY: Duration = Duration::from_secs(5);
/// Shortest token for `/metrics`, in characters.
const MIN_TOKEN: usize = 16;
const METRICS_TOKENS: &str = "at least 16 characters that nobody can guess";
/// nginx and HAProxy keep idle connections for 60 s (deploy/): one that closed first would cut a request off.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

pub(super) fn read<V: Fn(&str) -> Option<String>>(reader: &mut Reader<V>) -> HttpConfig {
    let address = reader
        .read("LEPTOS_SITE_ADDR", "an address and port such as 0.0.0.0:3000", |text| text.parse::<SocketAddr>().ok());
    let hash_files = reader.read("LEPTOS_HASH_FILES", "true or false", |text| text.parse::<bool>().ok());
    reader.read("LEPTOS_RELOAD_PORT", "a port", |text| text.parse::<u16>().ok());
    reader.read("LEPTOS_ENV", "DEV or PROD", |text| {
        matches!(text.to_ascii_uppercase().as_str(), "DEV" | "DEVELOPMENT" | "PROD" | "PRODUCTION").then_some(())
    });
    // Refused above is refused for good: get_configuration would only say the same in other words.
    let mut leptos =
        if reader.errors.is_empty() { read_leptos_options(&mut reader.errors) } else { default_leptos_options() };
    if let Some(address) = address {
        leptos.site_addr = address;
    }
    // Leptos reads the hashes beside the program, and stops where there are none: a program that cargo alone has built
    // has none.
    let wants_hashes = hash_files.unwrap_or(leptos.hash_files);
    leptos.hash_files = wants_hashes && hash_file_exists(&leptos);
    let trusted_proxies = reader
        .read("TRUSTED_PROXIES", "addresses and networks with commas between them, such as 10.0.0.0/8,::1", |text| {
            text.split(',').map(|part| parse_network(part.trim())).collect()
        })
        .unwrap_or_default();
    let public_url = reader.read_shown(
        "PUBLIC_URL",
        "where people reach this installation, such as https://vendors.example.com",
        public_url,
        redact_url,
    );
    let (public_url_is_guessed, public_url) =
        (public_url.is_none(), public_url.unwrap_or_else(|| format!("http://{}", leptos.site_addr)));
    let stop_delay = reader
        .read("STOP_DELAY", "a whole number of seconds from 0 to 300", |text| {
            text.parse().ok().filter(|n| *n <= 300).map(Duration::from_secs)
        })
        .unwrap_or(if reader.production { STOP_DELAY } else { Duration::ZERO });
    let metrics_token = reader.read_secret("METRICS_TOKEN", METRICS_TOKENS, |text| text.chars().count() >= MIN_TOKEN);
    let connections = reader.read("MAX_CONNECTIONS", "a whole number from 16 to 1000000", |text| {
        text.parse().ok().filter(|n| (16..=1_000_000).contains(n))
    });
    let reloads_pages = reader.text("LEPTOS_WATCH").is_some();
    HttpConfig {
        address: leptos.site_addr,
        trusted_proxies,
        public_url,
        public_url_is_guessed,
        metrics_token,
        timeout: REQUEST_TIMEOUT,
        stop_delay,
        connections,
        idle_timeout: IDLE_TIMEOUT,
        reloads_pages,
        leptos,
        wants_hashes,
    }
}

/// `Leptos.toml` of the working folder, or the one this program was built with; `LEPTOS_*` variables override either.
fn read_leptos_options(errors: &mut Vec<ConfigError>) -> LeptosOptions {
    const FILE: &str = "Leptos.toml";
    if !Path::new(FILE).exists() {
        return default_leptos_options();
    }
    leptos::config::get_configuration(Some(FILE)).map(|file| file.leptos_options).unwrap_or_else(|error| {
        errors.push(ConfigError::Refused {
            name: FILE,
            value: "[package.metadata.leptos]".to_owned(),
            accepted: error.to_string(),
        });
        default_leptos_options()
    })
}

pub(super) fn default_leptos_options() -> LeptosOptions {
    leptos::config::get_config_from_str(include_str!("../../../Leptos.toml"))
        .unwrap_or_else(|_| LeptosOptions::builder().output_name("vendorscope").site_root("target/site").build())
}

fn hash_file_exists(options: &LeptosOptions) -> bool {
    std::env::current_exe()
        .ok()
        .as_deref()
        .and_then(Path::parent)
        .is_some_and(|folder| folder.join(&*options.hash_file).exists())
}
