//! Answers that are given again, before anything is routed.
//!
//! A hot answer is ready before it is asked for; what costs is the way to it, through the router and everything that
//! reads the request anew. So an answer that says what it is made of is kept under all of its request that it depends
//! on. The same request is given it again if everything that the way would have asked still says the same, asked now
//! and in the same places: the session lives and is that user's, who may do this and is within the limit, and what the
//! answer is made of is what a lookup would serve. Where anything differs, the request goes the whole way, and takes
//! along what has been asked.
//!
//! That is asked for one request, or at once for all that gather for the same answer while it is being asked for others:
//! never before the last of them came.

use std::{
    panic::AssertUnwindSafe,
    slice::from_ref,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use foldhash::fast::RandomState;
use futures::FutureExt;
use moka::future::Cache as Moka;
use tokio::{
    runtime::Handle,
    sync::{OnceCell, oneshot},
    time::timeout,
};
use tower_sessions::session::Id;
use tracing::Instrument;
use vendorscope_cache::{Foresight, Origin, Outcome};

use super::{
    access,
    ahead::{self, Ahead},
    json::tell_freshness,
    limits::Counted,
    middleware::answer_panic,
    rendered::Page,
};
use crate::{
    domain::accounts::{User, VendorRef},
    server::{
        AppState, identity::sessions::RequestSession, rate_limit::Purpose, request::problem::Problem,
        services::analytics::SnapshotQuery, traces,
    },
};

/// Memory for these answers, in bytes. Bodies are counted, though the cache holds them too.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// An answer's headers, and what is kept beside it, in bytes: an estimate.
const BESIDE: usize = 4 * 1024;
/// The largest answer that is kept, in bytes.
const LARGEST: usize = 512 * 1024;
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// How long it may take to find out whether an answer may be given again; twice that for who waits for others first.
/// Redis answers, or is given up, within half of it; a database may take longer.
const KNOWN_WITHIN: Duration = Duration::from_secs(1);

/// What an answer may depend on of its request: the address and these headers.
const ASKED_WITH: [HeaderName; 3] = [header::COOKIE, header::ACCEPT, header::ACCEPT_ENCODING];
/// Who sends one of these asks for something else, or in another way.
const OTHERWISE: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::IF_NONE_MATCH,
    header::IF_MATCH,
    header::RANGE,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    HeaderName::from_static("x-unattended"),
];

/// All of a request that its answer may depend on.
pub type Question = Vec<u8>;

/// The answers that this instance has given lately, and may give again.
pub struct Repeats(Moka<Question, Arc<Repeat>, RandomState>);

/// Put into the extensions of an answer that may be given again: to whom, and while what holds.
#[derive(Clone)]
pub struct Repeatable {
    ids: Arc<[Id]>,
    user: User,
    made_of: MadeOf,
}

/// What an answer is made of, beside its request.
#[derive(Clone)]
pub enum MadeOf {
    /// The entry of a snapshot, as the API serves it.
    Snapshot { snapshot: (VendorRef, SnapshotQuery), origin: Origin },
    /// A page that has been rendered, for as long as it is kept.
    Page(Weak<Page>),
}

/// An answer as it was given.
pub struct Repeat {
    to: Repeatable,
    headers: HeaderMap,
    body: Bytes,
    /// Who has asked while it was being found out for others, whether it may be given again; `None` while it is for
    /// nobody.
    waiting: Mutex<Option<Vec<oneshot::Sender<Found>>>>,
}

/// What was found out for one of those who asked together.
enum Found {
    /// It may be given once more: its age, how long it took to know that, and how its user stands with the limit.
    Same { age: Duration, took: Duration, counted: Counted },
    /// It may not, or that is not known in time. What has been asked.
    Other(Ahead),
}

/// What this request asks, where the answer may be one that was given before. `None` as well where the steps of a
/// request are to be logged or traced.
pub fn question(request: &Request) -> Option<Question> {
    let (uri, headers) = (request.uri(), request.headers());
    let is_plain =
        *request.method() == Method::GET && uri.authority().is_none() && headers.contains_key(header::COOKIE);
    if !is_plain || OTHERWISE.iter().any(|name| headers.contains_key(name)) || traces::is_followed() {
        return None;
    }
    let mut question = Vec::with_capacity(1024);
    question.extend_from_slice(uri.path_and_query()?.as_str().as_bytes());
    for (number, name) in (b'0'..).zip(ASKED_WITH) {
        for value in headers.get_all(name) {
            // No header holds a line's end.
            question.extend_from_slice(&[b'\n', number]);
            question.extend_from_slice(value.as_bytes());
        }
    }
    Some(question)
}

impl Repeatable {
    /// Marks what this user, who is logged in with a browser and asks for what is his own, was answered.
    pub fn mark(response: &mut Response, session: &RequestSession, user: User, made_of: MadeOf) {
        if !session.ids().is_empty() {
            response.extensions_mut().insert(Self { ids: session.ids().into(), user, made_of });
        }
    }
}

impl Default for Repeats {
    fn default() -> Self {
        let weigh = |question: &Question, repeat: &Arc<Repeat>| {
            u32::try_from(question.len() + repeat.body.len() + BESIDE).unwrap_or(u32::MAX)
        };
        let kept = Moka::builder().max_capacity(MOST_BYTES).weigher(weigh).time_to_idle(FORGOTTEN_AFTER);
        Self(kept.build_with_hasher(RandomState::default()))
    }
}

impl Repeats {
    pub async fn find(&self, question: &Question) -> Option<Arc<Repeat>> {
        self.0.get(question).await
    }

    /// Keeps an answer that may be given again to the same question.
    pub async fn keep(&self, question: Question, mut response: Response) -> Response {
        let Some(to) = response.extensions_mut().remove::<Repeatable>() else { return response };
        if response.status() != StatusCode::OK || !to.made_of.sets_no_others(response.headers()) {
            return response;
        }
        let (parts, body) = response.into_parts();
        // What is made of entries is here as a whole.
        let body = match to_bytes(body, usize::MAX).await {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "an answer cannot be read");
                return Problem::internal().into_response();
            }
        };
        if body.len() <= LARGEST {
            let (headers, body, waiting) = (parts.headers.clone(), body.clone(), Mutex::default());
            let repeat = Repeat { to, headers, body, waiting };
            self.0.insert(question, Arc::new(repeat)).await;
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Repeat {
    /// The answer once more; else what has been asked. Whoever asks while it is being found out for others waits for
    /// them, and is then asked for together with all who came meanwhile: what was true before they came is not good
    /// enough for them.
    pub async fn answer(self: &Arc<Self>, state: &AppState) -> Result<Response, Ahead> {
        let started = Instant::now();
        let found = match self.wait() {
            // Those before it, and its own, take no longer.
            Some(waits) => timeout(3 * KNOWN_WITHIN, waits).await.ok().and_then(Result::ok),
            None => {
                let _turn = Turn { repeat: self.clone(), state: state.clone() };
                self.find_out(state, 1).await.pop()
            }
        };
        let found = found.unwrap_or_else(|| Found::Other(Ahead::of(RequestSession::again(state, &self.to.ids))));
        match found {
            Found::Same { age, took, counted } => {
                let mut response = Response::new(Body::from(self.body.clone()));
                let headers = response.headers_mut();
                headers.clone_from(&self.headers);
                if let MadeOf::Snapshot { .. } = self.to.made_of {
                    tell_freshness(headers, Outcome::Hit, age, took, started.elapsed());
                }
                counted.tell(headers);
                state.metrics.count_repeat();
                state.metrics.observe("GET", self.to.made_of.route(), StatusCode::OK.as_u16(), started.elapsed());
                Ok(response)
            }
            Found::Other(ahead) => Err(ahead),
        }
    }

    /// Where one who has to wait is told; `None` for the first, who finds it out.
    fn wait(&self) -> Option<oneshot::Receiver<Found>> {
        let mut waiting = self.waiting();
        if let Some(waiting) = waiting.as_mut() {
            let (found, waits) = oneshot::channel();
            waiting.push(found);
            return Some(waits);
        }
        *waiting = Some(Vec::new());
        None
    }

    /// Those who wait. Where nobody does, whoever asks next is the first.
    fn next(&self) -> Option<Vec<oneshot::Sender<Found>>> {
        let mut waiting = self.waiting();
        let next = waiting.take().filter(|next| !next.is_empty())?;
        *waiting = Some(Vec::new());
        Some(next)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Vec<oneshot::Sender<Found>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For so many who ask together, each.
    async fn find_out(&self, state: &AppState, many: u64) -> Vec<Found> {
        let Repeatable { ids, user, .. } = &self.to;
        let session = RequestSession::again(state, ids);
        let (counted, foresight) = (OnceCell::new(), OnceLock::new());
        let checking = timeout(KNOWN_WITHIN, self.check(state, &session, many, &counted, &foresight));
        let same = match AssertUnwindSafe(checking).catch_unwind().await {
            Ok(checked) => checked.ok().flatten(),
            Err(panic) => {
                // In the log; the whole way may do better.
                answer_panic(panic);
                None
            }
        };
        let (mut session, foresight) = (Some(session), foresight.into_inner().flatten());
        let mut counted = counted.into_inner().unwrap_or_default().into_iter();
        let find = |_| match (same, counted.next()) {
            (Some((age, took)), Some(counted)) if counted.lets_in(user) => Found::Same { age, took, counted },
            // What the way does with a session is nobody else's.
            (_, counted) => Found::Other(Ahead {
                session: session.take().unwrap_or_else(|| RequestSession::again(state, ids)),
                counted,
                foresight: foresight.clone(),
            }),
        };
        (0..many).map(find).collect()
    }

    /// Whether all that was found on the way to this answer is so now, for those whom the limit lets in: its age, and
    /// how long it took to know that.
    async fn check(
        &self,
        state: &AppState,
        session: &RequestSession,
        many: u64,
        counted: &OnceCell<Vec<Counted>>,
        foresight: &OnceLock<Option<Foresight>>,
    ) -> Option<(Duration, Duration)> {
        let Repeatable { user, made_of, .. } = &self.to;
        let purpose = made_of.purpose();
        let asked = ahead::ask_for(state, session, Some((purpose, many, counted)), true).await;
        let foresight = foresight.get_or_init(|| asked);
        // What nobody answered is waited for once more by whoever asks for it.
        let has_failed = counted.initialized() && (!session.is_known() || foresight.is_none());
        if has_failed || !session.is_of(user).await.ok()? {
            return None;
        }
        let counted = counted.get_or_init(|| Counted::many(state, purpose, user, many)).await;
        let let_in = counted.iter().filter(|counted| counted.lets_in(user)).count() as u64;
        access::check(session, &Method::GET, made_of.route()).await.ok().filter(|()| let_in > 0)?;
        let asked = Instant::now();
        let age = Foresight::scope(foresight.clone(), made_of.age(state, let_in)).await?;
        if let MadeOf::Snapshot { snapshot, .. } = made_of {
            state.analytics.popularity().note(snapshot, let_in).await;
        }
        Some((age, asked.elapsed()))
    }
}

/// Of those for whom it is being found out, alone: whoever waits comes after it, however it ends.
struct Turn {
    repeat: Arc<Repeat>,
    state: AppState,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(waiting) = self.repeat.next() else { return };
        let next = Self { repeat: self.repeat.clone(), state: self.state.clone() };
        let span = tracing::info_span!("repeat", route = self.repeat.to.made_of.route(), asked = waiting.len());
        // While the runtime ends, nobody waits any more.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(find_out_for(waiting, next).instrument(span));
        }
    }
}

async fn find_out_for(mut waiting: Vec<oneshot::Sender<Found>>, turn: Turn) {
    // Whoever has gone away is not counted.
    waiting.retain(|waiting| !waiting.is_closed());
    if waiting.is_empty() {
        return;
    }
    let found = turn.repeat.find_out(&turn.state, waiting.len() as u64).await;
    for (waiting, found) in waiting.into_iter().zip(found) {
        let _ = waiting.send(found);
    }
}

impl MadeOf {
    /// As the router has it.
    fn route(&self) -> &'static str {
        match self {
            Self::Snapshot { .. } => "/api/vendor/analytics/snapshot",
            Self::Page(_) => "/",
        }
    }

    fn purpose(&self) -> Purpose {
        match self {
            Self::Snapshot { .. } => Purpose::Reads,
            Self::Page(_) => Purpose::Pages,
        }
    }

    /// Whether an answer sets no cookies but those that are a part of it.
    fn sets_no_others(&self, headers: &HeaderMap) -> bool {
        let mut set = headers.get_all(header::SET_COOKIE).iter();
        match self {
            Self::Snapshot { .. } => set.next().is_none(),
            Self::Page(page) => page.upgrade().is_some_and(|page| set.eq(page.cookies())),
        }
    }

    /// How old it is, if it is what would be served now to so many who ask together.
    async fn age(&self, state: &AppState, many: u64) -> Option<Duration> {
        match self {
            Self::Snapshot { origin, .. } => state.cache.still_serves(from_ref(origin), many, |_, _| true).await?.pop(),
            Self::Page(page) => page.upgrade()?.is_current(&state.cache, many).await.then_some(Duration::ZERO),
        }
    }
}
