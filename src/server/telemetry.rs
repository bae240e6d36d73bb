//! Logs.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use super::config::{LogConfig, LogFormat};

/// Starts writing logs to standard error. Does nothing where something in this process writes logs already (tests).
pub fn start(config: &LogConfig) {
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(in_colour());
    let started = match config.format {
        LogFormat::Pretty => subscriber.try_init(),
        LogFormat::Json => {
            subscriber.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logs were started before");
    }
}

/// On a terminal whose user has not said otherwise (no-color.org).
fn in_colour() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
