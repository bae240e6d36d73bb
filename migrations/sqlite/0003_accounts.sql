-- Who may log in, and what they did.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    -- argon2id, PHC format.
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('vendor', 'admin')),
    vendor_id     BIGINT REFERENCES vendors (id),
    created_us    BIGINT NOT NULL,
    disabled_us   BIGINT,
    CHECK ((role = 'vendor') = (vendor_id IS NOT NULL))
);

CREATE TABLE audit_log (
    id      INTEGER PRIMARY KEY,
    at_us   BIGINT NOT NULL,
    -- The user's address, or `cli`.
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    -- The client's network address; NULL from the command line.
    address TEXT
);
CREATE INDEX audit_log_by_time ON audit_log (at_us);
