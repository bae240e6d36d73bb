//! What this installation has signed and browsers bring back.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha512};
use tower_sessions::cookie::{Cookie, CookieJar, Key};

use crate::server::config::SessionConfig;

/// Keys for one purpose, made of `SESSION_SECRET`: what was signed for another is worth nothing here. What was signed
/// with `SESSION_SECRET_PREVIOUS` is believed, and nothing is signed with it any more.
#[derive(Clone)]
pub struct Signing {
    current: Key,
    previous: Option<Key>,
}

impl Signing {
    /// `purpose`: a text of this program, which no other purpose has.
    pub fn new(purpose: &str, config: &SessionConfig) -> Self {
        Self {
            current: key(purpose, config.secret.expose_secret()),
            previous: config.previous_secret.as_ref().map(|secret| key(purpose, secret.expose_secret())),
        }
    }

    /// The text with its signature before it.
    pub fn sign(&self, text: &str) -> String {
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.current).add((NAME, text.to_owned()));
        jar.get(NAME).map(|cookie| cookie.value().to_owned()).unwrap_or_default()
    }

    /// The text of a signed one; `None` where nobody here has signed it.
    pub fn verify(&self, signed: &str) -> Option<String> {
        let jar = CookieJar::new();
        let verify = |key: &Key| jar.signed(key).verify(Cookie::new(NAME, signed.to_owned()));
        let cookie = verify(&self.current).or_else(|| verify(self.previous.as_ref()?))?;
        Some(cookie.value().to_owned())
    }

    /// The signature alone, for a text that travels beside it.
    pub fn signature(&self, text: &str) -> String {
        let signed = self.sign(text);
        signed.strip_suffix(text).unwrap_or_default().to_owned()
    }

    /// Whether this is the signature of the text.
    pub fn is_signature(&self, signature: &str, text: &str) -> bool {
        self.verify(&format!("{signature}{text}")).as_deref() == Some(text)
    }
}

/// The signature is of a value alone, whatever its name.
const NAME: &str = "signed";

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing")
    }
}

/// SHA-512 gives the 64 bytes that a key is made of; the purpose before the secret keeps it apart from any other made
/// of it.
fn key(purpose: &str, secret: &str) -> Key {
    Key::from(&Sha512::new_with_prefix(format!("vendorscope {purpose}\0")).chain_update(secret).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::Config;

    fn signing(purpose: &str, secret: &str, previous: Option<&str>) -> Signing {
        let mut config = Config::for_tests().sessions;
        config.secret = secret.into();
        config.previous_secret = previous.map(Into::into);
        Signing::new(purpose, &config)
    }

    #[test]
    fn what_was_signed_is_believed_for_its_purpose_and_over_one_change_of_the_secret() {
        let (old, new) = ("the first secret, which is long enough", "the second secret, also long enough");
        let signed = signing("test", old, None).sign("a=b; c");
        for (reader, expected) in [
            (signing("test", old, None), true),
            (signing("another", old, None), false),
            (signing("test", new, Some(old)), true),
            (signing("test", new, None), false),
        ] {
            assert_eq!(reader.verify(&signed).as_deref(), expected.then_some("a=b; c"));
        }
        let after = signing("test", new, Some(old)).sign("a=b; c");
        assert_eq!(signing("test", old, None).verify(&after), None, "the old secret signs nothing any more");
        let signing = signing("test", old, None);
        let signature = signing.signature("text");
        assert!(signing.is_signature(&signature, "text") && !signing.is_signature(&signature, "text2"));
        assert!(!signing.is_signature("", "text") && !signing.is_signature("é", "text"));
    }
}
