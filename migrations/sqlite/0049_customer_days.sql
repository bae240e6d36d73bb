-- Who bought from a vendor on a day, as one value: a roaring bitmap of the customers' ids, as src/server/db/customer_days.rs writes it. It
-- takes the place of a row for each customer and day, month and year, of which a year of a large vendor had a hundred thousand.
CREATE TABLE customer_days (
    vendor_id BIGINT NOT NULL,
    day       BIGINT NOT NULL,
    customers BLOB NOT NULL,
    PRIMARY KEY (vendor_id, day)
) WITHOUT ROWID;
DROP TABLE customer_orders;
-- Filled by the program.
INSERT INTO pending_work (name) VALUES ('customer_days');
