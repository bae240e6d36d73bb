-- What each instance was asked for most, and which tags made most of its lookups miss, in each ten minutes. What is
-- older than a day is removed.
CREATE TABLE cache_names (
    -- Ten minutes, counted from 1970.
    slot     BIGINT NOT NULL,
    -- cache_instances.id
    instance TEXT NOT NULL,
    -- JSON: names of entries, the most frequent, with how often, and how often others came up at most.
    reads    TEXT NOT NULL,
    -- JSON: tags, likewise.
    missed   TEXT NOT NULL,
    PRIMARY KEY (slot, instance)
);
