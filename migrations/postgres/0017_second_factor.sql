-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- A second factor beside the password: one-time codes of an app (RFC 6238), and codes for when it is lost.

CREATE TABLE second_factors (
    user_id      BIGINT PRIMARY KEY REFERENCES users (id),
    -- 160 random bits, base32. Codes are worked out of it, so that it cannot be kept as a hash.
    secret       TEXT COLLATE "C" NOT NULL,
    created_us   BIGINT NOT NULL,
    -- NULL until a code has shown that the app has the secret.
    confirmed_us BIGINT,
    -- The last step of 30 s that a code was taken of: no code is taken twice.
    last_step    BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE recovery_codes (
    user_id   BIGINT NOT NULL REFERENCES users (id),
    -- SHA-256 in hexadecimal digits. A code is 120 random bits, and works once.
    code_hash TEXT COLLATE "C" NOT NULL,
    used_us   BIGINT,
    PRIMARY KEY (user_id, code_hash)
);
