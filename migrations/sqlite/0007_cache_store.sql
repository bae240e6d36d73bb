-- Which store the cache goes by: all instances agree on it here. One row.

CREATE TABLE cache_store (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    -- What this installation is called in stores that it shares with others: keys and sessions end with it.
    installation  TEXT NOT NULL,
    -- Counted further whenever another store begins to count.
    epoch         INTEGER NOT NULL,
    -- What that store says it is.
    server        TEXT NOT NULL,
    -- Microseconds since 1970; for whoever looks.
    claimed_at_us INTEGER NOT NULL
);

INSERT INTO cache_store (id, installation, epoch, server, claimed_at_us) VALUES (1, lower(hex(randomblob(8))), 0, '', 0);

-- What has ended and must not come back with a Redis that goes back in time: sessions by the name that their users see, and `user:ID` for
-- all sessions of a user. Kept until the session would have run out.
CREATE TABLE ended_sessions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    -- Microseconds since 1970, both.
    ended_at_us INTEGER NOT NULL,
    until_us    INTEGER NOT NULL
);

CREATE INDEX ended_sessions_until ON ended_sessions (until_us);
