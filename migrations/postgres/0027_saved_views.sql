-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- Views of the dashboard that a user has saved, under a name of their own.

CREATE TABLE saved_views (
    id       BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id  BIGINT NOT NULL REFERENCES users (id),
    name     TEXT COLLATE "C" NOT NULL,
    -- The parameters of the dashboard's address.
    query    TEXT COLLATE "C" NOT NULL,
    saved_us BIGINT NOT NULL,
    UNIQUE (user_id, name)
);
