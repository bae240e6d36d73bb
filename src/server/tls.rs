//! TLS: rustls with ring, on every connection that leaves here.

/// Has ring be what clients use that are made without saying which. The first time counts; the others change nothing.
pub fn use_ring() {
    let _ = fred::rustls::crypto::ring::default_provider().install_default();
}
