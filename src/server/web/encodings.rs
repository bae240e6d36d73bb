//! The forms that a body may travel in, and which of them a request prefers.

use std::io::{self, Write};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use flate2::write::GzEncoder;
use vendorscope_cache::Derived;

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
/// Bits of brotli's window: 4 MB.
const BROTLI_WINDOW: i32 = 22;

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
                    lgwin: BROTLI_WINDOW,
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
    let encoding = Encoding::preferred(asked);
    let encoded = match encoding {
        Encoding::Identity => None,
        _ => derived.get_or_derive(encoding.name(), || encoding.encode(body).ok().map(Bytes::from)),
    };
    let is_encoded = encoded.is_some();
    let mut response = Response::new(Body::from(encoded.unwrap_or_else(|| body.clone())));
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_encoded {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
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
}
