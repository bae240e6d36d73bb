//! The forms that a body may travel in, and which of them a request prefers.

use std::{
    convert::Infallible,
    future::ready,
    io::{self, Write},
    ops::RangeInclusive,
};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    http::{HeaderMap, HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::write::GzEncoder;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;
use vendorscope_cache::{Derived, Payload};

/// A body's form on the wire, the smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Brotli,
    Zstd,
    Gzip,
    /// As it is.
    Identity,
}

/// Levels at which 56 KB of figures take 1 ms or so: the first who asks pays it, and everybody after it sends what it
/// saved.
const BROTLI_QUALITY: i32 = 5;
const ZSTD_LEVEL: i32 = 9;
const GZIP_LEVEL: u32 = 6;
/// Bits of brotli's window: 128 KB at least, since below that its encoder looks for matches in a way that takes ten times
/// as long. It is given room for twice its window, so that 4 MB, the usual, cost 8 MB for each page.
const BROTLI_WINDOWS: RangeInclusive<u32> = 17..=22;
/// Bytes of a body that is worth encoding, and takes milliseconds.
const ENCODED_WHOLE: RangeInclusive<u64> = 32..=512 * 1024;

impl Encoding {
    /// The smallest form that `Accept-Encoding` admits (RFC 9110, 12.5.3). Where it admits none, not even the body as
    /// it is, that is what it gets all the same.
    pub fn preferred(headers: &HeaderMap) -> Self {
        Self::preferred_of(&[Self::Brotli, Self::Zstd, Self::Gzip], headers)
    }

    /// The same of a body that there is in these forms only, the smallest first, and as it is.
    pub fn preferred_of(forms: &[Self], headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_ENCODING);
        let accepted: Vec<&str> =
            values.iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(',')).collect();
        let admits =
            |name: &str| accepted.iter().find_map(|accepted| weight(accepted, name)).is_some_and(|weight| weight > 0.0);
        forms.iter().copied().find(|encoding| admits(encoding.name())).unwrap_or(Self::Identity)
    }

    /// As `Content-Encoding` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// The body in this form.
    pub fn encode(self, body: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(body.to_vec()),
            Self::Zstd => zstd::bulk::compress(body, ZSTD_LEVEL),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: brotli_window(body.len()),
                    size_hint: body.len(),
                    ..Default::default()
                };
                let mut encoded = Vec::new();
                brotli::BrotliCompress(&mut &body[..], &mut encoded, &parameters)?;
                Ok(encoded)
            }
        }
    }
}

/// A body in the form that the request prefers, worked out once for as long as what it is derived from is held. Says
/// nothing of the body's type.
pub fn respond(body: &Bytes, derived: &Derived, asked: &HeaderMap) -> Response {
    respond_in(Encoding::preferred(asked), || body.clone(), derived)
}

/// The same of what the cache holds. Where that is compressed already, it is sent so to whoever takes it so: it is
/// hardly larger than the smallest form, and costs nothing.
pub fn respond_from_cache(payload: &Payload, derived: &Derived, asked: &HeaderMap) -> Response {
    let preferred = || Encoding::preferred_of(&[Encoding::Zstd, Encoding::Brotli, Encoding::Gzip], asked);
    match payload.zstd() {
        Some(frame) if preferred() == Encoding::Zstd => encoded(Encoding::Zstd, frame.clone()),
        _ => respond_in(Encoding::preferred(asked), || payload.bytes(), derived),
    }
}

fn respond_in(encoding: Encoding, body: impl Fn() -> Bytes, derived: &Derived) -> Response {
    let form = match encoding {
        Encoding::Identity => None,
        // Kept for long: not with the room that it grew in.
        _ => derived.get_or_derive(encoding.name(), || Some(encoding.encode(&body()).ok()?.into_boxed_slice().into())),
    };
    match form {
        Some(form) => encoded(encoding, form),
        None => encoded(Encoding::Identity, body()),
    }
}

/// A body that is in this form.
fn encoded(encoding: Encoding, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if encoding != Encoding::Identity {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}

/// What forms a request accepts.
#[derive(Clone, Copy)]
pub struct Accepted {
    whole: Encoding,
    in_parts: Encoding,
}

impl Accepted {
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            whole: Encoding::preferred(headers),
            // brotli would take 9 MB for each, for as long as a slow client reads.
            in_parts: Encoding::preferred_of(&[Encoding::Zstd, Encoding::Gzip], headers),
        }
    }

    /// An answer in the smallest form that is accepted: a text that is there as a whole at once, what is made part by
    /// part on its way. What is encoded already, is a picture or a stream of events, or is hardly anything, stays as it
    /// is. (A function and no layer of the router's: that would put 6 KB around every body.)
    pub async fn encode(self, response: Response) -> Response {
        let is_hardly_anything = response.body().size_hint().upper().is_some_and(|most| most < *ENCODED_WHOLE.start());
        if response.headers().contains_key(header::CONTENT_ENCODING) || is_hardly_anything {
            response
        } else if is_whole(&response) {
            encode_whole(self.whole, response).await
        } else {
            encode_in_parts(self.in_parts, response).await
        }
    }
}

/// Whether all of a text is there, and may be encoded at once. Pages do not say how long they are, and are made in one
/// piece.
fn is_whole(response: &Response) -> bool {
    let said = response.headers();
    let text_of = |name| said.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let content_type = text_of(header::CONTENT_TYPE);
    let length = response.body().size_hint().exact().or_else(|| text_of(header::CONTENT_LENGTH).parse().ok());
    let is_text =
        ["text/", "application/json", "application/problem+json"].iter().any(|of| content_type.starts_with(of));
    let is_short = length.map_or(content_type.starts_with("text/html"), |length| ENCODED_WHOLE.contains(&length));
    is_text && is_short && !said.contains_key(header::CONTENT_RANGE)
}

async fn encode_whole(encoding: Encoding, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if !parts.headers.get_all(header::VARY).iter().any(|value| value == "accept-encoding") {
        parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if encoding == Encoding::Identity {
        return Response::from_parts(parts, body);
    }
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "an answer cannot be read");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let encoded = match ENCODED_WHOLE.contains(&(body.len() as u64)) {
        true => encoding.encode(&body).ok().filter(|encoded| encoded.len() < body.len()),
        false => None,
    };
    let Some(encoded) = encoded else { return Response::from_parts(parts, Body::from(body)) };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    Response::from_parts(parts, Body::from(encoded))
}

async fn encode_in_parts(encoding: Encoding, response: Response) -> Response {
    let mut request = Request::new(());
    request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding.name()));
    let mut response = Some(response);
    let answer = service_fn(move |_: Request<()>| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let Ok(encoded) = Box::pin(CompressionLayer::new().no_br().layer(answer).oneshot(request)).await;
    encoded.map(Body::new)
}

/// The smallest window that has all of so many bytes in it.
fn brotli_window(bytes: usize) -> i32 {
    let bits = bytes.saturating_add(16).checked_next_power_of_two().map_or(u32::MAX, usize::trailing_zeros);
    bits.clamp(*BROTLI_WINDOWS.start(), *BROTLI_WINDOWS.end()).cast_signed()
}

/// The weight that one member of `Accept-Encoding` gives to the encoding of this name; `None` where it is of another.
fn weight(member: &str, name: &str) -> Option<f32> {
    let mut parts = member.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(name) {
        return None;
    }
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some(weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotlis_window_has_all_of_the_body_in_it_and_is_neither_slow_nor_huge() {
        let window = |bytes: usize| brotli_window(bytes);
        assert_eq!([0, 9_000, (1 << 17) - 16, (1 << 17) - 15, 300_000].map(window), [17, 17, 17, 18, 19]);
        assert_eq!([1 << 23, usize::MAX].map(window), [22, 22]);
    }

    #[test]
    fn the_smallest_form_that_is_accepted_is_taken() {
        let preferred =
            |text: &str| Encoding::preferred(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, text.parse().unwrap())]));
        for (accepted, taken) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip;q=1.0, br;q=0.5", Encoding::Brotli),
            ("GZIP", Encoding::Gzip),
            ("br;q=0, zstd", Encoding::Zstd),
            ("br; q=0, gzip; q=0.001", Encoding::Gzip),
            ("br;q=nonsense", Encoding::Identity),
            ("brotli, deflate", Encoding::Identity),
            ("*;q=0", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            assert_eq!(preferred(accepted), taken, "{accepted}");
        }
        assert_eq!(Encoding::preferred(&HeaderMap::new()), Encoding::Identity);
    }

    #[tokio::test]
    async fn what_is_whole_is_encoded_at_once_and_what_comes_in_parts_on_its_way() {
        let text = "a line of text, and another one\n".repeat(100);
        let parts = || Body::from_stream(futures::stream::iter([Ok::<_, io::Error>(Bytes::from(text.clone()))]));
        let whole = || Body::from(text.clone());
        for (content_type, body, accepted, used) in [
            ("application/json", whole(), "gzip, br", Some("br")),
            ("application/problem+json", whole(), "zstd", Some("zstd")),
            ("text/html; charset=utf-8", parts(), "gzip, br", Some("br")),
            ("text/csv", parts(), "gzip, br", Some("gzip")),
            ("text/csv", parts(), "br", None),
            ("text/csv", whole(), "identity", None),
            ("text/event-stream", parts(), "gzip, br", None),
            ("image/png", whole(), "gzip, br", None),
            ("text/plain", Body::from("short"), "gzip, br", None),
        ] {
            let asked = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accepted.parse().unwrap())]);
            let mut answer = Response::new(body);
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            let sent = Accepted::of(&asked).encode(answer).await;
            let encoding = sent.headers().get(header::CONTENT_ENCODING).map(|form| form.to_str().unwrap());
            assert_eq!(encoding, used, "{content_type}: {accepted}");
            let length = to_bytes(sent.into_body(), usize::MAX).await.unwrap().len();
            assert!(used.is_none() || length < text.len() / 5, "{content_type}: {accepted}: {length}");
        }
    }
}
