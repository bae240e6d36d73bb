//! What this installation keeps in its database, and nobody reads there.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use ring::aead;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::server::{AppError, config::SessionConfig};

/// Keys for one purpose, made of `SESSION_SECRET`: what was sealed for another is not opened here. What was sealed with
/// `SESSION_SECRET_PREVIOUS` is opened, and nothing is sealed with it any more. ChaCha20-Poly1305 (RFC 8439), each text
/// under a random nonce: there are far fewer of them than the 2^32 for which that is safe.
#[derive(Clone)]
pub struct Sealing {
    current: NamedKey,
    previous: Option<NamedKey>,
}

/// A text that was sealed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub text: Vec<u8>,
    /// With the secret from before, and not with that of now.
    pub by_previous: bool,
}

#[derive(Clone)]
struct NamedKey {
    name: String,
    key: aead::LessSafeKey,
}

impl Sealing {
    /// `purpose`: a text of this program, which no other purpose has.
    pub fn new(purpose: &str, config: &SessionConfig) -> Self {
        let key = |secret: &str| NamedKey::new(purpose, secret);
        Self {
            current: key(config.secret.expose_secret()),
            previous: config.previous_secret.as_ref().map(|secret| key(secret.expose_secret())),
        }
    }

    /// What tells the key that seals now from those of other secrets, and nothing else of it: eight digits.
    pub fn name(&self) -> &str {
        &self.current.name
    }

    /// The text, for whoever opens it with the same `belongs_to`: put beside something else it is worth nothing.
    pub fn seal(&self, text: &[u8], belongs_to: &[u8]) -> Result<String, AppError> {
        let nonce: [u8; aead::NONCE_LEN] = rand::random();
        let mut sealed = text.to_vec();
        self.current
            .key
            .seal_in_place_append_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(belongs_to),
                &mut sealed,
            )
            .map_err(|_| AppError::Internal("a text could not be sealed".to_owned()))?;
        Ok(BASE64_STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// `None` for what neither secret has sealed, or for something else.
    pub fn open(&self, sealed: &str, belongs_to: &[u8]) -> Option<Opened> {
        let bytes = BASE64_STANDARD_NO_PAD.decode(sealed).ok()?;
        let by_current = self.current.open(&bytes, belongs_to).map(|text| Opened { text, by_previous: false });
        by_current.or_else(|| {
            let text = self.previous.as_ref()?.open(&bytes, belongs_to)?;
            Some(Opened { text, by_previous: true })
        })
    }
}

impl NamedKey {
    /// The text before the secret keeps this key apart from those of other uses.
    fn new(purpose: &str, secret: &str) -> Self {
        let derived =
            |use_of: &str| Sha256::new_with_prefix(format!("vendorscope {use_of}\0")).chain_update(secret).finalize();
        let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &derived(purpose));
        Self {
            name: hex::encode(&derived(&format!("name of {purpose}"))[..4]),
            key: aead::LessSafeKey::new(key.expect("32 bytes, as many as SHA-256 has")),
        }
    }

    fn open(&self, bytes: &[u8], belongs_to: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = bytes.split_at_checked(aead::NONCE_LEN)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let opened = self.key.open_in_place(nonce, aead::Aad::from(belongs_to), &mut text).ok()?;
        Some(opened.to_vec())
    }
}

impl std::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::Config;

    fn sealing(purpose: &str, secret: &str, previous: Option<&str>) -> Sealing {
        let mut config = Config::for_tests().sessions;
        config.secret = secret.into();
        config.previous_secret = previous.map(Into::into);
        Sealing::new(purpose, &config)
    }

    #[test]
    fn what_was_sealed_is_opened_for_its_purpose_and_over_one_change_of_the_secret() {
        let (old, new) = ("the first secret, which is long enough", "the second secret, also long enough");
        let before = sealing("test", old, None);
        let sealed = before.seal(b"a text", b"7").expect("sealed");
        assert_ne!(before.seal(b"a text", b"7").expect("sealed"), sealed, "a nonce of its own each time");
        for (reader, belongs_to, expected) in [
            (sealing("test", old, None), "7", Some(false)),
            (sealing("another", old, None), "7", None),
            (sealing("test", old, None), "8", None),
            (sealing("test", new, Some(old)), "7", Some(true)),
            (sealing("test", new, Some(old)), "8", None),
            (sealing("test", new, None), "7", None),
        ] {
            let opened = reader.open(&sealed, belongs_to.as_bytes());
            assert_eq!(opened, expected.map(|by_previous| Opened { text: b"a text".to_vec(), by_previous }));
        }
        let after = sealing("test", new, Some(old)).seal(b"a text", b"7").expect("sealed");
        assert_eq!(before.open(&after, b"7"), None, "the old secret seals nothing any more");
        for broken in ["", "AAAA", "é", &sealed[1..], &sealed[..sealed.len() - 4]] {
            assert_eq!(before.open(broken, b"7"), None, "{broken}");
        }
        let names = [before.name().to_owned(), sealing("test", new, Some(old)).name().to_owned()];
        assert!(names[0] != names[1] && names.iter().all(|name| name.len() == 8), "{names:?}");
    }
}
