-- What sold on which day, as one value: the sums of each product, as src/server/db/product_days.rs writes them. What sold in a range is
-- read from as many rows as it has days. The sums of products by month and by year are not needed any more.

-- Whoever is writing to it ends first: what is copied is all there is.
LOCK TABLE product_sales IN ACCESS EXCLUSIVE MODE;
CREATE TABLE product_days (
    vendor_id BIGINT NOT NULL,
    day       BIGINT NOT NULL,
    products  BYTEA NOT NULL,
    PRIMARY KEY (vendor_id, day)
);
-- Numbers that differ hardly compress; and beside the row and not elsewhere a value is read with it.
ALTER TABLE product_days ALTER COLUMN products SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160);

CREATE TABLE product_sales_by_day (
    vendor_id  BIGINT NOT NULL,
    day        BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    units      BIGINT NOT NULL,
    net        BIGINT NOT NULL,
    -- Lines and refunds behind the row; a row with none is as good as absent.
    entries    BIGINT NOT NULL
);
INSERT INTO product_sales_by_day SELECT vendor_id, start, product_id, units, net, entries FROM product_sales
    WHERE grain = 0 ORDER BY vendor_id, start, product_id;
DROP TABLE product_sales;
ALTER TABLE product_sales_by_day RENAME TO product_sales;
ALTER TABLE product_sales ADD PRIMARY KEY (vendor_id, day, product_id) INCLUDE (units, net, entries);
ANALYZE product_sales;
-- Filled by the program.
INSERT INTO pending_work (name) VALUES ('product_days');
