//! The only place where cache meets database: every read that may be cached, and every write with what it invalidates.

use std::future::Future;

use tracing::Instrument;

use super::AppError;

/// Users, and the vendors they belong to.
pub mod accounts;
/// The figures.
pub mod analytics;
/// Products.
pub mod catalog;
/// Orders.
pub mod orders;

/// Carries a write to its end even when the request that asked for it goes away in the middle: between a commit and the invalidation
/// that belongs to it there must be no way out.
pub(in crate::server) async fn to_the_end<T: Send + 'static>(
    write: impl Future<Output = Result<T, AppError>> + Send + 'static,
) -> Result<T, AppError> {
    tokio::spawn(write.in_current_span()).await.unwrap_or_else(|error| Err(AppError::Internal(format!("a write did not end: {error}"))))
}
