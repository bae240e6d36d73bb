-- What a vendor has noted down of a day of its own calendar.

CREATE TABLE own_notes (
    id         INTEGER PRIMARY KEY,
    vendor_id  BIGINT NOT NULL REFERENCES vendors (id),
    -- Its number, as it was chosen: it stays when the vendor moves to another zone.
    day        BIGINT NOT NULL,
    text       TEXT NOT NULL,
    written_us BIGINT NOT NULL
);
CREATE INDEX own_notes_by_day ON own_notes (vendor_id, day, id);
