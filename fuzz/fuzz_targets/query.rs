#![no_main]
//! The parameters of a snapshot.

libfuzzer_sys::fuzz_target!(|text: &str| vendorscope_fuzz::query(text));
