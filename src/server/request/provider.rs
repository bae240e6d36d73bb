//! Logging in through the marketplace's provider: the way there, and back.

use axum::http::request::Parts;

use super::{
    account::{begin_session, half_log_in},
    attempts::Attempt,
    client_address,
};
use crate::domain::{accounts::User, text::shown};
use crate::server::{
    AppError, AppState,
    identity::{
        accounts::{Authenticated, MARKETPLACE, ProviderBinding},
        provider::{ClaimedAddress, Proven, Provider, ProviderError},
        sessions::{BegunLogin, request_session},
    },
};

/// What a browser brings back from the provider.
#[derive(Debug, Default)]
pub struct Answer {
    pub state: String,
    pub code: Option<String>,
    /// Why there is no code, by its name in OAuth.
    pub error: Option<String>,
    /// Who says so (RFC 9207).
    pub issuer: Option<String>,
}

/// A login that did not go through.
pub struct NotLoggedIn {
    pub why: Refusal,
    /// Where it would have gone on to.
    pub next: Option<String>,
}

/// Why nobody was logged in. The page has the words for each.
#[derive(Debug)]
pub enum Refusal {
    /// Not begun in this browser, or too long ago.
    Late,
    /// Whoever asked for it has said no at the provider.
    Cancelled,
    /// The provider cannot be reached.
    Away,
    /// What came back proves nobody.
    Unproven,
    /// The provider has not checked whose address it is.
    Unverified,
    /// No account is theirs, or it is shut out: which of the two is not said.
    Stranger,
    /// It is theirs, and they were invited too long ago.
    InvitationEnded,
    /// As any login may be refused.
    Other(AppError),
}

/// What a login through the provider has come to.
pub enum Outcome {
    LoggedIn(User),
    /// A one-time code is asked for too.
    CodeMissing,
}

/// Begins a login in this browser: the address at the provider where it goes on.
pub async fn begin(
    state: &AppState,
    parts: &Parts,
    provider: &Provider,
    next: Option<&str>,
) -> Result<String, Refusal> {
    let (address, login) = provider.begin(next).await.map_err(refusal)?;
    let cookie = state.sessions.begun_logins().set(&login);
    let cookie = cookie.ok_or_else(|| AppError::Internal("a login that makes no cookie".to_owned()))?;
    request_session(parts)?.set_cookie(cookie);
    Ok(address)
}

/// Goes on with it when the browser is back. What it begins is a session as by password; the outcome, and where to go.
/// Attempts count for the address that they come from.
pub async fn finish(
    state: &AppState,
    parts: &Parts,
    provider: &Provider,
    answer: Answer,
) -> Result<(Outcome, Option<String>), NotLoggedIn> {
    let not = |why: Refusal| NotLoggedIn { why, next: None };
    let attempt = Attempt::from_address(state, parts).await.map_err(|error| not(error.into()))?;
    let begun_logins = state.sessions.begun_logins();
    let Some(login) = begun_logins.read(&parts.headers, &answer.state) else {
        tracing::warn!("an answer of the provider to a login that this browser has not begun, or too long ago");
        return Err(not(Refusal::Late));
    };
    let gone_on = async {
        // Each is gone on with once.
        if let Some(cookie) = begun_logins.clear(&login) {
            request_session(parts)?.set_cookie(cookie);
        }
        go_on(state, parts, provider, &login, answer).await
    };
    match gone_on.await {
        Ok(outcome) => {
            attempt.succeeded().await;
            Ok((outcome, login.next))
        }
        Err(why) => {
            if matches!(why, Refusal::Cancelled | Refusal::Away) {
                attempt.succeeded().await;
            }
            Err(NotLoggedIn { why, next: login.next })
        }
    }
}

async fn go_on(
    state: &AppState,
    parts: &Parts,
    provider: &Provider,
    login: &BegunLogin,
    answer: Answer,
) -> Result<Outcome, Refusal> {
    if answer.issuer.is_some_and(|issuer| !provider.is_issuer(&issuer)) {
        tracing::warn!("an answer that says it is another provider's");
        return Err(Refusal::Unproven);
    }
    let code = match (answer.code, answer.error.as_deref()) {
        (_, Some("access_denied")) => return Err(Refusal::Cancelled),
        (Some(code), None) => code,
        (_, error) => {
            tracing::warn!(?error, "the provider sent no code");
            return Err(Refusal::Unproven);
        }
    };
    let proven = provider.finish(login, &code).await.map_err(refusal)?;
    let mut authenticated = match find(state, parts, &proven).await? {
        Some(authenticated) => authenticated,
        None => bind(state, parts, provider, &proven).await?,
    };
    if authenticated.second_factor && !proven.several_factors {
        half_log_in(state, parts, &authenticated)?;
        return Ok(Outcome::CodeMissing);
    }
    // Whoever the provider has asked for several factors is not asked for one more.
    authenticated.second_factor = proven.several_factors;
    let way = if proven.several_factors { "marketplace, several factors" } else { MARKETPLACE };
    Ok(Outcome::LoggedIn(begin_session(state, parts, authenticated, way).await?))
}

async fn find(state: &AppState, parts: &Parts, proven: &Proven) -> Result<Option<Authenticated>, Refusal> {
    let address = client_address(parts);
    Ok(state.accounts.find_provider_login(&proven.issuer, &proven.subject, address.as_deref()).await?)
}

/// The first time: by the address.
async fn bind(state: &AppState, parts: &Parts, provider: &Provider, proven: &Proven) -> Result<Authenticated, Refusal> {
    let address = client_address(parts);
    let (accounts, from) = (&state.accounts, address.as_deref());
    match provider.address_of(proven).await.map_err(refusal)? {
        Some(ClaimedAddress::Verified(email)) => {
            match accounts.bind_provider_login(&proven.issuer, &proven.subject, &email, from).await? {
                ProviderBinding::Bound(authenticated) => Ok(authenticated),
                ProviderBinding::InvitationEnded => Err(Refusal::InvitationEnded),
            }
        }
        Some(ClaimedAddress::Unverified(email)) => {
            accounts.note_provider_failure(&email, "address not verified", from).await?;
            Err(Refusal::Unverified)
        }
        None => {
            let why = format!("no address of subject {}", shown(&proven.subject));
            accounts.note_provider_failure("", &why, from).await?;
            Err(Refusal::Unverified)
        }
    }
}

fn refusal(error: ProviderError) -> Refusal {
    tracing::warn!(%error, "no login through the marketplace");
    match error {
        ProviderError::Away(_) => Refusal::Away,
        ProviderError::Refused(_) => Refusal::Unproven,
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        match error {
            AppError::WrongCredentials => Self::Stranger,
            error => Self::Other(error),
        }
    }
}
