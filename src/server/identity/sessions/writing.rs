use axum::{extract::FromRequestParts, http::request::Parts};

use super::{CurrentAdmin, CurrentVendor, request_session};
use crate::{
    domain::accounts::{KeyScope, User, VendorRef},
    server::{AppError, AppState},
};

/// A user of a vendor who may change what is the vendor's: by role, by the scope of the key where one sends the
/// request, and by a second factor where one is required. The services' writes ask for one, and nobody else makes it.
#[derive(Debug, Clone)]
pub struct WritingVendor {
    pub user: User,
    pub vendor: VendorRef,
    _proven: Proven,
}

/// An admin who may change what is the marketplace's, likewise.
#[derive(Debug, Clone)]
pub struct WritingAdmin {
    pub user: User,
    _proven: Proven,
}

/// An admin who may send what the marketplace's backend knows.
#[derive(Debug, Clone)]
pub struct IngestingAdmin {
    pub user: User,
    /// The marketplace's id of the one vendor that the key of this request is made for.
    pub only_vendor: Option<String>,
    _proven: Proven,
}

#[derive(Debug, Clone)]
struct Proven(());

impl WritingVendor {
    /// As `CurrentVendor::of`, and `Forbidden`, `OutOfScope` or `SecondFactorRequired` for who may only look.
    pub async fn of(parts: &Parts) -> Result<Self, AppError> {
        let CurrentVendor { user, vendor } = CurrentVendor::of(parts).await?;
        prove(parts, &user, &[KeyScope::Write]).await?;
        Ok(Self { user, vendor, _proven: Proven(()) })
    }
}

impl WritingAdmin {
    /// As `CurrentAdmin::of`, and `OutOfScope` or `SecondFactorRequired` for who may only look.
    pub async fn of(parts: &Parts) -> Result<Self, AppError> {
        let CurrentAdmin { user } = CurrentAdmin::of(parts).await?;
        prove(parts, &user, &[KeyScope::Write]).await?;
        Ok(Self { user, _proven: Proven(()) })
    }
}

impl IngestingAdmin {
    /// As `WritingAdmin::of`, and for keys that ingest.
    pub async fn of(parts: &Parts) -> Result<Self, AppError> {
        let CurrentAdmin { user } = CurrentAdmin::of(parts).await?;
        prove(parts, &user, &[KeyScope::Write, KeyScope::Ingest]).await?;
        let grant = request_session(parts)?.grant().await?;
        Ok(Self { user, only_vendor: grant.and_then(|grant| grant.vendor), _proven: Proven(()) })
    }
}

/// What cannot be found out is refused as that.
async fn prove(parts: &Parts, user: &User, scopes: &[KeyScope]) -> Result<(), AppError> {
    let session = request_session(parts)?;
    if !user.role.may_write() {
        return Err(AppError::Forbidden);
    }
    if let Some(grant) = session.grant().await?.filter(|grant| !scopes.contains(&grant.scope)) {
        return Err(AppError::OutOfScope(grant.scope));
    }
    if session.lacks_second_factor().await? {
        return Err(AppError::SecondFactorRequired);
    }
    Ok(())
}

impl FromRequestParts<AppState> for WritingVendor {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, AppError> {
        Self::of(parts).await
    }
}

impl FromRequestParts<AppState> for WritingAdmin {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, AppError> {
        Self::of(parts).await
    }
}

impl FromRequestParts<AppState> for IngestingAdmin {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, AppError> {
        Self::of(parts).await
    }
}
