-- Letters that a user of a vendor wishes to get, and those that were sent: each once, whichever instance sends it.

CREATE TABLE letter_wishes (
    user_id   BIGINT PRIMARY KEY REFERENCES users (id),
    -- 1: a report of the week before, on Mondays.
    weekly    BIGINT NOT NULL DEFAULT 0 CHECK (weekly IN (0, 1)),
    -- 1: what runs low, on days on which that has changed.
    low_stock BIGINT NOT NULL DEFAULT 0 CHECK (low_stock IN (0, 1))
);

CREATE TABLE letters_sent (
    user_id BIGINT NOT NULL REFERENCES users (id),
    -- `weekly` or `low_stock`.
    kind    TEXT NOT NULL,
    -- The day in the vendor's zone: the Monday, or the day itself. Days since 1970.
    day     BIGINT NOT NULL,
    -- Of what it told: a letter that would tell the same is not sent again.
    digest  TEXT NOT NULL,
    sent_us BIGINT NOT NULL,
    PRIMARY KEY (user_id, kind, day)
);
