use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::printing::print_line;
use crate::server::{
    config::{Config, ConfigError},
    doctor::{self, Check, Level},
};

#[derive(Args)]
pub struct Doctor {
    /// For programs: all of it as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    /// Nothing has failed.
    well: bool,
    checks: &'a [Check],
}

impl Doctor {
    /// 0 where nothing has failed.
    pub async fn run(&self, config: &Config) -> anyhow::Result<ExitCode> {
        self.tell(&doctor::examine(config).await)
    }

    /// The same where the configuration cannot be used.
    pub fn refused(&self, errors: &[ConfigError]) -> anyhow::Result<ExitCode> {
        self.tell(&doctor::refused(errors))
    }

    fn tell(&self, checks: &[Check]) -> anyhow::Result<ExitCode> {
        let of = |level: Level| checks.iter().filter(|check| check.level == level).count();
        let (failed, warned) = (of(Level::Fail), of(Level::Warn));
        if self.json {
            print_line!("{}", serde_json::to_string_pretty(&Report { well: failed == 0, checks })?);
        } else {
            let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
            for Check { name, level, found, remedy } in checks {
                let remedy = remedy.as_ref().map(|remedy| format!(" -> {remedy}")).unwrap_or_default();
                print_line!("{:4}  {name:width$}  {found}{remedy}", level.to_string());
            }
            print_line!("{failed} failed, {warned} to look at, {} well", of(Level::Ok));
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
