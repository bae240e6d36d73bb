use std::{
    fmt,
    io::{self, Write},
};

/// Prints a line of what was asked for. Whoever reads it may have read enough (`user list | head -1`): that is an error
/// like any other here, and told to nobody by `run`.
pub fn line(text: fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(text)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// As `println!`, within a function that returns what went wrong.
macro_rules! print_line {
    ($($text:tt)*) => {
        $crate::command_line::printing::line(format_args!($($text)*))?
    };
}
pub(crate) use print_line;

/// Prints a line to standard error for whoever reads it: where nobody does, the work goes on.
pub fn aside(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// As `eprintln!`, which panics where nobody reads any more.
macro_rules! print_aside {
    ($($text:tt)*) => {
        $crate::command_line::printing::aside(format_args!($($text)*))
    };
}
pub(crate) use print_aside;

/// Whether an error is that nobody reads any more.
pub fn is_nobody_reading(error: &anyhow::Error) -> bool {
    let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(broken)
}

/// An error with its causes, each said once: many a cause stands in the text of what it caused.
pub fn in_words(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text.replace('\n', " ")
}
