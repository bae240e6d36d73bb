//! Bodies of requests that are refused before they are read. A client that is cut off while it sends, and a balancer
//! even more so, sees a broken connection instead of the answer: so they are read first, as far as that goes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody},
    extract::Request,
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::{StreamExt, future::poll_fn, stream};
use http_body_util::Limited;

use super::middleware::{MAX_BODY, max_body, too_large};

/// What is read of a body that is refused, in bytes, and for how long.
const MAX_REFUSED_BODY: usize = 16 * MAX_BODY;
const REFUSED_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Refuses a body that is too large, at once where it says so, and reads what is left of those that a handler has
/// refused.
pub async fn limit_body(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (length, most) = (content_length(request.headers()), max_body(request.uri().path()));
    let asks_first = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let unread = Unread::of(body);
    let response = if length.is_some_and(|length| length > most as u64) {
        too_large(most).into_response()
    } else {
        // What does not say how large it is ends there.
        next.run(Request::from_parts(parts, Body::new(Limited::new(unread.body(), most)))).await
    };
    let is_refused = response.status().is_client_error() || response.status().is_server_error();
    // Who asks first (100-continue) has sent nothing yet, and would only be told to.
    if is_refused && !asks_first {
        // However that ends, the answer is the same.
        let _ = tokio::time::timeout(REFUSED_BODY_TIMEOUT, unread.drain()).await;
    }
    response
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body that a handler may read, and whatever is left of it afterwards.
#[derive(Clone)]
struct Unread(Arc<Mutex<BodyDataStream>>);

impl Unread {
    fn of(body: Body) -> Self {
        Self(Arc::new(Mutex::new(body.into_data_stream())))
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    }

    /// The body, for a handler.
    fn body(&self) -> Body {
        let unread = self.clone();
        Body::from_stream(stream::poll_fn(move |context| unread.poll(context)))
    }

    async fn drain(self) {
        let mut read = 0;
        while let Some(Ok(piece)) = poll_fn(|context| self.poll(context)).await {
            read += piece.len();
            if read > MAX_REFUSED_BODY {
                return;
            }
        }
    }
}
