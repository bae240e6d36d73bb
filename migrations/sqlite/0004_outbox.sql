-- Invalidations that writes owe the cache. A row is written in the transaction of the change, and removed once the cache's store has
-- taken what it names. Ids are never used twice: removing one must never remove another.

CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- JSON: tags, who, why, when.
    invalidation TEXT NOT NULL
);
