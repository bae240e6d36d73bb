#![deny(clippy::print_stdout, clippy::print_stderr, reason = "they panic where nobody reads: see `printing`")]

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::server::{
    Application, check_browser_half,
    config::Config,
    db::Db,
    demo,
    doctor::FEW_FILES,
    import::ImportOptions,
    open_database,
    services::{self, outbox},
    telemetry,
};

/// Looking at the cache, and acting on it.
mod cache;
/// `vendorscope doctor`
mod doctor;
/// `vendorscope healthcheck`
mod healthcheck;
/// Completions, the man page and the version.
mod packaging;
/// What commands print.
mod printing;
mod progress;
mod rollups;
/// `vendorscope user …`
mod users;

use printing::{print_aside, print_line};
use users::UserCommand;

/// Vendor analytics for marketplaces, behind a cache that is never stale.
#[derive(Parser)]
#[command(version = packaging::version(), after_help = ENVIRONMENT, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

const ENVIRONMENT: &str = "\
Environment:
  APP_ENV              development (default) or production, which requires the next three
  DATABASE_URL         sqlite://path/to/file.db or postgres://user@host/database [sqlite://vendorscope.db]
  REDIS_URL            redis://host:port, redis+sentinel://host:port/master, redis+cluster://host:port,
                       and each with rediss [cache and sessions in this process]
  SESSION_SECRET       at least 32 characters [a new one each start]
  SESSION_SECRET_PREVIOUS  the secret before a change of it, believed and not signed with [none]
  SESSION_REDIS_URL    another Redis for sessions [REDIS_URL]
  REDIS_CA             file (PEM) with the authorities to trust for rediss [the machine's]
  REDIS_CERT, REDIS_KEY  files (PEM) with the certificate to show, and its key [none]
  SESSION_IDLE_MINUTES end sessions that nobody has used for so long [24 h from the login, used or not]
  SESSION_IDLE_MINUTES_ADMIN  the same for admins, or off [SESSION_IDLE_MINUTES, or 60]
  REQUIRE_TOTP         whose login needs a one-time code: nobody, admin or all [nobody]
  COOKIE_DOMAIN        the domain whose hosts share logins [this host only]
  LEPTOS_SITE_ADDR     where to listen [127.0.0.1:3000]
  PUBLIC_URL           where people reach it: what links for lost passwords begin with [http://LEPTOS_SITE_ADDR]
  STOP_DELAY           seconds between not being ready and closing the listener [0; 5 in production]
  SMTP_URL, MAIL_FROM  where letters are sent, and whom they are from [links are shown to admins]
  OIDC_ISSUER          the marketplace's OpenID Connect provider, whose users log in by it [none]
  OIDC_CLIENT_ID, OIDC_CLIENT_SECRET  what it has given this installation
  OIDC_NAME            what the login page's button calls it [the marketplace]
  OIDC_SCOPES          what to ask it for beside openid [email]
  OIDC_CLAIM           the claim that names an account the first time [email, once verified]
  TRUSTED_PROXIES      addresses and networks whose X-Forwarded-For is believed [none]
  LIMIT_LOGIN_ACCOUNT  failed logins of one account, as number/time or off [10/15m]
  LIMIT_LOGIN_ADDRESS  failed logins from one address [100/15m]
  LIMIT_CODES          wrong one-time codes of one user [5/1h]
  LIMIT_READS          API reads of one user [3000/1m]
  LIMIT_WRITES         API writes of one user [600/1m]
  LIMIT_PAGES          pages of one user [1200/1m]
  LIMIT_PROBES         looks at /readyz and /status from one address [1200/1m]
  LIMIT_ZONE_CHANGES   changes of one vendor's time zone [2/24h]
  MAX_CONNECTIONS      connections at a time [as many as files may be open, less what is needed]
  INSTANCES            how many share these limits while Redis does not answer [1]
  METRICS_TOKEN        what /metrics asks for [open in development, closed in production]
  DATABASE_CONNECTIONS the most connections to read with [10]
  RUST_LOG, LOG_FORMAT what to log [info], and how: pretty or json [pretty]
  NO_COLOR             logs without colours on a terminal too
  OTEL_EXPORTER_OTLP_ENDPOINT
                       a collector of traces, by OTLP over HTTP, such as http://127.0.0.1:4318 [none]

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.";

#[derive(Subcommand)]
enum Command {
    /// Serve the pages and the API (the default)
    Serve,
    /// Bring the database's tables up to this version, and stop
    Migrate,
    /// Fill an empty database with a demo marketplace that ends today, and print its logins
    Demo,
    /// Import a marketplace bundle: all of it, or nothing
    Import(Import),
    /// Add, list, shut out and let in again those who may log in
    #[command(subcommand)]
    User(UserCommand),
    /// Look at the cache, invalidate, and warm
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// Check or mend the sums that the dashboards read
    #[command(subcommand)]
    Rollups(rollups::RollupsCommand),
    /// Look at everything that this installation needs, and say what is wrong with it and what to do
    Doctor(doctor::Doctor),
    /// Ask the instance on this machine whether it is well: exit code 0 or 1, for container engines
    Healthcheck(healthcheck::Healthcheck),
    /// Print completions for a shell
    Completions(packaging::Completions),
    /// Print the man page
    Man,
}

#[derive(Args)]
struct Import {
    /// Folder with vendors, products, customers, orders and order_items as .csv or .csv.gz (refunds if there are any)
    dir: PathBuf,
    /// Move every date by the same number of days, so that the newest is of the last 24 hours
    #[arg(long)]
    shift_to_today: bool,
    /// What the files are in, where they do not say so by a byte order mark, such as windows-1252 [utf-8]
    #[arg(long, value_parser = encoding)]
    encoding: Option<&'static encoding_rs::Encoding>,
}

fn encoding(label: &str) -> Result<&'static encoding_rs::Encoding, String> {
    let known = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
    known.ok_or_else(|| "not known: such as utf-8, windows-1252, iso-8859-2, utf-16le or shift_jis".to_owned())
}

/// Rendering a page can wait for work that other workers do: with fewer than this it has been seen to stand still
/// (leptos #4851).
const MIN_WORKERS: usize = 4;

pub fn run() -> ExitCode {
    keep_memory_small();
    let command = CommandLine::parse().command.unwrap_or(Command::Serve);
    exit_code(match &command {
        // These need no configuration.
        Command::Completions(completions) => completions.run().map(|()| ExitCode::SUCCESS),
        Command::Man => packaging::man().map(|()| ExitCode::SUCCESS),
        _ => match Config::from_env() {
            Ok(config) => with_runtime(execute(command, config)),
            Err(errors) => match &command {
                Command::Doctor(doctor) => doctor.refused(&errors),
                _ => {
                    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                    print_aside!("vendorscope: {}", errors.join("; "));
                    Ok(ExitCode::from(2))
                }
            },
        },
    })
}

/// Without this Linux gives memory out in pages of 2 MB where it can. The allocator holds ready what is a few KB here and
/// a few KB there: while many ask for much, a quarter of what the server had was never used (docs/performance.md).
fn keep_memory_small() {
    // Where it is not granted, things are as they always were.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn with_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let workers = std::thread::available_parallelism().map_or(MIN_WORKERS, |cores| cores.get().max(MIN_WORKERS));
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(workers).enable_all().build().context("cannot start threads")?.block_on(work)
}

fn exit_code(done: anyhow::Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) if printing::is_nobody_reading(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print_aside!("vendorscope: {}", printing::in_words(&error));
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command, mut config: Config) -> anyhow::Result<ExitCode> {
    if !matches!(command, Command::Serve) && is_unset("RUST_LOG") {
        // These commands speak for themselves, and their statements are slow by nature. What is wrong is doctor's own
        // to say.
        config.log.filter = if matches!(command, Command::Doctor(_)) { "off" } else { "warn,sqlx=error" }.to_owned();
    }
    let traced = matches!(command, Command::Serve) && config.log.traces;
    let telemetry = telemetry::start(&config.log, traced);
    match command {
        Command::Serve => {
            let served = serve(config).await;
            telemetry.stop().await;
            served?;
        }
        Command::Demo if config.production => bail!(
            "demo makes users whose passwords everybody can read: not with APP_ENV=production. For a look at it, leave \
             APP_ENV out and use a database of its own"
        ),
        Command::Doctor(doctor) => return doctor.run(&config).await,
        Command::Healthcheck(healthcheck) => healthcheck.run(config.http.address)?,
        command => {
            let db = open_database(&config).await?;
            let done = on_database(command, &config, &db).await;
            db.close().await;
            done?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An empty variable counts as not set.
fn is_unset(name: &str) -> bool {
    std::env::var_os(name).is_none_or(|value| value.to_string_lossy().trim().is_empty())
}

async fn on_database(command: Command, config: &Config, db: &Db) -> anyhow::Result<()> {
    match command {
        Command::Migrate => print_line!("The {} database is up to date.", db.dialect.name()),
        Command::Demo => demo(db).await?,
        Command::Import(arguments) => import_bundle(db, &arguments).await?,
        Command::User(command) => users::execute(command, config, db).await?,
        Command::Cache(command) => cache::execute(command, config, db).await?,
        Command::Rollups(command) => rollups::run(db, &command).await?,
        // These do without it, or open it themselves.
        Command::Serve | Command::Doctor(_) | Command::Healthcheck(_) | Command::Completions(_) | Command::Man => {}
    }
    Ok(())
}

async fn serve(config: Config) -> anyhow::Result<()> {
    for notice in config.notices() {
        tracing::warn!("{notice}");
    }
    raise_file_limit();
    if !config.http.reloads_pages {
        check_browser_half(&config.http.leptos, config.http.wants_hashes)?;
    }
    let application = Application::build(config).await?;
    Ok(Box::pin(application.run_until_stopped(stop_signal()?)).await?)
}

/// An open dashboard is an open file for as long as it is open: takes as many as the process may have.
fn raise_file_limit() {
    let before = rlimit::Resource::NOFILE.get_soft().unwrap_or_default();
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(now) if now < FEW_FILES => tracing::warn!(
            now,
            "few files may be open at the same time, and each open dashboard is one: raise the limit (LimitNOFILE, \
             ulimit -Hn)"
        ),
        Ok(now) => tracing::info!(before, now, "files that may be open at the same time"),
        Err(error) => tracing::warn!(%error, before, "the limit of open files could not be raised"),
    }
}

/// Comes when the process is told to stop: Ctrl-C, or what service managers send. The second time the process ends at
/// once.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut told = async move || {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    };
    Ok(async move {
        told().await;
        tokio::spawn(async move {
            told().await;
            tracing::warn!("told to stop a second time: ends at once, with requests unfinished");
            std::process::exit(1);
        });
    })
}

async fn demo(db: &Db) -> anyhow::Result<()> {
    let progress = progress::for_stderr();
    let logins = demo::demo(db, Timestamp::now(), &*progress).await?;
    progress.finish();
    outbox::wait_until_told().await;
    let width = logins.iter().map(|login| login.email.len()).max().unwrap_or_default();
    print_line!("The demo marketplace is ready. Log in with:");
    for login in logins {
        print_line!("  {:width$}  {}  ({})", login.email, login.password, login.who);
    }
    Ok(())
}

async fn import_bundle(db: &Db, arguments: &Import) -> anyhow::Result<()> {
    let progress = progress::for_stderr();
    let options = ImportOptions { shift_to_today: arguments.shift_to_today, encoding: arguments.encoding };
    let report = services::import::import_bundle(db, &arguments.dir, options, &*progress)
        .await
        .context("nothing was imported")?;
    progress.finish();
    outbox::wait_until_told().await;
    print_line!(
        "{} vendors, {} products, {} customers, {} orders, {} lines, {} refunds: {} rows new or different.",
        report.vendors,
        report.products,
        report.customers,
        report.orders,
        report.lines,
        report.refunds,
        report.changed
    );
    for note in &report.notes {
        print_line!("{note}");
    }
    Ok(())
}
