use std::{path::Path, process::Command};

use tempfile::TempDir;

use crate::harness::northwind;

/// The cache.
mod cache;
/// How commands end.
mod endings;

/// What a command left behind.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Done {
    /// The one line that an error is told in.
    fn error(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stderr.lines().count()), (code, 1), "{}", self.stderr);
        self.stderr.trim_end()
    }

    fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self.stdout
    }
}

/// Runs the program in a folder of its own, with these variables and no others.
fn run(folder: &Path, vars: &[(&str, &str)], arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vendorscope"));
    let output = command
        .current_dir(folder)
        .env_clear()
        .envs(vars.iter().copied())
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Done { code: output.status.code().expect("an exit code"), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

const PASSWORD: (&str, &str) = ("VENDORSCOPE_PASSWORD", "correct horse battery staple");

/// What has to be set in production. Nobody reaches this Redis.
fn in_production(database: &str) -> [(&str, &str); 4] {
    [
        ("APP_ENV", "production"),
        ("DATABASE_URL", database),
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("SESSION_SECRET", "0123456789abcdef0123456789abcdef"),
    ]
}

#[test]
fn every_command_explains_itself() {
    let home = folder();
    for command in [
        &[][..],
        &["serve"],
        &["migrate"],
        &["demo"],
        &["import"],
        &["user"],
        &["user", "add"],
        &["user", "list"],
        &["rollups"],
        &["rollups", "verify"],
        &["rollups", "rebuild"],
        &["user", "disable"],
        &["user", "enable"],
        &["user", "reset-password"],
        &["cache"],
        &["cache", "stats"],
        &["cache", "invalidate"],
        &["cache", "warm"],
        &["doctor"],
        &["healthcheck"],
        &["completions"],
        &["man"],
    ] {
        let text = run(home.path(), &[], &[command, &["--help"]].concat()).succeeded();
        assert!(
            text.contains("Usage: vendorscope") && text.lines().next().is_some_and(|line| line.len() > 15),
            "{command:?}: {text}"
        );
    }
    assert!(run(home.path(), &[], &["--help"]).succeeded().contains("SESSION_SECRET"));
    assert_eq!(run(home.path(), &[], &["explode"]).code, 2);
}

#[test]
fn a_wrong_setting_stops_the_program_before_it_does_anything() {
    let home = folder();
    let done = run(home.path(), &[("DATABASE_URL", "mysql://root:hunter2@db/x"), ("LOG_FORMAT", "xml")], &["migrate"]);
    let error = done.error(2);
    assert!(
        error.contains("DATABASE_URL=`mysql://root:***@db/x`")
            && error.contains("LOG_FORMAT=`xml`")
            && !error.contains("hunter2"),
        "{error}"
    );
    let done = run(home.path(), &[("APP_ENV", "production")], &["serve"]);
    let error = done.error(2);
    assert!(["DATABASE_URL", "REDIS_URL", "SESSION_SECRET"].iter().all(|name| error.contains(name)), "{error}");
    assert_eq!(std::fs::read_dir(home.path()).expect("the folder").count(), 0, "no database was made");
}

#[test]
fn a_browser_half_whose_names_carry_hashes_is_refused_with_the_variable_that_says_so() {
    let home = folder();
    crate::harness::write_browser_half(home.path());
    let pkg = home.path().join("target/site/pkg");
    std::fs::rename(pkg.join("vendorscope.js"), pkg.join("vendorscope.k3Jx_q9.js")).expect("renamed");
    let done = run(home.path(), &[], &["serve"]);
    let why = done.stderr.lines().last().unwrap_or_default();
    assert!(done.code == 1 && why.contains("set LEPTOS_HASH_FILES=true"), "{}", done.stderr);
}

#[test]
fn what_cannot_be_reached_is_named_with_what_to_do() {
    let home = folder();
    let done = run(home.path(), &[("DATABASE_URL", "sqlite://no/such/folder/x.db")], &["migrate"]);
    let error = done.error(1);
    assert!(error.contains("check DATABASE_URL") && error.contains("its folder is there"), "{error}");
}

#[test]
fn users_are_added_once_and_listed() {
    let home = folder();
    let add = |vars: &[(&str, &str)], more: &[&str]| run(home.path(), vars, &[&["user", "add"], more].concat());
    assert_eq!(
        add(&[PASSWORD], &[" Boss@Example.com ", "--role", "admin"]).succeeded(),
        "Added boss@example.com as admin.\n"
    );
    assert!(add(&[PASSWORD], &["boss@example.com", "--role", "admin"]).error(1).contains("already"));
    assert!(
        add(&[PASSWORD], &["v@example.com", "--role", "vendor", "--vendor", "nobody"])
            .error(1)
            .contains("there is no vendor `nobody`")
    );
    assert!(
        add(&[("VENDORSCOPE_PASSWORD", "short")], &["w@example.com", "--role", "admin"]).error(1).contains("password")
    );
    assert_eq!(add(&[PASSWORD], &["v@example.com", "--role", "vendor"]).code, 2, "a vendor's user needs a vendor");
    assert!(
        add(&[PASSWORD], &["v@example.com", "--role", "admin", "--vendor", "7"])
            .error(1)
            .contains("vendor or accountant")
    );
    assert!(
        add(&[PASSWORD], &["nobody", "--role", "admin"]).error(1).contains("email: `nobody` is no address such as")
    );
    assert_eq!(run(home.path(), &[], &["user", "list"]).succeeded(), "boss@example.com  admin\n");
}

#[test]
fn a_bundle_is_imported_once_and_a_broken_one_not_at_all() {
    let home = folder();
    let bundle = northwind();
    let bundle = bundle.to_str().expect("UTF-8");
    let first = run(home.path(), &[], &["import", bundle]).succeeded();
    assert!(first.starts_with("29 vendors, 77 products, 91 customers, 830 orders, 2155 lines, 0 refunds"), "{first}");
    let again = run(home.path(), &[], &["import", bundle]).succeeded();
    assert!(again.ends_with(": 0 rows new or different.\n"), "{again}");
    let missing = run(home.path(), &[], &["import", "no-such-folder"]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("nothing was imported"), "{}", missing.stderr);
    // Its vendors can be given users.
    let added = run(home.path(), &[PASSWORD], &["user", "add", "v@example.com", "--role", "vendor", "--vendor", "7"]);
    assert_eq!(added.succeeded(), "Added v@example.com as vendor.\n");
    assert_eq!(run(home.path(), &[], &["user", "list"]).succeeded(), "v@example.com  vendor of 7\n");
}

#[test]
fn a_bundle_of_a_spreadsheet_is_read_where_it_can_be_told_and_the_command_says_how() {
    let (home, market) = (folder(), crate::harness::Market::new());
    let write = |text: &str| market.write("customers", text);
    let bundle = market.path();
    let import = |more: &[&str]| run(home.path(), &[], &[&["import", bundle.to_str().expect("UTF-8")], more].concat());
    std::fs::write(bundle.join("customers.csv"), b"Customer ID;name;country\r\nc1;Jos\xe9;Spain\r\nc2;Ren;Japan\r\n")
        .expect("written");
    // After the names of the files that were read, the error is one line.
    let refused = |done: Done| {
        assert_eq!(done.code, 1, "{}", done.stderr);
        done.stderr.lines().last().unwrap_or_default().to_owned()
    };
    let error = refused(import(&[]));
    assert!(
        error.contains("nothing was imported: customers.csv, line 2: is not UTF-8 (byte E9)")
            && error.contains("--encoding"),
        "{error}"
    );
    let done = import(&["--encoding", "windows-1252"]).succeeded();
    for note in [
        "read as windows-1252",
        "semicolons between fields",
        "columns read by another name: Customer ID as customer_id",
    ] {
        assert!(done.contains(&format!("customers.csv: {note}\n")), "{done}");
    }
    let unknown = import(&["--encoding", "latin-99"]);
    assert!(
        unknown.code == 2 && unknown.stderr.contains("not known: such as utf-8, windows-1252"),
        "{}",
        unknown.stderr
    );
    // However much of the file is in it, an error is one line, and not a long one.
    write(&format!("customer_id,name,country\nc1,\"Anna,Germany\n{}", "c2,Ren,Japan\n".repeat(10_000)));
    let error = refused(import(&[]));
    assert!(
        error.contains("nothing was imported: customers.csv, line 2: a field is longer than 65536 bytes")
            && error.len() < 200,
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_that_were_tampered_with_are_found_and_mended() {
    use vendorscope::server::db::{Db, sql};
    let home = folder();
    let bundle = northwind();
    run(home.path(), &[], &["import", bundle.to_str().expect("UTF-8")]).succeeded();
    assert_eq!(run(home.path(), &[], &["rollups", "verify"]).succeeded(), "Every sum is that of the orders.\n");

    let db = Db::connect(&format!("sqlite://{}", home.path().join("vendorscope.db").display()), 1)
        .await
        .expect("the database opens");
    let mut tx = db.write().await.expect("a transaction");
    tx.execute(sql("UPDATE sales_days SET gross = gross + 1 WHERE vendor_id = 7 AND orders > 0"))
        .await
        .expect("changed");
    tx.commit().await.expect("committed");
    for time in ["once", "and again: looking changes nothing"] {
        let done = run(home.path(), &[], &["rollups", "verify"]);
        let error = done.error(1);
        assert!(
            error.contains("rows: run `vendorscope rollups rebuild`") && error.contains("of sales_days"),
            "{time}: {error}"
        );
    }
    assert!(run(home.path(), &[], &["rollups", "rebuild"]).succeeded().contains("were wrong"));
    assert_eq!(run(home.path(), &[], &["rollups", "verify"]).succeeded(), "Every sum is that of the orders.\n");
}

#[test]
fn users_are_shut_out_let_in_again_and_given_a_link_for_a_lost_password() {
    let home = folder();
    run(home.path(), &[PASSWORD], &["user", "add", "boss@example.com", "--role", "admin"]).succeeded();
    let user = |command: &str, email: &str| {
        run(home.path(), &[("PUBLIC_URL", "https://vendors.example.com")], &["user", command, email])
    };
    assert!(user("disable", "Boss@example.com").succeeded().starts_with("Disabled boss@example.com"));
    assert_eq!(run(home.path(), &[], &["user", "list"]).succeeded(), "boss@example.com  admin, disabled\n");
    assert!(user("reset-password", "boss@example.com").error(1).contains("enable it first"));
    assert_eq!(user("enable", "boss@example.com").succeeded(), "Enabled boss@example.com.\n");
    let link = user("reset-password", "boss@example.com").succeeded();
    let token =
        link.trim_end().strip_prefix("https://vendors.example.com/reset?token=").unwrap_or_else(|| panic!("{link}"));
    assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    for command in ["disable", "enable", "reset-password"] {
        assert!(user(command, "nobody@example.com").error(1).contains("there is no user `nobody@example.com`"));
    }
    assert!(
        run(
            home.path(),
            &[("VENDORSCOPE_PASSWORD", "password1234")],
            &["user", "add", "v@example.com", "--role", "admin"]
        )
        .error(1)
        .contains("too easy to guess")
    );
}

#[test]
fn the_demo_is_nothing_for_production() {
    let home = folder();
    let database = format!("sqlite://{}", home.path().join("x.db").display());
    let done = run(home.path(), &in_production(&database), &["demo"]);
    assert!(done.error(1).contains("not with APP_ENV=production"), "{}", done.stderr);
    assert_eq!(std::fs::read_dir(home.path()).expect("the folder").count(), 0, "no database was made");
}

#[test]
fn a_log_on_a_terminal_is_in_colour_unless_its_user_does_not_want_that() {
    // A notice that `migrate` writes: nobody reaches this Redis. `script` gives it a terminal.
    let on_a_terminal = |vars: &[(&str, &str)]| {
        let home = folder();
        let command = format!("{} cache stats", env!("CARGO_BIN_EXE_vendorscope"));
        let done = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .current_dir(home.path())
            .env_clear()
            .envs([("REDIS_URL", "redis://127.0.0.1:1"), ("RUST_LOG", "info"), ("TERM", "xterm"), ("SHELL", "/bin/sh")])
            .envs(vars.iter().copied())
            .output()
            .expect("script runs");
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let coloured = on_a_terminal(&[]);
    assert!(coloured.contains("database ready") && coloured.contains('\u{1b}'), "{coloured}");
    assert!(on_a_terminal(&[("NO_COLOR", "")]).contains('\u{1b}'), "empty is not set");
    let plain = on_a_terminal(&[("NO_COLOR", "1")]);
    assert!(plain.contains("database ready") && !plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn the_version_says_its_commit_or_that_nobody_knows_it() {
    let version = run(folder().path(), &[], &["--version"]).succeeded();
    let commit = option_env!("VENDORSCOPE_COMMIT").filter(|commit| !commit.is_empty()).unwrap_or("unknown");
    assert_eq!(version, format!("vendorscope {} (commit {commit})\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn shells_complete_commands_and_the_man_page_has_all_of_them() {
    // Without a configuration that could be used: packages are made anywhere.
    let home = folder();
    let broken = [("LOG_FORMAT", "xml")];
    let print = |arguments: &[&str]| run(home.path(), &broken, arguments).succeeded();
    for (shell, checker) in [("bash", Some(["bash", "-n"])), ("zsh", None), ("fish", None)] {
        let script = print(&["completions", shell]);
        assert!(["doctor", "reset-password", "healthcheck"].iter().all(|name| script.contains(name)), "{shell}");
        if let Some([program, option]) = checker {
            let file = home.path().join("completions");
            std::fs::write(&file, &script).expect("written");
            assert!(Command::new(program).arg(option).arg(&file).status().expect("it runs").success());
            // What a shell would offer after `vendorscope roll`.
            let asked = "source ./completions; COMP_WORDS=(vendorscope roll); COMP_CWORD=1; \
                         _vendorscope vendorscope roll vendorscope; echo ${COMPREPLY[@]}";
            let offered =
                Command::new("bash").args(["-c", asked]).current_dir(home.path()).output().expect("bash runs");
            assert_eq!(String::from_utf8_lossy(&offered.stdout), "rollups\n");
        }
    }
    let page = print(&["man"]);
    for part in [
        ".TH vendorscope 1",
        ".SH COMMANDS",
        "vendorscope user add",
        "vendorscope rollups verify",
        "SESSION_SECRET",
        ".SH EXIT STATUS",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.lines().any(|line| line.len() > 1000), "every text has its lines");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_engine_asks_the_program_itself_whether_it_is_well() {
    use crate::harness::{Program, RedisServer, TestDatabase, free_port};
    let (database, mut redis) = (TestDatabase::sqlite(), RedisServer::start());
    let program = Program::serve(&database, &redis.url());
    let home = folder();
    let check = |address: &str, more: &[&str]| {
        run(home.path(), &[("LEPTOS_SITE_ADDR", address)], &[&["healthcheck"], more].concat())
    };
    let address = program.address.to_string();
    assert_eq!(check(&address, &[]).succeeded(), "");
    assert_eq!(check(&address, &["--ready"]).succeeded(), "");
    // Whoever listens everywhere is asked here.
    let everywhere = format!("0.0.0.0:{}", program.address.port());
    assert_eq!(check(&everywhere, &[]).succeeded(), "");
    redis.kill();
    assert_eq!(check(&address, &[]).succeeded(), "", "it is alive");
    assert!(check(&address, &["--ready"]).error(1).contains("/readyz answers HTTP/1.1 503"));
    let nobody = format!("127.0.0.1:{}", free_port());
    assert!(check(&nobody, &[]).error(1).contains("does not answer"));
}
