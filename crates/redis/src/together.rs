//! Questions of many callers, asked together.
//!
//! While some are with the server, what is asked meanwhile gathers, and goes as the next. So the busier an instance is,
//! the more of its requests share a write, a read and a wake-up at either end; who is alone waits for nobody. Reads
//! that are the same are carried out once for all who had asked when they were sent; and so is what counts who asks, by
//! a command that says how many they are.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    mem::take,
    sync::Arc,
    time::Duration,
};

use foldhash::fast::RandomState;
use redis::{Arg, Cmd, Pipeline, Value};
use tokio::sync::{mpsc, oneshot};

use crate::{error::RequestError, link::Link, router::ask_server};

/// Questions that are asked at a time.
const MOST: usize = 256;

/// What one question was answered.
#[derive(Clone)]
pub struct Answered {
    pub value: Value,
    /// The server process that gave it.
    pub server: u64,
    /// How many of those whom it was given for came before those of this question.
    pub place: u64,
}

type Answer = Result<Answered, RequestError>;

struct Question {
    command: Cmd,
    /// Where the command still lacks its last argument, how many ask it: by how many this one adds to them.
    adds: Option<u64>,
    within: Duration,
    answer: oneshot::Sender<Answer>,
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

    /// What the server answers. An error that the server gave is an answer. Waits no longer than twice `within`: for
    /// those that are being asked, and for its own.
    pub async fn ask(&self, command: Cmd, adds: Option<u64>, within: Duration) -> Answer {
        let (answer, answered) = oneshot::channel();
        let gone = || RequestError::Unreachable("closed".to_owned());
        self.0.send(Question { command, adds, within, answer }).map_err(|_| gone())?;
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
        // Each command once, by whoever came first with it, and for how many; of each question, which command and who
        // of these.
        let (mut commands, mut shared) = (Vec::new(), HashMap::with_hasher(RandomState::default()));
        let mut places = Vec::with_capacity(questions.len());
        for (first, question) in questions.iter().enumerate() {
            let next = commands.len();
            let index = match question.adds.is_some() || is_read(&question.command) {
                true => *shared.entry(Words(&question.command)).or_insert(next),
                false => next,
            };
            if index == next {
                commands.push((first, 0));
            }
            let (_, many) = &mut commands[index];
            places.push((index, *many));
            *many += question.adds.unwrap_or_default();
        }
        drop(shared);
        let mut pipeline = Pipeline::with_capacity(commands.len());
        pipeline.ignore_errors();
        for (first, many) in commands {
            let Question { command, adds, .. } = &mut questions[first];
            let command = take(command);
            pipeline.add_command(if adds.is_some() { counted(command, many) } else { command });
        }
        let asked = ask_server(&link, &pipeline, within).await.map(|(values, live)| (values, live.server));
        for (question, (index, place)) in questions.drain(..).zip(places) {
            let answer = match &asked {
                Ok((values, server)) => match values.get(index) {
                    Some(value) => Ok(Answered { value: value.clone(), server: *server, place }),
                    None => Err(RequestError::Refused("fewer answers than commands".to_owned())),
                },
                Err(error) => Err(error.clone()),
            };
            // Whoever has gone away meanwhile, too.
            let _ = question.answer.send(answer);
        }
    }
}

/// A command that counts who asks, with how many do.
pub fn counted(mut command: Cmd, many: u64) -> Cmd {
    command.arg(many);
    command
}

/// A command by what it says.
struct Words<'c>(&'c Cmd);

impl PartialEq for Words<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.args_iter().eq(other.0.args_iter())
    }
}

impl Eq for Words<'_> {}

impl Hash for Words<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for word in self.0.args_iter() {
            if let Arg::Simple(word) = word {
                word.hash(hasher);
            }
        }
    }
}

/// Whether it changes nothing, so that one answer does for all who ask it at the same time.
fn is_read(command: &Cmd) -> bool {
    matches!(command.args_iter().next(), Some(Arg::Simple(b"GET" | b"MGET")))
}
