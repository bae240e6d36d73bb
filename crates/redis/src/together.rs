//! Questions of many callers, asked together.
//!
//! While some are with the server, what is asked meanwhile gathers, and goes as the next. So the busier an instance is,
//! the more of its requests share a write, a read and a wake-up at either end; who is alone waits for nobody. Reads
//! that are the same are carried out once for all who had asked when they were sent.

use std::{collections::HashMap, sync::Arc, time::Duration};

use redis::{Arg, Cmd, Pipeline, Value};
use tokio::sync::{mpsc, oneshot};

use crate::{error::RequestError, link::Link, router::ask_server};

/// Questions that are asked at a time.
const MOST: usize = 256;

type Answered = Result<(Value, u64), RequestError>;

struct Question {
    command: Cmd,
    within: Duration,
    answer: oneshot::Sender<Answered>,
}

/// What gathers the questions to one server.
pub struct Together(mpsc::UnboundedSender<Question>);

impl Together {
    /// Needs a Tokio runtime.
    pub fn start(link: Arc<Link>) -> Self {
        let (questions, gathered) = mpsc::unbounded_channel();
        tokio::spawn(carry(link, gathered));
        Self(questions)
    }

    /// What the server answers, and which server it is. An error that the server gave is an answer. Waits no longer
    /// than twice `within`: for those that are being asked, and for its own.
    pub async fn ask(&self, command: Cmd, within: Duration) -> Answered {
        let (answer, answered) = oneshot::channel();
        let gone = || RequestError::Unreachable("closed".to_owned());
        self.0.send(Question { command, within, answer }).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// Ends with the last who could ask.
async fn carry(link: Arc<Link>, mut gathered: mpsc::UnboundedReceiver<Question>) {
    let mut questions = Vec::new();
    while gathered.recv_many(&mut questions, MOST).await > 0 {
        // Whoever has gone away wants to know nothing.
        questions.retain(|question| !question.answer.is_closed());
        let Some(within) = questions.iter().map(|question| question.within).max() else { continue };
        let mut pipeline = Pipeline::new();
        pipeline.ignore_errors();
        let (mut reads, mut count) = (HashMap::new(), 0);
        let mut places = Vec::with_capacity(questions.len());
        for Question { command, .. } in &questions {
            let place = match is_read(command) {
                true => *reads.entry(command.get_packed_command()).or_insert(count),
                false => count,
            };
            if place == count {
                pipeline.add_command(command.clone());
                count += 1;
            }
            places.push(place);
        }
        let asked = ask_server(&link, &pipeline, within).await.map(|(values, live)| (values, live.server));
        for (question, place) in questions.drain(..).zip(places) {
            let answer = match &asked {
                Ok((values, server)) => match values.get(place) {
                    Some(value) => Ok((value.clone(), *server)),
                    None => Err(RequestError::Refused("fewer answers than commands".to_owned())),
                },
                Err(error) => Err(error.clone()),
            };
            // Whoever has gone away meanwhile, too.
            let _ = question.answer.send(answer);
        }
    }
}

/// Whether it changes nothing, so that one answer does for all who ask it at the same time.
fn is_read(command: &Cmd) -> bool {
    matches!(command.args_iter().next(), Some(Arg::Simple(b"GET" | b"MGET")))
}
