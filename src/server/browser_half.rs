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
        let file = folder.join(name.trim_start_matches('/'));
        if !file.is_file() {
            if !options.hash_files && has_hashed(&file) {
                return Err(StartError::HashedNames { folder: folder.to_owned() });
            }
            return Err(StartError::BrowserHalf { folder: folder.to_owned(), missing: name });
        }
    }
    Ok(())
}

/// Whether this file is there with a hash in its name: `vendorscope.k3Jxq9.js` for `vendorscope.js`.
fn has_hashed(file: &Path) -> bool {
    let (Some(folder), Some(stem), Some(extension)) = (file.parent(), file.file_stem(), file.extension()) else {
        return false;
    };
    let mut paths = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_hashed = |path: &Path| {
        path.extension() == Some(extension)
            && path.file_stem().and_then(|name| Path::new(name).file_stem()) == Some(stem)
    };
    paths.any(|path| is_hashed(&path))
}
