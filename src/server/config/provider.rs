//! The marketplace's OpenID Connect provider.

use std::net::IpAddr;

use secrecy::SecretString;

use super::{ConfigError, Reader, redact_url};

const ISSUERS: &str = "https://host[:port][/path], exactly as the provider's own discovery document names it; http:// \
                       on this machine alone";
const CLIENT_IDS: &str = "the id that the provider has given this installation";
const CLIENT_SECRETS: &str = "the secret that the provider has given this installation";
const NAMES: &str = "what the button of the login page calls it, of 40 characters at most";
const SCOPES: &str = "scopes with spaces between them, such as `email profile`";
const CLAIMS: &str = "the name of a claim, of letters, digits and _ - . : /";
const PUBLIC_URLS: &str = "with OIDC_ISSUER, where people reach this installation: the provider sends them back there";
const MOST_NAME: usize = 40;

/// Logging in through the marketplace.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// As its discovery document and its tokens name it, to the letter.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// What the button of the login page calls it.
    pub name: String,
    /// Asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that names an account by its address, the first time.
    pub claim: String,
}

/// The claim whose value is believed only where the provider says that it has checked it.
pub const EMAIL: &str = "email";

pub(super) fn read<V: Fn(&str) -> Option<String>>(reader: &mut Reader<V>) -> Option<ProviderConfig> {
    let issuer = reader.read_shown("OIDC_ISSUER", ISSUERS, |text| is_issuer(text).then(|| text.to_owned()), redact_url);
    let client_id = reader.read("OIDC_CLIENT_ID", CLIENT_IDS, |text| Some(text.to_owned()));
    let client_secret = reader.read_secret("OIDC_CLIENT_SECRET", CLIENT_SECRETS, |_| true);
    let name = reader.read("OIDC_NAME", NAMES, |text| {
        (text.chars().count() <= MOST_NAME && !text.chars().any(char::is_control)).then(|| text.to_owned())
    });
    let scopes = reader.read("OIDC_SCOPES", SCOPES, |text| {
        let is_scope = |scope: &str| scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
        text.split_whitespace().map(|scope| is_scope(scope).then(|| scope.to_owned())).collect::<Option<Vec<_>>>()
    });
    let claim = reader.read("OIDC_CLAIM", CLAIMS, |text| {
        let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte));
        is_name.then(|| text.to_owned())
    });
    let Some(issuer) = issuer else {
        if reader.text("OIDC_ISSUER").is_none() {
            for name in ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME", "OIDC_SCOPES", "OIDC_CLAIM"] {
                if let Some(value) = reader.text(name) {
                    let value = if name == "OIDC_CLIENT_SECRET" { "***".to_owned() } else { value };
                    refuse(reader, name, value, "only together with OIDC_ISSUER".to_owned());
                }
            }
        }
        return None;
    };
    if client_id.is_none() {
        refuse(reader, "OIDC_CLIENT_ID", String::new(), format!("with OIDC_ISSUER, {CLIENT_IDS}"));
    }
    if client_secret.is_none() {
        refuse(reader, "OIDC_CLIENT_SECRET", String::new(), format!("with OIDC_ISSUER, {CLIENT_SECRETS}"));
    }
    if reader.production && reader.text("PUBLIC_URL").is_none() {
        refuse(reader, "PUBLIC_URL", String::new(), PUBLIC_URLS.to_owned());
    }
    Some(ProviderConfig {
        issuer,
        client_id: client_id?,
        client_secret: client_secret?,
        name: name.unwrap_or_else(|| "the marketplace".to_owned()),
        scopes: scopes.unwrap_or_else(|| vec![EMAIL.to_owned()]),
        claim: claim.unwrap_or_else(|| EMAIL.to_owned()),
    })
}

fn refuse<V>(reader: &mut Reader<V>, name: &'static str, value: String, accepted: String) {
    reader.errors.push(ConfigError::Refused { name, value, accepted });
}

/// What is asked by TLS, or where nobody gets in between.
fn is_issuer(text: &str) -> bool {
    let (is_secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return false,
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => authority,
    };
    let is_here = || {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    !host.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"<>".contains(&byte))
        && (is_secure || is_here())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_by_tls_or_on_this_machine() {
        for accepted in [
            "https://login.example.com",
            "https://login.example.com:8443/realms/market",
            "https://login.example.com/",
            "http://127.0.0.1:3100",
            "http://localhost:3100/oidc",
            "http://[::1]:3100",
        ] {
            assert!(is_issuer(accepted), "{accepted}");
        }
        for refused in [
            "login.example.com",
            "http://login.example.com",
            "http://127.0.0.1.example.com",
            "https://user:password@login.example.com",
            "https://login.example.com?tenant=1",
            "https://",
            "https://:8443",
            "ftp://login.example.com",
        ] {
            assert!(!is_issuer(refused), "{refused}");
        }
    }
}
