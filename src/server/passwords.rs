//! argon2id, off the async threads.
