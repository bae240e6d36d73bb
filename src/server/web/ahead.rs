use axum::{extract::MatchedPath, http::request::Parts};
use vendorscope_cache::Foresight;

use super::limits::{self, Counted};
use crate::server::{AppState, identity::sessions::RequestSession, request::is_safe};

/// Asks Redis at the same time what the rest of a request asks one after the other, where this instance knows from an
/// earlier request whose session it is: what it says now, whether its user may ask once more, and whether what is held
/// here of the vendor's figures is still current. The three travel over one connection, so that a hot request costs one
/// round trip. Each is judged where it was before; what is not known ahead, or fails, is asked for there.
pub async fn ask_ahead(state: &AppState, session: &RequestSession, asked: &mut Parts) -> Option<Foresight> {
    // Files are everybody's: no route, and no question.
    asked.extensions.get::<MatchedPath>()?;
    let user = session.remembered_user().await?;
    let purpose = limits::purpose(asked);
    // A write makes stale what it might find here afterwards.
    let vendor = user.vendor.as_ref().filter(|_| is_safe(&asked.method));
    let counting = async {
        match purpose {
            Some(purpose) => Some(Counted::new(state, purpose, &user).await),
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
        asked.extensions.insert(counted);
    }
    foresight
}
