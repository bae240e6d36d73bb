use std::env::VarError;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use vendorscope_cache::Cache;

use super::printing::{print_aside, print_line};
use crate::{
    domain::accounts::{Role, check_password},
    server::{
        AppError,
        config::Config,
        db::{Db, outbox::installation},
        identity::accounts::{Accounts, Actor},
        identity::sessions::Sessions,
    },
};

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a user; the password comes from VENDORSCOPE_PASSWORD, or is asked for
    Add(UserAdd),
    /// List all users, with their roles and vendors
    List,
    /// Shut a user out at once: every session ends and every key is revoked
    Disable(UserName),
    /// Let a user in again, with the password that was
    Enable(UserName),
    /// Print a link with which a user can choose another password, once, within an hour
    ResetPassword(UserName),
    /// Take the second factor away from a user who has lost it; every session ends
    ResetSecondFactor(UserName),
    /// Have a user's login through the marketplace be nobody's: the next one with the verified address is
    Unbind(UserName),
}

#[derive(Args)]
pub struct UserName {
    /// Address that the user logs in with
    email: String,
}

#[derive(Args)]
pub struct UserAdd {
    /// Address to log in with
    email: String,
    /// What the user is: a vendor sees and changes one vendor's business, an accountant sees it, an admin sees the
    /// whole marketplace
    #[arg(long)]
    role: RoleName,
    /// The marketplace's id of the vendor (not for admins)
    #[arg(long, value_name = "ID", required_if_eq_any([("role", "vendor"), ("role", "accountant")]))]
    vendor: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Vendor,
    /// Sees what the vendor's users see, and changes nothing
    Accountant,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Vendor => Self::Vendor,
            RoleName::Accountant => Self::Accountant,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub async fn execute(command: UserCommand, config: &Config, db: &Db) -> anyhow::Result<()> {
    let accounts = Accounts::new(db.clone(), Cache::memory(), &config.sessions);
    match command {
        UserCommand::Add(arguments) => add_user(&accounts, &arguments).await,
        UserCommand::List => list_users(&accounts).await,
        UserCommand::Disable(UserName { email }) => disable_user(&accounts, &email, config, db).await,
        UserCommand::Enable(UserName { email }) => enable_user(&accounts, &email).await,
        UserCommand::ResetPassword(UserName { email }) => reset_password(&accounts, &email, config).await,
        UserCommand::ResetSecondFactor(UserName { email }) => reset_second_factor(&accounts, &email).await,
        UserCommand::Unbind(UserName { email }) => unbind(&accounts, &email).await,
    }
}

async fn add_user(accounts: &Accounts, arguments: &UserAdd) -> anyhow::Result<()> {
    let password = ask_password()?;
    let role = Role::from(arguments.role);
    let user = accounts
        .add_user(&arguments.email, &password, role, arguments.vendor.as_deref())
        .await
        .map_err(|e| to_cli_error(e, &arguments.email))?;
    accounts.audit("cli", "user_add", &user.email, None).await?;
    print_line!("Added {} as {}.", user.email, role.as_str());
    Ok(())
}

async fn list_users(accounts: &Accounts) -> anyhow::Result<()> {
    let users = accounts.list_users().await?;
    let width = users.iter().map(|user| user.email.len()).max().unwrap_or_default();
    for user in users {
        let vendor = user.vendor.map(|id| format!(" of {id}")).unwrap_or_default();
        print_line!(
            "{:width$}  {}{vendor}{}",
            user.email,
            user.role.as_str(),
            if user.disabled { ", disabled" } else { "" }
        );
    }
    Ok(())
}

async fn disable_user(accounts: &Accounts, email: &str, config: &Config, db: &Db) -> anyhow::Result<()> {
    let user = accounts.disable(email, Actor::COMMAND_LINE).await.map_err(|e| to_cli_error(e, email))?;
    if config.sessions.redis_url.is_some() {
        let ended = async {
            let installation = installation(db).await?;
            Sessions::open(config, &installation).await?.end_all(&user, None).await.map_err(anyhow::Error::from)
        };
        ended.await.context(
            "nobody can log in as this user or use its keys any more, but sessions were not ended: run it again",
        )?;
        print_line!("Disabled {}: every session has ended, every key is revoked.", user.email);
    } else {
        print_line!(
            "Disabled {}: every key is revoked; sessions in the memory of a running server end within a minute.",
            user.email
        );
    }
    Ok(())
}

async fn enable_user(accounts: &Accounts, email: &str) -> anyhow::Result<()> {
    let user = accounts.enable(email, Actor::COMMAND_LINE).await.map_err(|e| to_cli_error(e, email))?;
    print_line!("Enabled {}.", user.email);
    Ok(())
}

async fn reset_password(accounts: &Accounts, email: &str, config: &Config) -> anyhow::Result<()> {
    let token = accounts.create_reset(email, Actor::COMMAND_LINE).await.map_err(|e| to_cli_error(e, email))?;
    print_line!("{}/reset?token={token}", config.http.public_url);
    if config.production && config.http.public_url_is_guessed {
        print_aside!("PUBLIC_URL is not set: put the address by which people reach this installation before /reset.");
    }
    print_aside!("Works once, within an hour. Whoever has the link can choose the password.");
    Ok(())
}

async fn reset_second_factor(accounts: &Accounts, email: &str) -> anyhow::Result<()> {
    let user = accounts.reset_totp(email, Actor::COMMAND_LINE).await.map_err(|e| to_cli_error(e, email))?;
    print_line!("{} logs in with the password alone. Sessions end within a second.", user.email);
    Ok(())
}

async fn unbind(accounts: &Accounts, email: &str) -> anyhow::Result<()> {
    let unbound = accounts.unbind_provider_login(email, Actor::COMMAND_LINE).await;
    let user = unbound.map_err(|error| to_cli_error(error, email))?;
    print_line!(
        "{}: the next login through the marketplace with this address, verified, is bound. Sessions end within a \
         second.",
        user.email
    );
    Ok(())
}

/// An error in words for whoever typed the command.
fn to_cli_error(error: AppError, email: &str) -> anyhow::Error {
    match error {
        AppError::Invalid(errors) => {
            anyhow::anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        AppError::Conflict(why) => anyhow::anyhow!(why),
        AppError::NotFound => {
            anyhow::anyhow!("there is no user `{}`: `vendorscope user list` lists them", email.trim())
        }
        other => other.into(),
    }
}

fn ask_password() -> anyhow::Result<String> {
    match std::env::var("VENDORSCOPE_PASSWORD") {
        Ok(password) => return Ok(password),
        Err(VarError::NotUnicode(_)) => bail!("VENDORSCOPE_PASSWORD is not UTF-8: a password is text in UTF-8"),
        Err(VarError::NotPresent) => {}
    }
    let ask =
        |prompt| rpassword::prompt_password(prompt).context("cannot ask for a password here: set VENDORSCOPE_PASSWORD");
    let password = ask("Password: ")?;
    check_password(&password)?;
    if ask("The same again: ")? != password {
        bail!("the two passwords differ: nothing was added");
    }
    Ok(password)
}
