//! Who someone is: users, their passwords and keys, and the sessions they are logged in by.

/// Users, and the vendors they belong to.
pub mod accounts;
/// Password hashing.
pub mod passwords;
/// The marketplace's OpenID Connect provider.
pub mod provider;
/// What is kept so that it is read here alone.
pub mod sealing;
/// Sessions: store, cookie, who is logged in.
pub mod sessions;
/// Signatures of what browsers bring back.
pub mod signing;
