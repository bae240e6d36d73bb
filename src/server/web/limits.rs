use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    domain::accounts::User,
    server::{
        AppError, AppState,
        identity::sessions::RequestSession,
        rate_limit::{Admission, Purpose, address_key},
        request::{
            attempts::{client, seconds, too_many},
            is_safe, is_under,
        },
    },
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// One request that was let in.
pub struct LetIn {
    who: String,
    /// `None` where there is no limit.
    admission: Option<Admission>,
}

/// Lets in what a user may ask of the API (the pages' own calls included) and of the pages, or where nobody is logged
/// in, what an address may. `None` where nothing is counted.
pub async fn admit(
    state: &AppState,
    session: &RequestSession,
    asked: &Parts,
    counted: Option<Counted>,
) -> Result<Option<LetIn>, Response> {
    let Some(purpose) = purpose(asked) else { return Ok(None) };
    let who = match find_user(state, session, &asked.extensions).await {
        Ok(Some(user)) => user_key(user.id),
        Err(error @ AppError::TooMany { .. }) => return Err(error.into_response()),
        // Nobody, or it cannot be found out who: nothing goes uncounted.
        Ok(None) | Err(_) => address_key(client(asked.extensions.get())),
    };
    let admission = match counted.filter(|counted| *counted.who == *who) {
        Some(counted) => counted.admission,
        None => state.limits.admit(purpose, &who).await,
    };
    match admission {
        Some(admission) if !admission.decision.admitted => {
            let mut refused = too_many(&admission).into_response();
            tell(refused.headers_mut(), &admission);
            Err(refused)
        }
        admission => Ok(Some(LetIn { who, admission })),
    }
}

impl LetIn {
    /// Says in the answer how much is left.
    pub fn tell(self, response: &mut Response) {
        if response.status() == StatusCode::FORBIDDEN {
            tracing::warn!(who = self.who, "refused: not allowed");
        }
        if let Some(admission) = self.admission {
            tell(response.headers_mut(), &admission);
        }
    }
}

/// Who sends a request. A key that is not known to be one costs the database a look: of those that were none, an
/// address may send so many.
async fn find_user(
    state: &AppState,
    session: &RequestSession,
    extensions: &Extensions,
) -> Result<Option<User>, AppError> {
    let Some(key) = session.key().filter(|key| !state.accounts.was_key(key)) else { return session.user().await };
    let address = address_key(client(extensions.get()));
    if let Some(admission) = state.limits.look_here(Purpose::UnknownKeys, &address)
        && !admission.decision.admitted
    {
        tracing::warn!(limit = Purpose::UnknownKeys.name(), "refused: too many keys that are none");
        return Err(too_many(&admission));
    }
    let user = session.user().await?;
    if user.is_none() && !state.accounts.was_key(key) {
        state.limits.admit_here(Purpose::UnknownKeys, &address);
    }
    Ok(user)
}

/// Counts a page that is made for an address that has none.
pub async fn count_page(state: &AppState, extensions: &Extensions) -> Result<(), AppError> {
    match state.limits.admit(Purpose::Pages, &address_key(client(extensions.get()))).await {
        Some(admission) if !admission.decision.admitted => Err(too_many(&admission)),
        _ => Ok(()),
    }
}

/// Lets in as many looks at this instance's readiness as an address may take.
pub async fn limit_probes(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match state.limits.admit_here(Purpose::Probes, &address_key(client(request.extensions().get()))) {
        Some(admission) if !admission.decision.admitted => too_many(&admission).into_response(),
        _ => next.run(request).await,
    }
}

/// Which limit a request counts for, if any does: files do not.
pub fn purpose(asked: &Parts) -> Option<Purpose> {
    let path = asked.uri.path();
    if is_under(path, "/api") || is_under(path, "/_fn") {
        return Some(if is_safe(&asked.method) { Purpose::Reads } else { Purpose::Writes });
    }
    asked.extensions.get::<MatchedPath>().map(|_| Purpose::Pages)
}

/// A request that was counted already, as that of whoever its session belonged to when it was last read. Where that
/// turns out to be nobody any more, it is counted again, as that of an address.
#[derive(Clone)]
pub struct Counted {
    who: Arc<str>,
    admission: Option<Admission>,
}

impl Counted {
    /// So many requests of one user that came together.
    pub async fn many(state: &AppState, purpose: Purpose, user: &User, many: u64) -> Vec<Self> {
        let who: Arc<str> = user_key(user.id).into();
        let mut admissions = state.limits.admit_many(purpose, &who, many).await.into_iter();
        (0..many).map(|_| Self { who: who.clone(), admission: admissions.next() }).collect()
    }

    /// As this user, who was let in.
    pub fn lets_in(&self, user: &User) -> bool {
        *self.who == *user_key(user.id) && self.admission.is_none_or(|admission| admission.decision.admitted)
    }

    /// Says in the answer how much is left.
    pub fn tell(&self, headers: &mut HeaderMap) {
        if let Some(admission) = &self.admission {
            tell(headers, admission);
        }
    }
}

fn user_key(id: i64) -> String {
    ["user:", &id.to_string()].concat()
}

/// `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 writes them: what is allowed (q
/// requests in w seconds), what is left of it (r), and in how many seconds all of it is there again (t).
fn tell(headers: &mut HeaderMap, admission: &Admission) {
    let (name, limit, decision) = (admission.purpose.name(), admission.limit, admission.decision);
    let (count, period) = (limit.count.to_string(), limit.period.as_secs().to_string());
    let (remaining, reset) = (decision.remaining.to_string(), seconds(decision.reset()).to_string());
    // Not `format!`, which was a tenth of the instructions of a hot request.
    let policy = ["\"", name, "\";q=", &count, ";w=", &period].concat();
    let state = ["\"", name, "\";r=", &remaining, ";t=", &reset].concat();
    for (header, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(header, value);
        }
    }
}
