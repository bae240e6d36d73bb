-- As ../sqlite, in this database's words.
-- Written to by `/readyz`, to know that writing works: one row.
CREATE TABLE readiness (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    checked_us BIGINT NOT NULL
);
INSERT INTO readiness (id, checked_us) VALUES (1, 0);
