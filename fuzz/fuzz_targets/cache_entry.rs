#![no_main]
//! Bytes from Redis: whatever they are, they are refused or are what was written under this key.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vendorscope::server::cache::{CacheKey, entry::Entry};

fuzz_target!(|bytes: &[u8]| {
    let key = CacheKey::profile("7");
    if let Ok(entry) = Entry::decode(&key, &Bytes::copy_from_slice(bytes)) {
        assert_eq!(Entry::decode(&key, &entry.encode(&key)), Ok(entry), "what was read is written the same");
    }
});
