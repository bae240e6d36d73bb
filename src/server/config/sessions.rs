//! Who stays logged in, and for how long.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::Reader;
use crate::domain::accounts::Role;

#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// `None`: memory.
    pub redis_url: Option<SecretString>,
    /// What cookies are signed with; the same on every instance.
    pub secret: SecretString,
    /// What they were signed with before: believed, and never signed with, so that the secret can be changed without
    /// logging anybody out.
    pub previous_secret: Option<SecretString>,
    /// Made for this start alone, because none was given: nobody stays logged in over a restart.
    pub secret_is_temporary: bool,
    /// `None`: the cookie belongs to the host that set it.
    pub cookie_domain: Option<String>,
    /// Who has to prove a second factor to do anything but set one up.
    pub require_totp: RequireTotp,
    /// A session that nobody has used for this long ends, before its 24 hours are over.
    pub idle_limits: IdleLimits,
    /// How long a session is taken to be good still, while the database cannot be asked.
    pub trusted_unasked: Duration,
    /// How often seeds of one-time codes are looked for that another secret has sealed, or none.
    pub seeds_looked_at_every: Duration,
}

/// How long a session may go without being used. `None`: as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleLimits {
    pub admins: Option<Duration>,
    pub others: Option<Duration>,
}

impl Default for IdleLimits {
    fn default() -> Self {
        Self { admins: Some(ADMIN_IDLE), others: None }
    }
}

impl IdleLimits {
    pub fn of(self, role: Role) -> Option<Duration> {
        if role == Role::Admin { self.admins } else { self.others }
    }
}

/// What an admin may do is worth more than what a vendor may: NIST SP 800-63B asks for an hour.
const ADMIN_IDLE: Duration = Duration::from_secs(60 * 60);
/// Long enough to mend a database without anybody at the dashboards noticing.
pub(super) const TRUSTED_UNASKED: Duration = Duration::from_secs(15 * 60);
/// Not at once: while instances are started anew one after the other, those of before have to read what there is.
pub(super) const SEEDS_LOOKED_AT_EVERY: Duration = Duration::from_secs(10 * 60);

impl SessionConfig {
    /// The address of their Redis.
    pub fn redis(&self) -> Option<&str> {
        self.redis_url.as_ref().map(ExposeSecret::expose_secret)
    }
}

/// Whose login has to be proved by a one-time code too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequireTotp {
    /// Those who have set one up.
    #[default]
    Nobody,
    Admins,
    Everybody,
}

impl RequireTotp {
    pub fn is_for(self, role: Role) -> bool {
        match self {
            Self::Nobody => false,
            Self::Admins => role == Role::Admin,
            Self::Everybody => true,
        }
    }
}

/// That of admins is the one of all where there is one, unless it is said apart.
pub(super) fn read_idle_limits<V: Fn(&str) -> Option<String>>(reader: &mut Reader<V>) -> IdleLimits {
    let minutes = |text: &str| {
        let minutes: u64 = text.parse().ok().filter(|minutes| (5..=1440).contains(minutes))?;
        Some(Duration::from_secs(minutes * 60))
    };
    let others = reader.read("SESSION_IDLE_MINUTES", "a whole number from 5 to 1440", minutes);
    let accepted = "a whole number from 5 to 1440, or off";
    let admins = reader.read("SESSION_IDLE_MINUTES_ADMIN", accepted, |text| match text {
        "off" => Some(None),
        text => minutes(text).map(Some),
    });
    IdleLimits { admins: admins.unwrap_or(others.or(Some(ADMIN_IDLE))), others }
}
