//! How commands end: what they leave behind, and what becomes of them where nobody reads what they say.

use std::{io::PipeWriter, path::Path, process::Stdio};

use vendorscope::server::db::{Db, sql};

use super::*;

/// What of SQLite lies beside the database.
fn beside_the_database(home: &Path) -> Vec<String> {
    let names = std::fs::read_dir(home).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with("vendorscope.db-")).collect()
}

#[test]
fn no_command_leaves_anything_beside_the_database_that_would_get_into_a_copy_put_in_its_place() {
    let home = folder();
    let bundle = northwind();
    let bundle = bundle.to_str().expect("UTF-8");
    for (arguments, code) in [
        (&["migrate"][..], 0),
        (&["import", bundle], 0),
        (&["import", "no-such-folder"], 1),
        (&["user", "add", "boss@example.com", "--role", "admin"], 0),
        (&["user", "add", "boss@example.com", "--role", "admin"], 1),
        (&["user", "disable", "boss@example.com"], 0),
        (&["user", "list"], 0),
        (&["cache", "invalidate", "vendor:7"], 0),
        (&["cache", "stats"], 1),
        (&["rollups", "verify"], 0),
        (&["doctor"], 1),
        (&["demo"], 1),
    ] {
        let done = run(home.path(), &[PASSWORD], arguments);
        assert_eq!(done.code, code, "{arguments:?}: {}", done.stderr);
        assert_eq!(beside_the_database(home.path()), [""; 0], "{arguments:?}");
    }
}

#[tokio::test]
async fn whoever_has_read_enough_is_not_told_of_it() {
    let home = folder();
    for name in ["one", "two", "three"] {
        let email = format!("{name}@example.com");
        run(home.path(), &[PASSWORD], &["user", "add", &email, "--role", "admin"]).succeeded();
    }
    let db =
        Db::connect(&format!("sqlite://{}", home.path().join("vendorscope.db").display()), 1).await.expect("it opens");
    let mut tx = db.write().await.expect("a transaction");
    let seed = "INSERT INTO second_factors (user_id, secret, created_us, confirmed_us) \
         SELECT id, 'x', 1, 1 FROM users WHERE email LIKE 'two%'";
    tx.execute(sql(seed)).await.expect("written");
    tx.commit().await.expect("committed");
    db.close().await;
    for command in [
        "user list",
        "user reset-password one@example.com",
        "user reset-second-factor two@example.com",
        "--help",
        "rollups verify",
        "migrate",
    ] {
        let arguments: Vec<_> = command.split(' ').collect();
        let done = program(home.path(), &[], &arguments).stdout(nobody()).output().expect("the program runs");
        let said = String::from_utf8(done.stderr).expect("UTF-8");
        assert_eq!((done.status.code(), said.as_str()), (Some(0), ""), "{command}");
    }
}

/// A pipe whose reader is gone.
fn nobody() -> PipeWriter {
    std::io::pipe().expect("a pipe").1
}

fn program(home: &Path, vars: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_vendorscope"));
    program.current_dir(home).env_clear().envs(vars.iter().copied()).args(arguments).stdin(Stdio::null());
    program
}

/// The exit code where nobody reads what is written to standard error, and what was written to standard output.
fn unread(home: &Path, vars: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let done = program(home, vars, arguments).stderr(nobody()).output().expect("the program runs");
    (done.status.code(), String::from_utf8(done.stdout).expect("UTF-8"))
}

#[test]
fn progress_and_logs_that_nobody_reads_end_nothing() {
    let home = folder();
    let bundle = northwind();
    let (code, said) = unread(home.path(), &[("RUST_LOG", "info")], &["import", bundle.to_str().expect("UTF-8")]);
    assert!(code == Some(0) && said.starts_with("29 vendors, 77 products"), "{code:?}: {said}");
    run(home.path(), &[PASSWORD], &["user", "add", "boss@example.com", "--role", "admin"]).succeeded();
    let (code, said) = unread(home.path(), &[], &["user", "reset-password", "boss@example.com"]);
    assert!(code == Some(0) && said.contains("/reset?token="), "{code:?}: {said}");
    // What is wrong is told by the exit code still.
    assert_eq!(unread(home.path(), &[], &["import", "no-such-folder"]).0, Some(1));
    assert_eq!(unread(home.path(), &[("LOG_FORMAT", "xml")], &["migrate"]).0, Some(2));
}

#[test]
fn programs_that_bring_one_database_up_to_date_at_the_same_time_all_find_it_done() {
    for _ in 0..3 {
        let home = folder();
        let began: Vec<_> = (0..4)
            .map(|_| {
                program(home.path(), &[], &["migrate"])
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()
                    .expect("the program runs")
            })
            .collect();
        for one in began {
            let done = one.wait_with_output().expect("it ends");
            assert_eq!(
                (done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()),
                (Some(0), ""),
                "each waits for the others"
            );
        }
    }
}

#[test]
fn a_password_that_is_no_text_is_told_from_one_that_is_missing() {
    let home = folder();
    let word = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"caf\xe9 caf\xe9 caf\xe9");
    let mut adding = program(home.path(), &[], &["user", "add", "boss@example.com", "--role", "admin"]);
    let done = adding.env("VENDORSCOPE_PASSWORD", word).output().expect("the program runs");
    let said = String::from_utf8(done.stderr).expect("UTF-8");
    assert!(done.status.code() == Some(1) && said.contains("VENDORSCOPE_PASSWORD is not UTF-8"), "{said}");
}

#[test]
fn commands_speak_for_themselves_where_rust_log_is_empty_too() {
    let home = folder();
    assert_eq!(run(home.path(), &[("RUST_LOG", "")], &["migrate"]).stderr, "");
}

#[test]
fn in_production_a_link_that_begins_with_a_guess_is_told_to() {
    let home = folder();
    let database = format!("sqlite://{}", home.path().join("vendorscope.db").display());
    let vars = [&in_production(&database)[..], &[PASSWORD]].concat();
    run(home.path(), &vars, &["user", "add", "boss@example.com", "--role", "admin"]).succeeded();
    let reset = |vars: &[(&str, &str)]| run(home.path(), vars, &["user", "reset-password", "boss@example.com"]).stderr;
    assert!(reset(&vars).contains("PUBLIC_URL is not set"));
    let known = [&vars[..], &[("PUBLIC_URL", "https://vendors.example.com")]].concat();
    assert!(!reset(&known).contains("PUBLIC_URL"));
}
