#![no_main]
//! The Cookie header.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vendorscope_fuzz::cookie(bytes));
