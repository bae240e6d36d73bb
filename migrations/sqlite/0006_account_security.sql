-- Sessions that end together, keys for programs, and a way back in for those who have lost their password.

-- Every session carries the number that its user had when it began; a session with an older one has ended.
ALTER TABLE users ADD COLUMN session_epoch BIGINT NOT NULL DEFAULT 0;

CREATE TABLE api_keys (
    id           INTEGER PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users (id),
    name         TEXT NOT NULL,
    -- How the key begins: enough to tell it from others, too little to use it.
    prefix       TEXT NOT NULL,
    -- SHA-256 in hexadecimal digits. A key is 256 random bits: nothing to guess, so nothing that a slow hash would protect.
    key_hash     TEXT NOT NULL UNIQUE,
    created_us   BIGINT NOT NULL,
    -- Written at most once a minute.
    last_used_us BIGINT,
    revoked_us   BIGINT
);
CREATE INDEX api_keys_by_user ON api_keys (user_id);

CREATE TABLE password_resets (
    id         INTEGER PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    -- SHA-256 of the token in the link, in hexadecimal digits.
    token_hash TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL
);
CREATE INDEX password_resets_by_user ON password_resets (user_id);
