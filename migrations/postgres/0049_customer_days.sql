-- Who bought from a vendor on a day, as one value: a roaring bitmap of the customers' ids, as src/server/db/customer_days.rs writes it. It
-- takes the place of a row for each customer and day, month and year, of which a year of a large vendor had a hundred thousand.
CREATE TABLE customer_days (
    vendor_id BIGINT NOT NULL,
    day       BIGINT NOT NULL,
    customers BYTEA NOT NULL,
    PRIMARY KEY (vendor_id, day)
);
-- These are small as they are: to compress them anew at every order takes longer than it saves.
ALTER TABLE customer_days ALTER COLUMN customers SET STORAGE EXTERNAL;
DROP TABLE customer_orders;
-- Filled by the program.
INSERT INTO pending_work (name) VALUES ('customer_days');
