use vendorscope_cache::Foresight;

use super::limits::Counted;
use crate::server::{AppState, identity::sessions::RequestSession, rate_limit::Purpose};

/// What was asked of Redis before the rest of a request asks for it.
#[derive(Clone)]
pub struct Ahead {
    pub session: RequestSession,
    /// Each of those who ask together; none where they are not counted yet.
    pub counted: Vec<Counted>,
    pub foresight: Option<Foresight>,
}

impl Ahead {
    /// Nothing but whose request it may be.
    pub fn of(session: RequestSession) -> Self {
        Self { session, counted: Vec::new(), foresight: None }
    }

    /// Asks Redis at the same time what the rest of a request asks one after the other, where this instance knows from
    /// an earlier request whose session it is: what it says now, whether its user may ask once more (or as often as
    /// `many` say who ask together), and whether what is held here of the vendor's figures is still current. The three
    /// travel over one connection, so that a hot request costs one round trip. Each is judged where it was before; what
    /// is not known ahead, or fails, is asked for there.
    pub async fn ask(
        state: &AppState,
        session: RequestSession,
        purpose: Option<Purpose>,
        is_safe: bool,
        many: u64,
    ) -> Self {
        let Some(remembered) = session.remembered().await else { return Self::of(session) };
        let user = &remembered.login.user;
        // A write makes stale what it might find here afterwards.
        let vendor = user.vendor.as_ref().filter(|_| is_safe);
        let counting = async {
            match purpose {
                Some(purpose) => Counted::many(state, purpose, user, many).await,
                None => Vec::new(),
            }
        };
        let foreseeing = async {
            match vendor {
                Some(vendor) => state.analytics.foresee(vendor).await,
                None => None,
            }
        };
        // What became of the session is kept by it.
        let (_, counted, foresight) = tokio::join!(session.look(), counting, foreseeing);
        Self { session, counted, foresight }
    }

    /// Whether something was asked that nobody answered. Whoever asks for it waits once more.
    pub fn has_failed(&self) -> bool {
        !self.counted.is_empty() && (!self.session.is_known() || self.foresight.is_none())
    }
}
