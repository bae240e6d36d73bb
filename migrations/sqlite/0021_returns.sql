-- Why something came back (NULL: nobody said), and how many of its units went back into stock (NULL: noted by the marketplace, which keeps
-- stock by itself).
ALTER TABLE refunds ADD COLUMN reason TEXT;
ALTER TABLE refunds ADD COLUMN restocked BIGINT;
-- What came back in a range, newest first.
CREATE INDEX refunds_by_time ON refunds (vendor_id, refunded_us);
-- The sales of one product.
CREATE INDEX order_lines_by_product ON order_lines (product_id, order_id);

-- What happened to a vendor's products and terms, whoever changed them and by whatever way: noted by the database itself.
CREATE TABLE notes (
    id         INTEGER PRIMARY KEY,
    vendor_id  BIGINT NOT NULL,
    noted_us   BIGINT NOT NULL,
    -- price, sold_out, back_in_stock, time_zone or commission.
    kind       TEXT NOT NULL,
    product_id BIGINT,
    -- Prices in minor units, commission in hundredths of a percent, zones by their names.
    was        TEXT,
    became     TEXT
);
CREATE INDEX notes_by_time ON notes (vendor_id, noted_us);

CREATE TRIGGER note_price AFTER UPDATE OF unit_price ON products WHEN OLD.unit_price <> NEW.unit_price
BEGIN
    INSERT INTO notes (vendor_id, noted_us, kind, product_id, was, became)
    VALUES (NEW.vendor_id, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000, 'price', NEW.id, CAST(OLD.unit_price AS TEXT), CAST(NEW.unit_price AS TEXT));
END;
CREATE TRIGGER note_stock AFTER UPDATE OF stock ON products WHEN (OLD.stock = 0) <> (NEW.stock = 0)
BEGIN
    INSERT INTO notes (vendor_id, noted_us, kind, product_id)
    VALUES (NEW.vendor_id, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000, CASE NEW.stock WHEN 0 THEN 'sold_out' ELSE 'back_in_stock' END, NEW.id);
END;
CREATE TRIGGER note_time_zone AFTER UPDATE OF time_zone ON vendors WHEN OLD.time_zone <> NEW.time_zone
BEGIN
    INSERT INTO notes (vendor_id, noted_us, kind, was, became)
    VALUES (NEW.id, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000, 'time_zone', OLD.time_zone, NEW.time_zone);
END;
CREATE TRIGGER note_commission AFTER UPDATE OF commission_bps ON vendors WHEN OLD.commission_bps <> NEW.commission_bps
BEGIN
    INSERT INTO notes (vendor_id, noted_us, kind, was, became)
    VALUES (NEW.id, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000, 'commission', CAST(OLD.commission_bps AS TEXT), CAST(NEW.commission_bps AS TEXT));
END;
