//! Who may know whom, read from the imports; how long a file may be.

use std::path::{Path, PathBuf};

/// A part of the source, and what stands nowhere in it.
const RULES: &[(&str, &[&str])] = &[
    ("src/pages", &["crate::server", "server::"]),
    ("src/components", &["crate::server", "server::", "crate::pages"]),
    ("src/charts", &["crate::server", "server::", "crate::pages"]),
    ("src/server_functions", &["server::web", "server::db", "vendorscope_cache", "crate::pages", "crate::components"]),
    (
        "src/server/db",
        &["vendorscope_cache", "server::services", "server::web", "server::identity", "server::import", "services::"],
    ),
    ("src/server/import", &["vendorscope_cache", "server::services", "server::web", "server::identity", "services::"]),
    ("src/server/ingest", &["vendorscope_cache", "server::services", "server::web", "services::"]),
    ("src/server/services", &["server::web", "server::request", "server::context", "server::AppState", "web::"]),
    ("src/server/identity", &["server::web", "server::request", "server::context", "web::"]),
    ("src/server/request", &["server::web", "server::context", "server::db", "web::", "crate::pages", "crate::app"]),
    ("src/server/context", &["server::web", "server::db", "web::", "crate::pages", "crate::app"]),
];

#[test]
fn layers_know_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for (folder, forbidden) in RULES {
        let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        assert!(!files.is_empty(), "{folder} has moved: the rule holds nothing");
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a text");
            for import in imports(&text) {
                for name in forbidden.iter().filter(|name| names(&import, name)) {
                    wrong.push(format!("{} uses {name}: `{import}`", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lines of the longest file: more are two subjects.
const LONGEST: usize = 400;
/// The one file that is one subject however long it is: everything the interface says, to be read in one go.
const LONGER: &str = "src/words.rs";

#[test]
fn a_file_has_one_subject_and_400_lines_at_most() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for folder in ["src", "crates", "tests", "benches"] {
        for file in sources(&root.join(folder)) {
            let lines = std::fs::read_to_string(&file).expect("a text").lines().count();
            if lines > LONGEST && file != root.join(LONGER) {
                wrong.push(format!("{} has {lines} lines", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each path that a `use` brings in, written out.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let statements = code.split("use ").skip(1).filter_map(|rest| rest.split_once(';').map(|(statement, _)| statement));
    statements.flat_map(|statement| written_out("", &statement.split_whitespace().collect::<String>())).collect()
}

/// `a::{b,c::{d}}` as `a::b` and `a::c::d`.
fn written_out(prefix: &str, tree: &str) -> Vec<String> {
    let Some((before, group)) = tree.split_once('{') else { return vec![format!("{prefix}{tree}")] };
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    let group = group.strip_suffix('}').unwrap_or(group);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[from..]);
    let prefix = format!("{prefix}{before}");
    parts.into_iter().filter(|part| !part.is_empty()).flat_map(|part| written_out(&prefix, part)).collect()
}

/// Whether the path leads through `name`, from the crate's root or from a module above.
fn names(import: &str, name: &str) -> bool {
    if name.starts_with("vendorscope_") {
        return import.split("::").next() == Some(name);
    }
    let path = format!("::{}", import.replace("super::", "").replace("crate::server::", "server::"));
    let name = name.strip_suffix("::").unwrap_or(name).replace("crate::server", "server");
    let inside = ["crate::", "server::", "super::"].iter().any(|root| import.starts_with(root));
    inside && (path.contains(&format!("::{name}::")) || path.ends_with(&format!("::{name}")))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn imports_are_found_however_they_are_written() {
    let text = "use crate::{\n    domain::money::Currency,\n    server::{AppError, db::{Db, sql}},\n};\nuse \
        super::cache_keys::Tag;";
    let found = imports(text);
    assert_eq!(
        found,
        [
            "crate::domain::money::Currency",
            "crate::server::AppError",
            "crate::server::db::Db",
            "crate::server::db::sql",
            "super::cache_keys::Tag"
        ]
    );
    assert!(
        names("crate::server::db::Db", "db::")
            && names("super::cache_keys::Tag", "cache_keys::")
            && names("crate::server::AppError", "crate::server")
    );
    assert!(!names("moka::future::Cache", "cache_keys::") && !names("crate::server::AppError", "db::"));
}
