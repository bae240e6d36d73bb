//! What a server function needs of the request it runs in.

use crate::{
    api::ApiError,
    server::{
        AppError, AppState,
        sessions::{CurrentAdmin, CurrentVendor},
    },
};

/// The vendor user whose session this request carries.
pub async fn current_vendor() -> Result<(AppState, CurrentVendor), ApiError> {
    todo!()
}

/// The admin whose session this request carries.
pub async fn current_admin() -> Result<(AppState, CurrentAdmin), ApiError> {
    todo!()
}

/// Logs in; says where to go next.
pub async fn log_in(email: &str, password: &str, next: Option<&str>) -> Result<String, ApiError> {
    let _ = (email, password, next);
    todo!()
}

pub async fn log_out() -> Result<(), ApiError> {
    todo!()
}

/// Invalidates tags by their names, audited. Returns how many.
pub async fn invalidate_named(state: &AppState, admin: &CurrentAdmin, names: &[&str]) -> Result<usize, ApiError> {
    let _ = (state, admin, names);
    todo!()
}

/// What the page is told of a service's error; sets the status of the answer, and logs what is ours to mend.
pub fn api_error(error: AppError) -> ApiError {
    let _ = error;
    todo!()
}
