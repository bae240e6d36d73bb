-- Views of the dashboard that a user has saved, under a name of their own.

CREATE TABLE saved_views (
    id       INTEGER PRIMARY KEY,
    user_id  BIGINT NOT NULL REFERENCES users (id),
    name     TEXT NOT NULL,
    -- The parameters of the dashboard's address.
    query    TEXT NOT NULL,
    saved_us BIGINT NOT NULL,
    UNIQUE (user_id, name)
);
