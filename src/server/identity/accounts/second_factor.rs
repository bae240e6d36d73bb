use qrcode::{QrCode, render::svg};
use totp_rs::{Builder, Secret, Totp};

use super::{Accounts, Actor, Authenticated, comparable, digest, now_us};
use crate::{
    domain::{
        accounts::{SecondFactorStatus, User, encode_segment},
        field_error::FieldError,
    },
    server::{
        AppError,
        db::{
            self, Tx,
            accounts::UserCredentials,
            second_factors::{self, SecondFactor},
        },
        identity::passwords,
    },
};

/// What authenticator apps show beside the address.
const ISSUER: &str = "Vendorscope";
const RECOVERY_CODES: usize = 10;
/// Of a one-time code.
const DIGITS: usize = 6;
/// How long a secret that was shown waits for its first code, in microseconds.
const CONFIRMED_WITHIN_US: i64 = 15 * 60 * 1_000_000;
/// Pixels of a module of the picture.
const MODULE: u32 = 4;

/// A secret as it is shown until it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpSetup {
    /// Base32, to be typed.
    pub secret: String,
    /// `otpauth://…`, for an app on the same device.
    pub url: String,
    /// The same as a picture: an SVG element.
    pub picture: String,
}

impl TotpSetup {
    /// What names the secret, and tells nothing of it.
    pub fn digest(&self) -> String {
        digest(&self.secret)
    }
}

/// What has proved that a second factor is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Totp,
    RecoveryCode,
}

impl Proof {
    /// As the audit log has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "one-time code",
            Self::RecoveryCode => "recovery code",
        }
    }
}

impl Accounts {
    /// How it stands with a user's second factor.
    pub async fn second_factor(&self, user: &User) -> Result<SecondFactorStatus, AppError> {
        let mut tx = self.db.read().await?;
        let enabled = second_factors::find(&mut tx, user.id).await?.is_some_and(|factor| factor.confirmed);
        let recovery_codes_left = if enabled { second_factors::codes_left(&mut tx, user.id).await? } else { 0 };
        Ok(SecondFactorStatus { enabled, recovery_codes_left })
    }

    /// What was begun and waits for its first code, for the browser that was shown the secret of this digest.
    pub async fn unconfirmed_totp(&self, user: &User, shown: Option<&str>) -> Result<Option<TotpSetup>, AppError> {
        let mut tx = self.db.read().await?;
        let begun = second_factors::find(&mut tx, user.id).await?;
        begun.and_then(|factor| self.waiting(user, &factor, shown)).map(|secret| setup(user, secret)).transpose()
    }

    /// A secret to set an app up with; worth nothing until `confirm_totp`. `Invalid` where the password is wrong,
    /// `Conflict` where there is a second factor already.
    pub async fn begin_totp(&self, user: &User, password: &str, actor: Actor<'_>) -> Result<TotpSetup, AppError> {
        let proven = self.check_own_password(user, password, actor).await?;
        let secret = Secret::new_stack(rand::random::<[u8; 20]>()).to_base32();
        let mut tx = self.db.write().await?;
        still_proven(&mut tx, &proven).await?;
        let stored = self.seeds.close(user.id, &secret)?;
        if !second_factors::begin(&mut tx, user.id, &stored, now_us()).await? {
            return Err(AppError::Conflict("there is a second factor already: remove it first".to_owned()));
        }
        tx.commit().await?;
        setup(user, secret)
    }

    /// Begins to ask for codes, with the first one, in the browser that was shown the secret of this digest. All
    /// sessions of the user have ended then. The recovery codes, which nobody can find out again, and what the next
    /// session begins with.
    pub async fn confirm_totp(
        &self,
        user: &User,
        shown: Option<&str>,
        code: &str,
        actor: Actor<'_>,
    ) -> Result<(Vec<String>, Authenticated), AppError> {
        let mut tx = self.db.write().await?;
        let begun = second_factors::find(&mut tx, user.id).await?;
        let begun = begun.and_then(|factor| Some((self.waiting(user, &factor, shown)?, factor)));
        let (secret, begun) = begun.ok_or_else(|| {
            let again = "there is nothing to confirm in this browser: begin again, with the password";
            AppError::Conflict(again.to_owned())
        })?;
        let step = step_of(&secret, code)?.ok_or_else(wrong_code)?;
        if !second_factors::confirm(&mut tx, user.id, &begun.secret, step, now_us()).await? {
            return Err(AppError::Conflict("it was confirmed or begun again at the same time".to_owned()));
        }
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
        let hashes: Vec<String> = codes.iter().map(|code| digest(&bare(code))).collect();
        second_factors::set_codes(&mut tx, user.id, &hashes).await?;
        let epoch = db::accounts::end_sessions(&mut tx, user.id).await?.ok_or(AppError::Unauthenticated)?;
        Self::note_all_ended(&mut tx, user.id).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("second_factor_on", "")).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok((codes, Authenticated { user: user.clone(), epoch, second_factor: true }))
    }

    /// Asks for codes no more. `Invalid` where the password or the code is wrong.
    pub async fn remove_totp(&self, user: &User, password: &str, code: &str, actor: Actor<'_>) -> Result<(), AppError> {
        let proven = self.check_own_password(user, password, actor).await?;
        if self.take_code(user.id, code).await?.is_none() {
            return Err(wrong_code());
        }
        let mut tx = self.db.write().await?;
        still_proven(&mut tx, &proven).await?;
        second_factors::remove(&mut tx, user.id).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("second_factor_off", "")).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok(())
    }

    /// Takes the second factor away from a user who has lost it, and ends all sessions. `NotFound` where there is no
    /// such user, `Conflict` where there is no second factor.
    pub async fn reset_totp(&self, email: &str, actor: Actor<'_>) -> Result<User, AppError> {
        let user = self.find_user(email).await?.user;
        let mut tx = self.db.write().await?;
        if !second_factors::remove(&mut tx, user.id).await? {
            return Err(AppError::Conflict(format!("`{}` has no second factor", user.email)));
        }
        db::accounts::end_sessions(&mut tx, user.id).await?;
        Self::note_all_ended(&mut tx, user.id).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("second_factor_reset", &user.email)).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok(user)
    }

    /// Uses up a one-time code or a recovery code of a user; `None` where it is neither, or was used before.
    /// `CodesUnreadable` for a one-time code that nobody here can check.
    pub async fn take_code(&self, user: i64, code: &str) -> Result<Option<Proof>, AppError> {
        let mut tx = self.db.write().await?;
        let proof = self.take(&mut tx, user, code).await?;
        if proof.is_some() {
            tx.commit().await?;
        }
        Ok(proof)
    }

    async fn take(&self, tx: &mut Tx, user: i64, code: &str) -> Result<Option<Proof>, AppError> {
        let found = second_factors::find(tx, user).await?;
        let Some(factor) = found.filter(|factor| factor.confirmed) else { return Ok(None) };
        let step = match self.seeds.open(user, &factor.secret) {
            Some(secret) => step_of(&secret, code)?,
            None if is_of_app(code) => {
                tracing::error!(user, "a seed of one-time codes is sealed with a secret that is not there any more");
                return Err(AppError::CodesUnreadable);
            }
            // Recovery codes are worked out of nothing.
            None => None,
        };
        if let Some(step) = step {
            return Ok(second_factors::take_step(tx, user, step).await?.then_some(Proof::Totp));
        }
        let is_used_up = second_factors::take_code(tx, user, &digest(&bare(code)), now_us()).await?;
        Ok(is_used_up.then_some(Proof::RecoveryCode))
    }

    /// The secret that waits for its first code from the browser that was shown the one of this digest.
    fn waiting(&self, user: &User, factor: &SecondFactor, shown: Option<&str>) -> Option<String> {
        let is_open = !factor.confirmed && factor.created_us > now_us() - CONFIRMED_WITHIN_US;
        let secret = self.seeds.open(user.id, &factor.secret).filter(|_| is_open)?;
        (shown == Some(digest(&secret).as_str())).then_some(secret)
    }

    /// The user as the password proves it: see `still_proven`. `Invalid` where it is not the user's password.
    pub(super) async fn check_own_password(
        &self,
        user: &User,
        password: &str,
        actor: Actor<'_>,
    ) -> Result<UserCredentials, AppError> {
        let login = db::accounts::find_login_by_id(&self.db, user.id).await?.filter(|login| !login.disabled);
        let login = login.ok_or(AppError::Unauthenticated)?;
        if passwords::verify(comparable(password), Some(login.password_hash.clone())).await? {
            return Ok(login);
        }
        self.audit(actor.name, "password_failed", "", actor.address).await?;
        Err(FieldError::new("password", "is not your password").into())
    }
}

/// To be asked in the transaction of whatever was proved by a password, which took its time to be verified: what ends
/// with the password must not be made by the one before. `Conflict` where the password has changed in the meantime, or
/// all sessions have ended, or the user is shut out.
pub(super) async fn still_proven(tx: &mut Tx, proven: &UserCredentials) -> Result<(), AppError> {
    let now = db::accounts::lock_login(tx, proven.user.id).await?.filter(|now| !now.disabled);
    match now {
        Some(now) if now.epoch == proven.epoch && now.password_hash == proven.password_hash => Ok(()),
        _ => Err(AppError::Conflict("the password was changed, or all sessions ended, at the same time".to_owned())),
    }
}

fn wrong_code() -> AppError {
    FieldError::new("code", "is not right, or was used already: wait for the next one").into()
}

/// The step of 30 s that a code is of, the one before and the one after this included; `None` for what is no such code.
fn step_of(secret: &str, code: &str) -> Result<Option<i64>, AppError> {
    let now = u64::try_from(now_us() / 1_000_000).unwrap_or_default();
    Ok(totp(secret)?.check(&typed(code), now).and_then(|step| i64::try_from(step).ok()))
}

/// A one-time code however it is typed.
fn typed(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether it looks like a one-time code, right or wrong: recovery codes are longer.
fn is_of_app(code: &str) -> bool {
    let code = typed(code);
    code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())
}

fn totp(secret: &str) -> Result<Totp, AppError> {
    let broken = |error: &dyn std::fmt::Display| AppError::Internal(format!("a stored secret of codes: {error}"));
    let secret = Secret::try_from_base32(secret).map_err(|error| broken(&error))?;
    // Six digits each 30 s, SHA-1: what every app understands.
    Builder::new().with_secret(secret).build().map_err(|error| broken(&error))
}

fn setup(user: &User, secret: String) -> Result<TotpSetup, AppError> {
    let url = format!("otpauth://totp/{ISSUER}:{}?secret={secret}&issuer={ISSUER}", encode_segment(&user.email));
    let code = QrCode::new(&url).map_err(|error| AppError::Internal(format!("a picture of a secret: {error}")))?;
    let drawn = code.render::<svg::Color<'_>>().module_dimensions(MODULE, MODULE).build();
    // Without the declaration of a file of its own.
    let picture = drawn.find("<svg").map(|at| drawn[at..].to_owned()).unwrap_or_default();
    Ok(TotpSetup { secret, url, picture })
}

/// 120 random bits in six groups of letters and digits: too many to be found again from a plain digest.
fn recovery_code() -> String {
    let secret = Secret::new(Box::new(rand::random::<[u8; 15]>())).to_base32().to_lowercase();
    let groups: Vec<&str> = secret.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join("-")
}

/// A recovery code however it is typed.
fn bare(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, of which six digits are the last six of its eight.
        let secret = Secret::new(Box::from(&b"12345678901234567890"[..])).to_base32();
        let totp = totp(&secret).unwrap();
        for (time, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(totp.check(code, time), Some(time / 30), "{time}");
            assert_eq!(totp.check(code, time + 90), None, "three steps later");
        }
    }

    #[test]
    fn a_recovery_code_has_120_bits_and_may_be_typed_as_one_likes() {
        let code = recovery_code();
        assert_eq!((code.len(), code.matches('-').count()), (29, 5), "{code}");
        assert_eq!(bare(&format!(" {} ", code.to_uppercase().replace('-', " "))), bare(&code));
        assert_ne!(recovery_code(), code);
    }
}
