//! What routes there are, as the source says.

use std::{collections::BTreeSet, path::Path};

/// The routes that a file of the source mounts under `prefix`, and the files that it nests: `(method, path)`. Knows
/// `.route("…", get(…))` and `.nest("…", file::router())`; whatever else adds routes fails here, so that it is taught.
pub(super) fn written_in(file: &str, prefix: &str) -> BTreeSet<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    for unknown in ["routes!", ".route_service(", ".nest_service(", ".merge(", " any(", " on(", "get_service("] {
        assert!(
            !text.contains(unknown),
            "{} adds routes with `{unknown}`, which this test does not know",
            file.display()
        );
    }
    let mut routes = BTreeSet::new();
    for call in text.split(".route(").skip(1) {
        let call = up_to_its_end(call);
        let (path, handlers) = quoted(call);
        let path = if path == "/" && !prefix.is_empty() { prefix.to_owned() } else { format!("{prefix}{path}") };
        let before = routes.len();
        for method in ["get", "post", "put", "patch", "delete", "head", "options"] {
            let mounts = handlers.match_indices(&format!("{method}(")).any(|(at, _)| {
                handlers[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '_')
            });
            if mounts {
                routes.insert((method.to_uppercase(), path.clone()));
            }
        }
        assert!(routes.len() > before, "no method in `{call}`");
    }
    for call in text.split(".nest(").skip(1) {
        let (path, router) = quoted(up_to_its_end(call));
        let module = router.trim_start_matches([',', ' ', '\n']).split("::").next().unwrap_or_default();
        let folder = file.parent().expect("a folder");
        let nested = [folder.join(format!("{module}.rs")), folder.join(module).join("mod.rs")]
            .into_iter()
            .find(|file| file.exists());
        let nested = nested.unwrap_or_else(|| panic!("`{router}` is in no file that this test finds"));
        routes.extend(written_in(nested.to_str().expect("UTF-8"), &format!("{prefix}{path}")));
    }
    routes
}

/// What stands between the parentheses, of which the first is open already.
fn up_to_its_end(call: &str) -> &str {
    let mut depth = 1;
    for (at, c) in call.char_indices() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return &call[..at];
        }
    }
    panic!("no end to `{call:.80}`");
}

/// A text in quotation marks, and what follows it.
fn quoted(call: &str) -> (&str, &str) {
    let (_, rest) = call.split_once('"').unwrap_or_else(|| panic!("no path in `{call}`"));
    rest.split_once('"').unwrap_or_else(|| panic!("no path in `{call}`"))
}
