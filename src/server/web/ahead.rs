use tokio::sync::OnceCell;
use vendorscope_cache::Foresight;

use super::limits::Counted;
use crate::server::{AppState, identity::sessions::RequestSession, rate_limit::Purpose};

/// What was asked of Redis before the rest of a request asks for it.
#[derive(Clone)]
pub struct Ahead {
    pub session: RequestSession,
    pub counted: Option<Counted>,
    pub foresight: Option<Foresight>,
}

impl Ahead {
    /// Nothing but whose request it may be.
    pub fn of(session: RequestSession) -> Self {
        Self { session, counted: None, foresight: None }
    }

    /// Asks Redis at the same time what the rest of a request asks one after the other.
    pub async fn ask(state: &AppState, session: RequestSession, purpose: Option<Purpose>, is_safe: bool) -> Self {
        let counted = OnceCell::new();
        let foresight = ask_for(state, &session, purpose.map(|purpose| (purpose, 1, &counted)), is_safe).await;
        Self { session, counted: counted.into_inner().and_then(|mut counted| counted.pop()), foresight }
    }
}

/// Asks Redis at the same time what the rest of a request asks one after the other, where this instance knows from an
/// earlier request whose session it is: what it says now, whether its user may ask once more, or so often as ask
/// together, and whether what is held here of the vendor's figures is still current. The three travel over one
/// connection, so that a hot request costs one round trip. Each is judged where it was before; what is not known ahead,
/// or fails, is asked for there. Who was counted is known even where the rest is given up.
pub async fn ask_for(
    state: &AppState,
    session: &RequestSession,
    counting: Option<(Purpose, u64, &OnceCell<Vec<Counted>>)>,
    is_safe: bool,
) -> Option<Foresight> {
    let remembered = session.remembered().await?;
    let user = &remembered.login.user;
    // A write makes stale what it might find here afterwards.
    let vendor = user.vendor.as_ref().filter(|_| is_safe);
    let counting = async {
        if let Some((purpose, many, counted)) = counting {
            counted.get_or_init(|| Counted::many(state, purpose, user, many)).await;
        }
    };
    let foreseeing = async {
        match vendor {
            Some(vendor) => state.analytics.foresee(vendor).await,
            None => None,
        }
    };
    // What became of the session is kept by it.
    let (_, (), foresight) = tokio::join!(session.look(), counting, foreseeing);
    foresight
}
