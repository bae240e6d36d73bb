//! Makes the compiled browser half loadable in a browser: writes the WASM module without what only wasm-bindgen reads,
//! and the JavaScript that browser and module call each other through. `scripts/build` runs it.
//!
//! usage: `vendorscope-bindgen MODULE.wasm NAME FOLDER` writes `FOLDER/NAME.js` and `FOLDER/NAME_bg.wasm`.

use std::{env, process::ExitCode};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, name, folder] = &arguments[..] else {
        eprintln!("usage: vendorscope-bindgen MODULE.wasm NAME FOLDER");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(name).remove_name_section(true).remove_producers_section(true);
    // Leptos says where the module is when it loads it.
    bindgen.omit_default_module_path(true);
    match bindgen.web(true).and_then(|bindgen| bindgen.generate(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vendorscope-bindgen: {module}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
