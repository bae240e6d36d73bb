use std::path::Path;

use leptos::config::LeptosOptions;

use super::StartError;
use crate::components::scripts::address;

/// Fails where a page would be sent without its style or its script: files that are not there, or that have other names
/// than the pages will say.
pub fn check_browser_half(options: &LeptosOptions, hashes_wanted: bool) -> Result<(), StartError> {
    if hashes_wanted && !options.hash_files {
        let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
        return Err(StartError::Hashes { file: beside.unwrap_or_default().join(&*options.hash_file) });
    }
    let folder = Path::new(&*options.site_root);
    for extension in ["css", "js", "wasm"] {
        let name = address(options, extension);
        if !folder.join(name.trim_start_matches('/')).is_file() {
            return Err(StartError::BrowserHalf { folder: folder.to_owned(), missing: name });
        }
    }
    Ok(())
}
