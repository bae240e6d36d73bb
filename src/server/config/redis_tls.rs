//! TLS to Redis with a private authority and a certificate of one's own.

use std::sync::Arc;

use fred::{
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    rustls_native_certs::load_native_certs,
};
use vendorscope_redis::Tls;

use super::{ConfigError, Reader};

const CERTIFICATES: &str = "a file of certificates in PEM";
const KEYS: &str = "a file with the private key of REDIS_CERT in PEM";
/// Where they are of use.
const OF_USE: &str = "only where REDIS_URL or SESSION_REDIS_URL begins with rediss";

/// `REDIS_CA`, `REDIS_CERT` and `REDIS_KEY`: files, read now.
pub(super) fn read<V: Fn(&str) -> Option<String>>(reader: &mut Reader<V>, any_tls: bool) -> Tls {
    let authorities = file(reader, "REDIS_CA", CERTIFICATES, |pem| {
        let mut roots = RootCertStore::empty();
        certificates(pem)?.into_iter().try_for_each(|one| roots.add(one)).map_err(|error| error.to_string())
    });
    let certificate = file(reader, "REDIS_CERT", CERTIFICATES, |pem| certificates(pem).map(|_| ()));
    let key = file(reader, "REDIS_KEY", KEYS, |pem| key(pem).map(|_| ()));
    for (name, with) in [("REDIS_CERT", "REDIS_KEY"), ("REDIS_KEY", "REDIS_CERT")] {
        if let (Some(value), None) = (reader.text(name), reader.text(with)) {
            reader.errors.push(ConfigError::Refused { name, value, accepted: format!("only together with {with}") });
        }
    }
    for name in ["REDIS_CA", "REDIS_CERT", "REDIS_KEY"] {
        if let (Some(value), false) = (reader.text(name), any_tls) {
            reader.errors.push(ConfigError::Refused { name, value, accepted: OF_USE.to_owned() });
        }
    }
    let tls = Tls::new(authorities, certificate.zip(key));
    if let (Some(_), Err(reason)) = (tls.own(), client_config(&tls)) {
        let value = reader.text("REDIS_KEY").unwrap_or_default();
        reader.errors.push(ConfigError::Refused { name: "REDIS_KEY", value, accepted: format!("{KEYS} ({reason})") });
    }
    tls
}

/// What the file that this variable names holds.
fn file<V: Fn(&str) -> Option<String>>(
    reader: &mut Reader<V>,
    name: &'static str,
    accepted: &str,
    check: impl FnOnce(&[u8]) -> Result<(), String>,
) -> Option<Vec<u8>> {
    let path = reader.text(name)?;
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    match read.and_then(|pem| check(&pem).map(|()| pem)) {
        Ok(pem) => Some(pem),
        Err(reason) => {
            let accepted = format!("{accepted} ({reason})");
            reader.errors.push(ConfigError::Refused { name, value: path, accepted });
            None
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    if read.is_empty() { Err("it holds none".to_owned()) } else { Ok(read) }
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| error.to_string())
}

/// The same for the client that sessions speak through.
pub fn client_config(tls: &Tls) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match tls.authorities() {
        Some(pem) => certificates(pem)?.into_iter().try_for_each(|one| roots.add(one)).map_err(|e| e.to_string())?,
        None => {
            roots.add_parsable_certificates(load_native_certs().certs);
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    match tls.own() {
        Some((pem, own_key)) => {
            config.with_client_auth_cert(certificates(pem)?, key(own_key)?).map_err(|error| error.to_string())
        }
        None => Ok(config.with_no_client_auth()),
    }
}
