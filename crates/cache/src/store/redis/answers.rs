//! What a server answers, read.

use std::collections::HashMap;

use bytes::Bytes;
use redis::{FromRedisValue, ServerError, Value};
use vendorscope_redis::Answer;

use super::StoreError;
use crate::{generations::Generation, stats::Counts};

pub(super) fn read_entry(answer: Option<Answer>) -> Result<Option<Bytes>, StoreError> {
    match answer.map(|answer| answer.value) {
        Some(Value::BulkString(bytes)) => Ok(Some(Bytes::from(bytes))),
        // Something else lies under the key: for the reader it is no entry, and writing one replaces it.
        Some(Value::ServerError(error)) if error.code() == "WRONGTYPE" => Ok(Some(Bytes::new())),
        Some(Value::ServerError(error)) => Err(refused(&error)),
        _ => Ok(None),
    }
}

/// Puts the answers to [`RedisStore::ask_generations`] back into the order of the tags.
pub(super) fn read_generations(
    answers: impl Iterator<Item = Answer>,
    places: &[Vec<usize>],
    tags: usize,
) -> Result<Vec<Option<Generation>>, StoreError> {
    let mut generations = vec![None; tags];
    let mut answered = 0;
    for (Answer { value, server }, places) in answers.zip(places) {
        match value {
            Value::Array(values) if values.len() == places.len() => {
                for (place, value) in places.iter().zip(values) {
                    if let Value::BulkString(text) = value {
                        generations[*place] =
                            Generation::parse(&text).map(|generation| generation.seen_through(server));
                    }
                }
                answered += places.len();
            }
            Value::ServerError(error) => return Err(refused(&error)),
            _ => return Err(StoreError::Refused("unexpected answer to MGET".to_owned())),
        }
    }
    if answered == tags { Ok(generations) } else { Err(StoreError::Refused("fewer generations than tags".to_owned())) }
}

pub(super) fn read_counts(answer: Option<Answer>) -> Result<Counts, StoreError> {
    let stored: HashMap<String, u64> = parse(answer.map(|answer| answer.value))?;
    Ok(Counts::read(&stored))
}

pub(super) fn parse<T: FromRedisValue>(value: Option<Value>) -> Result<T, StoreError> {
    match value {
        Some(Value::ServerError(error)) => Err(refused(&error)),
        value => {
            redis::from_redis_value(value.unwrap_or(Value::Nil)).map_err(|error| StoreError::Refused(error.to_string()))
        }
    }
}

pub(super) fn all_done(answers: &[Answer]) -> Result<(), StoreError> {
    answers
        .iter()
        .try_for_each(|answer| if let Value::ServerError(error) = &answer.value { Err(refused(error)) } else { Ok(()) })
}

pub(super) fn refused(error: &ServerError) -> StoreError {
    StoreError::Refused(match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    })
}
