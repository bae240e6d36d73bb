//! Logs, and traces where a collector is named.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use super::{
    config::{LogConfig, LogFormat},
    traces::Traces,
};

/// What was started, and ends with the program.
pub struct Telemetry(Option<Traces>);

/// Starts writing logs to standard error, and with `traced` sending traces, for which there has to be a Tokio runtime.
/// Does nothing where something in this process writes logs already (tests).
pub fn start(config: &LogConfig, traced: bool) -> Telemetry {
    let traces = if traced { Traces::start() } else { Err(String::new()) };
    let started = match &traces {
        Ok(traces) => with_traces(config, traces),
        Err(_) => logs_alone(config),
    };
    if !started {
        tracing::debug!("logs were started before");
    }
    match traces {
        Ok(traces) => {
            tracing::info!("traces are sent to OTEL_EXPORTER_OTLP_ENDPOINT");
            Telemetry(Some(traces))
        }
        Err(error) => {
            if traced {
                tracing::error!(error, "no traces are sent: see OTEL_EXPORTER_OTLP_ENDPOINT");
            }
            Telemetry(None)
        }
    }
}

impl Telemetry {
    /// Sends what is left.
    pub async fn stop(self) {
        if let Some(traces) = self.0 {
            traces.stop().await;
        }
    }
}

fn filter(config: &LogConfig) -> EnvFilter {
    EnvFilter::builder().parse_lossy(&config.filter)
}

/// One filter for everything: what nobody writes is switched off where it stands. (An internal error is that nobody
/// reads the log any more; to tell that by `eprintln!` would end the task that logs.)
fn logs_alone(config: &LogConfig) -> bool {
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter(config)).with_writer(stderr).with_ansi(in_colour());
    let subscriber = subscriber.log_internal_errors(false);
    let started = match config.format {
        LogFormat::Pretty => subscriber.try_init(),
        LogFormat::Json => {
            subscriber.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
    };
    started.is_ok()
}

fn with_traces(config: &LogConfig, traces: &Traces) -> bool {
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(in_colour()).log_internal_errors(false);
    let lines = match config.format {
        LogFormat::Pretty => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter(config))).with(traces.layer()).try_init().is_ok()
}

/// On a terminal whose user has not said otherwise (no-color.org).
fn in_colour() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
