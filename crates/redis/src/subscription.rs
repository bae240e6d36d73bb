//! Hearing what is published on a channel. Redis keeps no messages: what is published while a connection is lost is
//! never heard.

use std::time::Duration;

use futures::StreamExt;
use redis::{
    Client, ConnectionInfo, Value,
    aio::{PubSubSink, PubSubStream},
};
use tokio::time::{sleep, timeout};

use crate::{address::Address, link};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A connection that stays silent this long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(10);

/// What a subscription brings.
pub enum Heard<'a> {
    Message(&'a str),
    /// The connection was lost and is back: messages may have been missed.
    Reconnected,
}

/// Subscribes, and again whenever the connection is lost; until dropped.
pub async fn listen(address: &Address, channel: &str, tell: &(dyn for<'m> Fn(Heard<'m>) + Send + Sync)) {
    let (mut pause, mut connected_before) = (FIRST_PAUSE, false);
    for attempt in 0_usize.. {
        match timeout(CONNECT_TIMEOUT, subscribe(address, channel, attempt)).await {
            Ok(Ok((sink, stream))) => {
                pause = FIRST_PAUSE;
                if std::mem::replace(&mut connected_before, true) {
                    tell(Heard::Reconnected);
                }
                hear(sink, stream, tell).await;
                tracing::debug!("subscription lost");
            }
            Ok(Err(reason)) if reason.contains("NOPERM") => {
                tracing::error!(reason, channel, "redis does not let this user subscribe")
            }
            Ok(Err(reason)) => tracing::debug!(reason, "no subscription"),
            Err(_) => tracing::debug!("no subscription in time"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn subscribe(address: &Address, channel: &str, attempt: usize) -> Result<(PubSubSink, PubSubStream), String> {
    let server: ConnectionInfo = match address {
        Address::Server(server) => server.clone(),
        Address::Master(sentinels) => link::find_master(sentinels).await.map_err(|down| down.reason)?,
        // Any member hears what is published to any other.
        Address::Cluster(members) => members[attempt % members.len()].clone(),
    };
    let client = Client::open(server).map_err(|error| error.to_string())?;
    let mut subscription = client.get_async_pubsub().await.map_err(|error| error.to_string())?;
    subscription.subscribe(channel).await.map_err(|error| error.to_string())?;
    Ok(subscription.split())
}

/// Returns once the connection is lost.
async fn hear(mut sink: PubSubSink, mut stream: PubSubStream, tell: &(dyn for<'m> Fn(Heard<'m>) + Send + Sync)) {
    loop {
        match timeout(SILENCE, stream.next()).await {
            Ok(Some(message)) => {
                if let Ok(text) = message.get_payload::<String>() {
                    tell(Heard::Message(&text));
                }
            }
            Ok(None) => return,
            Err(_) => {
                if !matches!(timeout(CONNECT_TIMEOUT, sink.ping::<Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}
