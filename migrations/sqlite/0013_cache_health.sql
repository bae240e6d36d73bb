-- What the page of the cache's health looks back on. Here and not in Redis, so that it can be read while Redis is away.
-- Instants are microseconds since 1970. What is older than eight days is removed.

-- Each start of the program is a row of its own.
CREATE TABLE cache_instances (
    id         TEXT PRIMARY KEY,
    -- Machine and port.
    name       TEXT NOT NULL,
    version    TEXT NOT NULL,
    started_us BIGINT NOT NULL,
    -- When it last wrote how it fares.
    seen_us    BIGINT NOT NULL,
    -- When it was stopped; NULL while it runs, and where it was killed.
    ended_us   BIGINT,
    -- JSON: how it fares.
    state      TEXT NOT NULL
);

-- What happened to the cache, of all instances: starts, Redis gone and back, counters reset, what the verdict became.
CREATE TABLE cache_events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us    BIGINT NOT NULL,
    instance TEXT NOT NULL,
    kind     TEXT NOT NULL,
    detail   TEXT NOT NULL
);
CREATE INDEX cache_events_by_time ON cache_events (at_us);

-- Who invalidated what, and why: those of one instance, within one minute, that are alike.
CREATE TABLE cache_invalidations (
    -- Minutes since 1970.
    minute   BIGINT NOT NULL,
    instance TEXT NOT NULL,
    -- Names, with a space between; empty where they were too many to be told apart.
    tags     TEXT NOT NULL,
    who      TEXT NOT NULL,
    why      TEXT NOT NULL,
    times    BIGINT NOT NULL,
    last_us  BIGINT NOT NULL,
    PRIMARY KEY (minute, instance, tags, who, why)
);
