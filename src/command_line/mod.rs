use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{Timestamp, tz::TimeZone};
use vendorscope::{
    domain::accounts::{Role, check_password},
    server::{
        AppError, Application,
        cache::Cache,
        config::Config,
        import::{self, ImportOptions},
        open_database,
        services::{accounts::Accounts, owed},
        telemetry,
    },
};

/// Looking at the cache, and acting on it.
mod cache;
mod progress;
mod rollups;

/// Vendor analytics for marketplaces, behind a cache that is never stale.
#[derive(Parser)]
#[command(version, after_help = ENVIRONMENT, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

const ENVIRONMENT: &str = "\
Environment:
  APP_ENV              development (default) or production, which requires the next three
  DATABASE_URL         sqlite://path/to/file.db or postgres://user@host/database [sqlite://vendorscope.db]
  REDIS_URL            redis://host:port or rediss://host:port [cache and sessions in this process]
  SESSION_SECRET       at least 32 characters [a new one each start]
  SESSION_REDIS_URL    another Redis for sessions [REDIS_URL]
  COOKIE_DOMAIN        the domain whose hosts share logins [this host only]
  LEPTOS_SITE_ADDR     where to listen [127.0.0.1:3000]
  TRUSTED_PROXIES      addresses and networks whose X-Forwarded-For is believed [none]
  DATABASE_CONNECTIONS the most connections to read with [10]
  RUST_LOG, LOG_FORMAT what to log [info], and how: pretty or json [pretty]

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
    /// Add and list those who may log in
    #[command(subcommand)]
    User(UserCommand),
    /// Look at the cache, invalidate, and warm
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// Check or mend the sums that the dashboards read
    #[command(subcommand)]
    Rollups(rollups::RollupsCommand),
}

#[derive(Args)]
struct Import {
    /// Folder with vendors, products, customers, orders and order_items as .csv or .csv.gz (refunds if there are any)
    dir: PathBuf,
    /// Move every date by the same number of days, so that the newest order is of today
    #[arg(long)]
    shift_to_today: bool,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user; the password comes from VENDORSCOPE_PASSWORD, or is asked for
    Add(UserAdd),
    /// List all users, with their roles and vendors
    List,
}

#[derive(Args)]
struct UserAdd {
    /// Address to log in with
    email: String,
    /// What the user is: a vendor sees one vendor's business, an admin the whole marketplace
    #[arg(long)]
    role: RoleName,
    /// The marketplace's id of the vendor (role vendor only)
    #[arg(long, value_name = "ID", required_if_eq("role", "vendor"))]
    vendor: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Vendor,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Vendor => Self::Vendor,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Rendering a page can wait for work that other workers do: with fewer than this it has been seen to stand still (leptos #4851).
const MIN_WORKERS: usize = 4;

pub fn run() -> ExitCode {
    let command = CommandLine::parse().command.unwrap_or(Command::Serve);
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            eprintln!("vendorscope: {}", errors.join("; "));
            return ExitCode::from(2);
        }
    };
    let workers = std::thread::available_parallelism().map_or(MIN_WORKERS, |cores| cores.get().max(MIN_WORKERS));
    let done = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .context("cannot start threads")
        .and_then(|runtime| runtime.block_on(execute(command, config)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vendorscope: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command, mut config: Config) -> anyhow::Result<()> {
    if !matches!(command, Command::Serve) && std::env::var_os("RUST_LOG").is_none() {
        // These commands speak for themselves, and their statements are slow by nature.
        config.log.filter = "warn,sqlx=error".to_owned();
    }
    telemetry::start(&config.log);
    match command {
        Command::Serve => Ok(Application::build(config).await?.run_until_stopped(stop_signal()?).await?),
        Command::Migrate => {
            let db = open_database(&config).await?;
            println!("The {} database is up to date.", db.dialect.name());
            Ok(())
        }
        Command::Demo => demo(&config).await,
        Command::Import(arguments) => import_bundle(&config, &arguments).await,
        Command::User(UserCommand::Add(arguments)) => add_user(&config, &arguments).await,
        Command::User(UserCommand::List) => list_users(&config).await,
        Command::Cache(command) => cache::execute(command, &config).await,
        Command::Rollups(command) => rollups::run(&config, &command).await,
    }
}

/// Comes when the process is told to stop: Ctrl-C, or what service managers send.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    })
}

async fn demo(config: &Config) -> anyhow::Result<()> {
    let db = open_database(config).await?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let progress = progress::for_stderr();
    let logins = import::demo(&db, today, &*progress).await?;
    progress.finish();
    owed::until_told(&db).await?;
    let width = logins.iter().map(|login| login.email.len()).max().unwrap_or_default();
    println!("The demo marketplace is ready. Log in with:");
    for login in logins {
        println!("  {:width$}  {}  ({})", login.email, login.password, login.who);
    }
    Ok(())
}

async fn import_bundle(config: &Config, arguments: &Import) -> anyhow::Result<()> {
    let db = open_database(config).await?;
    let progress = progress::for_stderr();
    let options = ImportOptions { shift_to_today: arguments.shift_to_today };
    let report = import::import_bundle(&db, &arguments.dir, options, &*progress).await.context("nothing was imported")?;
    progress.finish();
    owed::until_told(&db).await?;
    println!(
        "{} vendors, {} products, {} customers, {} orders, {} lines, {} refunds: {} rows new or different.",
        report.vendors, report.products, report.customers, report.orders, report.lines, report.refunds, report.changed
    );
    Ok(())
}

async fn add_user(config: &Config, arguments: &UserAdd) -> anyhow::Result<()> {
    let accounts = open_accounts(config).await?;
    let password = ask_password()?;
    let role = Role::from(arguments.role);
    let user = accounts.add_user(&arguments.email, &password, role, arguments.vendor.as_deref()).await.map_err(|error| match error {
        AppError::Invalid(errors) => anyhow::anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        AppError::Conflict(why) => anyhow::anyhow!(why),
        other => other.into(),
    })?;
    accounts.audit("cli", "user_add", &user.email, None).await?;
    println!("Added {} as {}.", user.email, role.as_str());
    Ok(())
}

async fn list_users(config: &Config) -> anyhow::Result<()> {
    let users = open_accounts(config).await?.list_users().await?;
    let width = users.iter().map(|user| user.email.len()).max().unwrap_or_default();
    for user in users {
        let vendor = user.vendor.map(|id| format!(" of {id}")).unwrap_or_default();
        println!("{:width$}  {}{vendor}{}", user.email, user.role.as_str(), if user.disabled { ", disabled" } else { "" });
    }
    Ok(())
}

async fn open_accounts(config: &Config) -> anyhow::Result<Accounts> {
    Ok(Accounts::new(open_database(config).await?, Cache::memory()))
}

fn ask_password() -> anyhow::Result<String> {
    if let Ok(password) = std::env::var("VENDORSCOPE_PASSWORD") {
        return Ok(password);
    }
    let ask = |prompt| rpassword::prompt_password(prompt).context("cannot ask for a password here: set VENDORSCOPE_PASSWORD");
    let password = ask("Password: ")?;
    check_password(&password)?;
    if ask("The same again: ")? != password {
        bail!("the two passwords differ: nothing was added");
    }
    Ok(password)
}
