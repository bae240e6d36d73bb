//! Requests with an `Idempotency-Key` whose work has no transaction to put the note of its answer into: accounts and
//! the cache.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{OriginalUri, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::input::RequestKey;
use crate::server::{
    AppError, AppState,
    identity::{sealing::Sealing, sessions::RequestSession},
    request::problem::Problem,
    services::to_the_end,
    web::middleware::{MAX_BODY, read_body},
};

/// Answers a request that is sent again as it was answered before. One that was refused or failed is not remembered.
pub async fn answer_once(State(state): State<AppState>, key: RequestKey, request: Request, next: Next) -> Response {
    if !key.is_given() || request.method().is_safe() {
        return next.run(request).await;
    }
    once(state, key, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

/// An answer as it is remembered: sealed, since it may tell a key.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    content_type: Option<String>,
    body: String,
}

async fn once(state: AppState, key: RequestKey, request: Request, next: Next) -> Result<Response, Problem> {
    let session = request.extensions().get::<RequestSession>().cloned();
    let session = session.ok_or_else(|| AppError::Internal("a route without sessions".to_owned()))?;
    // Nobody's request changes nothing.
    let Some(user) = session.user().await? else { return Ok(next.run(request).await) };
    let path = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri(), |uri| &uri.0).to_string();
    let what = format!("{} {path}", request.method());
    let (parts, body) = request.into_parts();
    let body = read_body(Request::from_parts(parts.clone(), body), &state, MAX_BODY).await?;
    let secrets = &state.config.sessions;
    let sealing = Sealing::new("remembered answer", secrets);
    let Some(mut once) = key.of(&user)?.once("request", &(&what, digest(&body, &secrets.secret)))? else {
        return Ok(next.run(Request::from_parts(parts, Body::from(body))).await);
    };
    if let Some(before) = &secrets.previous_secret {
        once = once.or_before(&(&what, digest(&body, before)))?;
    }
    if let Some(sealed) = once.begin::<String>(&state.db).await? {
        let answer = Answer::open(&sealing, &sealed).ok_or_else(|| {
            AppError::Conflict("this request was done before, and its answer can no longer be read".to_owned())
        })?;
        return answer.into_response();
    }
    let request = Request::from_parts(parts, Body::from(body));
    let answered = async move {
        let (parts, body) = next.run(request).await.into_parts();
        let unread = |error| AppError::Internal(format!("an answer that cannot be read: {error}"));
        let body = to_bytes(body, MAX_BODY).await.map_err(unread)?;
        let answer = parts.status.is_success().then(|| Answer {
            status: parts.status.as_u16(),
            content_type: parts.headers.get(header::CONTENT_TYPE).and_then(|kind| Some(kind.to_str().ok()?.to_owned())),
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        let sealed = answer.map(|answer| answer.seal(&sealing)).transpose()?;
        once.end(&state.db, sealed.as_ref()).await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    };
    Ok(to_the_end(answered).await?)
}

impl Answer {
    fn seal(&self, sealing: &Sealing) -> Result<String, AppError> {
        let text = serde_json::to_vec(self).map_err(|error| AppError::Internal(format!("answer as JSON: {error}")))?;
        sealing.seal(&text, b"")
    }

    /// `None` for what another secret has sealed.
    fn open(sealing: &Sealing, sealed: &str) -> Option<Self> {
        serde_json::from_slice(&sealing.open(sealed, b"")?.text).ok()
    }

    fn into_response(self) -> Result<Response, Problem> {
        let broken = |error: &dyn std::fmt::Display| AppError::Internal(format!("remembered answer: {error}"));
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).map_err(|error| broken(&error))?;
        if let Some(kind) = self.content_type {
            let kind = HeaderValue::from_str(&kind).map_err(|error| broken(&error))?;
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        Ok(response)
    }
}

/// A digest that whoever reads the database cannot guess passwords by: it takes the secret to make one.
fn digest(body: &Bytes, secret: &SecretString) -> String {
    let key = Sha256::new_with_prefix("vendorscope remembered request\0").chain_update(secret.expose_secret());
    hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.finalize()), body))
}
