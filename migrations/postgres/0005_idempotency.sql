-- What was answered to requests that carried an Idempotency-Key, for as long as they may be sent again (a day).
CREATE TABLE idempotency_keys (
    -- The route, and who asked.
    scope       TEXT NOT NULL,
    key         TEXT NOT NULL,
    -- Of the request's content: the same key with another content is a mistake.
    fingerprint TEXT NOT NULL,
    -- JSON.
    answer      TEXT NOT NULL,
    at_us       BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (at_us);
