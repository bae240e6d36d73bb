//! What TLS connections go by beside what the machine trusts: a private authority, a certificate of one's own.

use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};

/// The machine's authorities and no certificate of one's own, unless told otherwise. Its `Debug` shows neither.
#[derive(Debug, Clone, Default)]
pub struct Tls(Option<TlsCertificates>);

impl Tls {
    /// All in PEM: the authorities to trust instead of the machine's, and a certificate (with what it rests on) and its
    /// key to show.
    pub fn new(authorities: Option<Vec<u8>>, own: Option<(Vec<u8>, Vec<u8>)>) -> Self {
        let client_tls = own.map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
        let any = authorities.is_some() || client_tls.is_some();
        Self(any.then_some(TlsCertificates { client_tls, root_cert: authorities }))
    }

    /// Whether there is nothing special about it.
    pub fn is_usual(&self) -> bool {
        self.0.is_none()
    }

    pub fn authorities(&self) -> Option<&[u8]> {
        self.0.as_ref()?.root_cert.as_deref()
    }

    /// Certificate and key.
    pub fn own(&self) -> Option<(&[u8], &[u8])> {
        self.0.as_ref()?.client_tls.as_ref().map(|own| (&own.client_cert[..], &own.client_key[..]))
    }

    /// The same server, reached by it. An address without TLS stays as it is.
    pub(crate) fn applied_to(&self, server: ConnectionInfo) -> Result<ConnectionInfo, String> {
        match &self.0 {
            Some(certificates) if matches!(server.addr(), ConnectionAddr::TcpTls { .. }) => {
                let client = Client::build_with_tls(server, certificates.clone()).map_err(|error| error.to_string())?;
                Ok(client.get_connection_info().clone())
            }
            _ => Ok(server),
        }
    }
}
