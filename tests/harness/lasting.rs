use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

/// How much longer than asked for something may go on before it is taken to be stuck. Two in one test are well within
/// what nextest allows it.
const PATIENCE: Duration = Duration::from_secs(240);

/// What goes on for a time, and where the machine is too busy for it, on until enough has happened to show anything.
pub struct Lasting {
    began: Instant,
    at_least: Duration,
    over: OnceLock<Instant>,
}

impl Lasting {
    /// From now on, for this long at least.
    pub fn from_now(at_least: Duration) -> Self {
        Self { began: Instant::now(), at_least, over: OnceLock::new() }
    }

    /// Whether it goes on. Once it is over it stays so, whatever happens at its end.
    pub fn goes_on(&self, is_enough: impl FnOnce() -> bool) -> bool {
        let lasted = self.began.elapsed();
        let goes_on = lasted < self.at_least || (lasted < self.at_least + PATIENCE && !is_enough());
        if !goes_on {
            self.over.get_or_init(Instant::now);
        }
        self.over.get().is_none()
    }

    /// For how long it has been over: not at all while it goes on.
    pub fn over_for(&self) -> Duration {
        self.over.get().map(Instant::elapsed).unwrap_or_default()
    }
}
