//! How commands end: what they leave behind.

use std::path::Path;

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
