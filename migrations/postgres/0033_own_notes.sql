-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- What a vendor has noted down of a day of its own calendar.

CREATE TABLE own_notes (
    id         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    vendor_id  BIGINT NOT NULL REFERENCES vendors (id),
    -- Its number, as it was chosen: it stays when the vendor moves to another zone.
    day        BIGINT NOT NULL,
    text       TEXT COLLATE "C" NOT NULL,
    written_us BIGINT NOT NULL
);
CREATE INDEX own_notes_by_day ON own_notes (vendor_id, day, id);
