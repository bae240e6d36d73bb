//! argon2id, off the async threads, and no more at a time than the machine has cores for.

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::{SaltString, rand_core::OsRng},
};
use tokio::sync::Semaphore;

use crate::domain::{accounts::check_password, field_error::FieldError};
use crate::server::AppError;

/// OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes and one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes worked on at a time. Each takes a core and 19 MiB: without a bound, a flood of logins would take them all.
const CONCURRENT: usize = 4;
static TURNS: Semaphore = Semaphore::const_new(CONCURRENT);

/// Verified where there is no user, so that an unknown address takes as long as a wrong password. Made of a password
/// with the parameters above; nothing matches it, because the caller is told no whatever comes of it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ZjjQjnqh0JB0ASA73cmIyA$U3qvpjGWJlyIkaFK8hrD5U15gM4SszwqFeFsgfh/5EM";

fn argon2() -> Result<Argon2<'static>, String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| e.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String, String> {
    let salt = SaltString::generate(&mut OsRng);
    Ok(argon2()?.hash_password(password.as_bytes(), &salt).map_err(|e| e.to_string())?.to_string())
}

fn verify_now(password: &str, hash: &str) -> Result<bool, String> {
    let hash = PasswordHash::new(hash).map_err(|e| e.to_string())?;
    match argon2()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::Password) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// The password's hash, in PHC format.
pub async fn hash(password: &str) -> Result<String, AppError> {
    let password = password.to_owned();
    in_turn(move || hash_now(&password)).await
}

/// Whether `password` is the one that was hashed; `None` takes as long, and is never right.
pub async fn verify(password: &str, hash: Option<String>) -> Result<bool, AppError> {
    let password = password.to_owned();
    in_turn(move || match hash {
        Some(hash) => verify_now(&password, &hash),
        None => verify_now(&password, NOBODY).map(|_| false),
    })
    .await
}

/// Whether `password` may be chosen: long enough, and not what is tried first. `about`: what its owner is known by,
/// which is tried too. Judged by zxcvbn, whose lists hold the 30,000 most common passwords, English words and names,
/// and which knows dates, keyboards and what people do to a word; accepted is what takes more than 10^8 guesses (its
/// score of 3, as its authors advise).
pub async fn check_new(password: &str, about: &[&str]) -> Result<(), AppError> {
    check_password(password)?;
    let about: Vec<String> = about.iter().flat_map(|text| parts(text)).collect();
    let password = password.to_owned();
    let guessable = in_turn(move || {
        let about: Vec<&str> = about.iter().map(String::as_str).collect();
        let judged = zxcvbn::zxcvbn(&password, &about);
        let why = judged.feedback().and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
        Ok((judged.score() < zxcvbn::Score::Three).then(|| why.unwrap_or_default()))
    })
    .await?;
    match guessable {
        None => Ok(()),
        Some(why) => {
            let message = format!("is too easy to guess: choose some words that do not belong together. {why}");
            Err(FieldError::new("password", message.trim_end()).into())
        }
    }
}

/// An address, and the words in it.
fn parts(text: &str) -> impl Iterator<Item = String> {
    std::iter::once(text)
        .chain(text.split(|c: char| !c.is_alphanumeric()))
        .filter(|part| part.len() > 2)
        .map(str::to_lowercase)
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, AppError> {
    let turn = TURNS.acquire().await.map_err(|e| AppError::Internal(format!("passwords: {e}")))?;
    tokio::task::spawn_blocking(move || {
        // Held until the work is over, even if the request that asked for it is gone.
        let _turn = turn;
        work()
    })
    .await
    .map_err(|e| e.to_string())
    .and_then(|result| result)
    .map_err(|e| AppError::Internal(format!("passwords: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_knows_its_own_password_only_and_says_how_it_was_made() {
        let hash = hash("correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify("correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!verify("Correct horse battery", Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_tried_first_is_refused_however_long_it_is() {
        for guessable in [
            "short",
            "password1234",
            "passwordpassword",
            "qwertyuiop123",
            "123456789012",
            "aaaaaaaaaaaaaa",
            "P@ssw0rd2024!",
            "jane.miller@example.com",
            "janemiller12",
        ] {
            let refused = check_new(guessable, &["jane.miller@example.com"]).await;
            assert!(
                matches!(&refused, Err(AppError::Invalid(errors)) if errors[0].field == "password"),
                "{guessable}: {refused:?}"
            );
        }
        for good in
            ["correct horse battery staple", "a password of sixteen", "Zqf!7mrX#p2w", "vier Gänse im Regenmantel"]
        {
            assert!(check_new(good, &["jane.miller@example.com"]).await.is_ok(), "{good}");
        }
    }

    #[tokio::test]
    async fn no_password_is_right_for_nobody() {
        assert!(verify_now("nobody has this password", NOBODY).unwrap(), "the work is the same as for a user");
        assert!(!verify("nobody has this password", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_that_is_none_is_an_error_and_not_a_wrong_password() {
        assert!(verify("anything", Some("plain text".to_owned())).await.is_err());
    }
}
