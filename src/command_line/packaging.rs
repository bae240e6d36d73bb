//! What goes into packages beside the program.

use std::{io::Write, sync::LazyLock};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::CommandLine;

#[derive(Args)]
pub struct Completions {
    /// The shell that they are for
    shell: Shell,
}

impl Completions {
    pub fn run(&self) -> anyhow::Result<()> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "vendorscope", &mut text);
        print(&text)
    }
}

/// The man page, in roff: every command in one page.
pub fn man() -> anyhow::Result<()> {
    let mut command = CommandLine::command();
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    text.extend(b".SH COMMANDS\n");
    describe_commands(&command, "vendorscope", &mut text)?;
    text.extend(b".SH ENVIRONMENT\n.nf\n");
    let (environment, exit_codes) =
        super::ENVIRONMENT.split_once("\n\nExit codes: ").unwrap_or((super::ENVIRONMENT, ""));
    text.extend(escape(environment.trim_start_matches("Environment:\n")).as_bytes());
    text.extend(format!("\n.fi\n.SH EXIT STATUS\n{}\n", escape(exit_codes)).as_bytes());
    page.render_version_section(&mut text)?;
    print(&text)
}

/// Each command with what it takes, and those below it.
fn describe_commands(command: &clap::Command, path: &str, text: &mut Vec<u8>) -> anyhow::Result<()> {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let name = format!("{path} {}", below.get_name());
        if below.has_subcommands() {
            describe_commands(below, &name, text)?;
            continue;
        }
        let takes: Vec<String> = arguments(below).map(ToString::to_string).collect();
        let line = [vec![name], takes].concat().join(" ");
        let about = below.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(text, ".TP\n\\fB{}\\fR\n{}", escape(&line), escape(&about))?;
        for argument in arguments(below) {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            writeln!(text, ".RS\n.TP\n{}\n{}\n.RE", escape(&argument.to_string()), escape(&help))?;
        }
    }
    Ok(())
}

/// But for those that every command has.
fn arguments(command: &clap::Command) -> impl Iterator<Item = &clap::Arg> {
    command.get_arguments().filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
}

/// A hyphen is one, and a line that begins with a point is no request.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('-', "\\-");
    text.lines()
        .map(|line| if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() })
        .collect::<Vec<_>>()
        .join("\n")
}

fn print(text: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text)?;
    Ok(out.flush()?)
}

/// The release, and the commit that it was built from where the build has said so (scripts/build does).
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let commit = option_env!("VENDORSCOPE_COMMIT").filter(|commit| !commit.is_empty()).unwrap_or("unknown");
        format!("{} (commit {commit})", env!("CARGO_PKG_VERSION"))
    });
    &VERSION
}
