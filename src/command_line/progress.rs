use std::{
    io::{IsTerminal, stderr},
    sync::Mutex,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::printing::print_aside;
use crate::server::import::Progress;

/// Progress that can be told it is over.
pub trait Shown: Progress {
    fn finish(&self);
}

/// A bar where somebody is looking; else a line a phase, for logs.
pub fn for_stderr() -> Box<dyn Shown> {
    if stderr().is_terminal() { Box::new(Bar(Mutex::new(ProgressBar::hidden()))) } else { Box::new(Lines) }
}

struct Bar(Mutex<ProgressBar>);

impl Bar {
    fn with(&self, change: impl FnOnce(&mut ProgressBar)) {
        change(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Bar {
    fn phase(&self, name: &str, total: u64) {
        let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
        let template = if total == 0 { "{spinner} {msg}" } else { "{msg:24} {bar:40} {percent:>3} %  {eta}" };
        // A template that does not parse would be a defect of this line: the default bar is good enough then.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(name.to_owned());
        self.with(|shown| {
            shown.finish_and_clear();
            *shown = bar;
        });
    }

    fn done(&self, so_far: u64) {
        self.with(|bar| bar.set_position(so_far));
    }
}

impl Shown for Bar {
    fn finish(&self) {
        self.with(|bar| bar.finish_and_clear());
    }
}

struct Lines;

impl Progress for Lines {
    fn phase(&self, name: &str, _total: u64) {
        print_aside!("{name}");
    }

    fn done(&self, _so_far: u64) {}
}

impl Shown for Lines {
    fn finish(&self) {}
}
