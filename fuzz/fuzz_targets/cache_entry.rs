#![no_main]
//! Bytes from Redis.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vendorscope_fuzz::cache_entry(bytes));
