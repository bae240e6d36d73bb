//! What a server is: another one after every start and every promotion, as far as it says so.
//!
//! Most say it in `INFO`: the process (`run_id`) and the time for which it is master (`master_replid`). Some services
//! keep `INFO` or these fields to themselves. Those are given a random value to keep, and are the same server for as
//! long as they have it.

use redis::{Pipeline, ServerError, Value, aio::MultiplexedConnection};

use crate::link::Down;

/// Where the value is kept that a server is told apart by which does not say what it is. One number for each of a
/// cluster's members, so that every one finds a key of its own; without a cluster the first.
fn kept_under(number: u32) -> String {
    format!("server:identity:{{{number}}}")
}

/// Keys that a member of a cluster is asked for before it is given up: of a hundred masters, each has one.
const KEYS: u32 = 1_000;

/// A server as it was when the connection to it was made.
#[derive(Debug, Clone)]
pub struct Identity {
    pub server: u64,
    /// Where its value is, if it does not say what it is.
    pub kept_under: Option<String>,
}

impl Identity {
    /// Asks for the first time. `is_member`: of a cluster.
    pub async fn of(connection: &mut MultiplexedConnection, is_member: bool) -> Result<Self, Down> {
        let told: Vec<Value> = info().query_async(connection).await.map_err(|error| Down::from(&error))?;
        let (server, replication) = (text(told.first()), text(told.get(1)));
        if info_field(&replication, "role") == Some("slave") {
            // Not for good: behind one address a replica is what there is for a moment while another server takes over.
            return Err(Down::for_now("it is a read-only replica"));
        }
        if !is_member && info_field(&server, "redis_mode") == Some("cluster") {
            return Err(Down::for_good("it is a member of a cluster: write redis+cluster:// instead of redis://"));
        }
        if let Some(server) = fingerprint(&server, &replication) {
            return Ok(Self { server, kept_under: None });
        }
        for number in 0..KEYS {
            let key = kept_under(number);
            let kept: Vec<Value> = keep(&key).query_async(connection).await.map_err(|error| Down::from(&error))?;
            match (kept.first(), kept_value(kept.get(1))) {
                (Some(Value::ServerError(error)), _) if error.code() == "MOVED" => {}
                (Some(Value::ServerError(error)), _) if error.code() == "READONLY" => {
                    return Err(Down::for_now("it is a read-only replica"));
                }
                (_, Some(server)) => return Ok(Self { server, kept_under: Some(key) }),
                (Some(Value::ServerError(error)), None) if error.code() == "NOPERM" => {
                    return Err(Down::for_good(format!(
                        "it neither says what it is ({}) nor keeps {key} to be told apart by ({}): allow one of them",
                        told.iter().find_map(refusal).map_or("INFO has no run_id".to_owned(), ToString::to_string),
                        error.details().unwrap_or_default(),
                    )));
                }
                _ => return Err(Down::for_now("it does not keep what it is given to be told apart by")),
            }
        }
        Err(Down::for_now("it has none of the keys that a member of a cluster is told apart by"))
    }

    /// What to ask to find out whether it still is this server.
    pub fn question(&self) -> Pipeline {
        self.kept_under.as_deref().map_or_else(info, keep)
    }

    /// Whether these answers to the question are this server's, and it may be written to.
    pub fn is_confirmed_by(&self, answers: &[Value]) -> bool {
        let (first, second) = (answers.first(), answers.get(1));
        if self.kept_under.is_some() {
            let is_replica = first.and_then(refusal).is_some_and(|error| error.code() == "READONLY");
            return !is_replica && kept_value(second) == Some(self.server);
        }
        let (server, replication) = (text(first), text(second));
        info_field(&replication, "role") != Some("slave") && fingerprint(&server, &replication) == Some(self.server)
    }
}

/// An error of one command stands in the place of its answer.
fn info() -> Pipeline {
    let mut question = redis::pipe();
    question.cmd("INFO").arg("server").cmd("INFO").arg("replication").ignore_errors();
    question
}

/// A replica refuses the first, even where there is nothing to be written.
fn keep(key: &str) -> Pipeline {
    let mut question = redis::pipe();
    let value = format!("{:016x}", rand::random::<u64>().max(1));
    question.cmd("SET").arg(key).arg(value).arg("NX").cmd("GET").arg(key).ignore_errors();
    question
}

fn refusal(value: &Value) -> Option<&ServerError> {
    if let Value::ServerError(error) = value { Some(error) } else { None }
}

fn text(value: Option<&Value>) -> String {
    value
        .filter(|value| refusal(value).is_none())
        .and_then(|value| redis::from_redis_value_ref(value).ok())
        .unwrap_or_default()
}

fn kept_value(value: Option<&Value>) -> Option<u64> {
    hexadecimal(&text(value))
}

/// A field of an `INFO` answer.
pub fn info_field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Of the process (`run_id`: another one after every start) and of the time for which it is master (`master_replid`:
/// another one after every promotion). Of each the first 16 of its 40 random hexadecimal digits. `None` where it hides
/// both.
fn fingerprint(server: &str, replication: &str) -> Option<u64> {
    let run = info_field(server, "run_id").and_then(hexadecimal);
    let reign = info_field(replication, "master_replid").and_then(hexadecimal);
    (run.is_some() || reign.is_some()).then(|| run.unwrap_or(0) ^ reign.unwrap_or(0).rotate_left(17))
}

/// Of the first 16 digits; zeros say nothing.
fn hexadecimal(text: &str) -> Option<u64> {
    text.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).filter(|number| *number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_info_are_found() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:00000000000000ff6f8f1b0ef4e63b7bfbbf1f4f\r\n";
        assert_eq!(info_field(info, "redis_version"), Some("7.0.15"));
        assert_eq!(info_field(info, "run"), None);
        assert_eq!(fingerprint(info, ""), Some(255));
        assert_ne!(fingerprint(info, "master_replid:00000000000000ff6f8f1b0ef4e63b7bfbbf1f4f\r\n"), Some(255));
    }

    #[test]
    fn a_server_that_hides_what_it_is_has_no_fingerprint() {
        for (server, replication) in [
            ("", ""),
            ("redis_version:7.0.15\r\n", "role:master\r\n"),
            ("run_id:0000000000000000000000000000000000000000\r\n", "master_replid:?\r\n"),
        ] {
            assert_eq!(fingerprint(server, replication), None, "{server}{replication}");
        }
    }
}
