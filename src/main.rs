//! The program: see `vendorscope::command_line`. (The browser half has none: cargo builds this file for it all the same.)

#[cfg(feature = "ssr")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "ssr")]
fn main() -> std::process::ExitCode {
    vendorscope::command_line::run()
}

#[cfg(not(feature = "ssr"))]
fn main() {}
