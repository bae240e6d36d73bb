use std::sync::Arc;

use super::remembered::KnownSession;
use crate::{
    domain::accounts::User,
    server::identity::accounts::{KeyGrant, KeyUser},
};

/// Who it is, and what said so.
pub enum KnownUser {
    Session(Arc<KnownSession>),
    Key(KeyUser),
}

impl KnownUser {
    pub fn user(&self) -> &User {
        match self {
            Self::Session(known) => &known.login.user,
            Self::Key(known) => &known.user,
        }
    }

    /// `None` where a key said so.
    pub fn session(&self) -> Option<&KnownSession> {
        match self {
            Self::Session(known) => Some(known),
            Self::Key(_) => None,
        }
    }

    /// What the key may do, where one said so.
    pub fn grant(&self) -> Option<&KeyGrant> {
        match self {
            Self::Session(_) => None,
            Self::Key(known) => Some(&known.grant),
        }
    }
}
