use std::sync::OnceLock;

use leptos::{nonce::use_nonce, prelude::*};

/// Starts the islands of a page: the last thing on it, and the only script. Everything is readable and works before;
/// the browser fetches the module when it has nothing else to do.
pub fn scripts() -> AnyView {
    let Some(options) = use_context::<LeptosOptions>() else { return ().into_any() };
    static ADDRESSES: OnceLock<[String; 2]> = OnceLock::new();
    let [script, module] = ADDRESSES.get_or_init(|| ["js", "wasm"].map(|extension| address(&options, extension)));
    let code = format!(
        "const start=async()=>{{const wasm=fetch('{module}');const code=await import('{script}');\
         await code.default({{module_or_path:wasm}});code.hydrate();\
         for(const island of document.querySelectorAll('leptos-island'))code[island.dataset.component]?.(island)}};\
         const idle=()=>'requestIdleCallback' in \
         window?requestIdleCallback(start,{{timeout:2000}}):setTimeout(start,1);\
         document.readyState==='complete'?idle():addEventListener('load',idle)"
    );
    view! { <script type="module" nonce=use_nonce()>{code}</script> }.into_any()
}

/// Asks before what was typed into a form with `data-guard` is left behind unsaved, and takes away what was said of the
/// last save once something is typed. So little that no module is fetched for it.
pub fn unsaved() -> AnyView {
    const CODE: &str = "const ask=event=>event.preventDefault();\
        for(const form of document.querySelectorAll('form[data-guard]')){\
        form.addEventListener('input',()=>{document.querySelector('.notice.good')?.remove();\
        addEventListener('beforeunload',ask)});\
        form.addEventListener('submit',()=>removeEventListener('beforeunload',ask))}";
    view! { <script type="module" nonce=use_nonce()>{CODE}</script> }.into_any()
}

/// The address of a file of the browser half, by the hash that the build has left beside the program.
pub fn address(options: &LeptosOptions, extension: &str) -> String {
    let base = format!("/{}/{}", options.site_pkg_dir, options.output_name);
    let beside =
        std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join(options.hash_file.as_ref())));
    let hashes =
        beside.filter(|_| options.hash_files).and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let hash = hashes
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(of, _)| *of == extension)
        .map(|(_, hash)| hash.trim());
    match hash {
        Some(hash) => format!("{base}.{hash}.{extension}"),
        None => format!("{base}.{extension}"),
    }
}
