//! Configuration, read from the environment once at start.

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    pub production: bool,
    pub database: DatabaseConfig,
    pub cache: CacheConfig,
    pub sessions: SessionConfig,
    pub http: HttpConfig,
}

#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    pub url: String,
    pub connections: u32,
}

#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// `None`: memory.
    pub redis_url: Option<String>,
}

#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// `None`: memory.
    pub redis_url: Option<String>,
    pub secret: String,
    pub cookie_domain: Option<String>,
}

#[derive(Debug, Clone)]
pub struct HttpConfig {
    pub address: std::net::SocketAddr,
}
