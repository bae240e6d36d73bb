use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use super::limits::{self, Counted};
use crate::server::{AppState, identity::sessions::RequestSession, request::is_safe};

/// Asks Redis at the same time what the rest of a request asks one after the other, where this instance knows from an
/// earlier request whose session it is: what it says now, whether its user may ask once more, and whether what is held
/// here of the vendor's figures is still current. The three travel over one connection, so that a hot request costs one
/// round trip. Each is judged where it was before; what is not known ahead, or fails, is asked for there.
pub async fn ask_ahead(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    // Files are everybody's: no route, and no question.
    let session =
        request.extensions().get::<MatchedPath>().and_then(|_| request.extensions().get::<RequestSession>().cloned());
    let Some(session) = session else { return next.run(request).await };
    let Some(user) = session.remembered_user().await else { return next.run(request).await };
    let purpose = limits::purpose(&request);
    // A write makes stale what it might find here afterwards.
    let vendor = user.vendor.as_ref().filter(|_| is_safe(request.method()));
    let counting = async {
        match purpose {
            Some(purpose) => Some(Counted::new(&state, purpose, &user).await),
            None => None,
        }
    };
    let foreseeing = async {
        match vendor {
            Some(vendor) => state.analytics.foresee(vendor).await,
            None => None,
        }
    };
    // What became of the session is kept by it.
    let (_, counted, foresight) = tokio::join!(session.user(), counting, foreseeing);
    if let Some(counted) = counted {
        request.extensions_mut().insert(counted);
    }
    match foresight {
        Some(foresight) => foresight.scope(next.run(request)).await,
        None => next.run(request).await,
    }
}
