-- As ../sqlite, in this database's words.
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
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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

CREATE FUNCTION note_product() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    noted BIGINT := CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT);
BEGIN
    IF NEW.unit_price <> OLD.unit_price THEN
        INSERT INTO notes (vendor_id, noted_us, kind, product_id, was, became)
        VALUES (NEW.vendor_id, noted, 'price', NEW.id, CAST(OLD.unit_price AS TEXT), CAST(NEW.unit_price AS TEXT));
    END IF;
    IF (OLD.stock = 0) <> (NEW.stock = 0) THEN
        INSERT INTO notes (vendor_id, noted_us, kind, product_id)
        VALUES (NEW.vendor_id, noted, CASE NEW.stock WHEN 0 THEN 'sold_out' ELSE 'back_in_stock' END, NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_product AFTER UPDATE OF unit_price, stock ON products FOR EACH ROW
WHEN (OLD.unit_price <> NEW.unit_price OR (OLD.stock = 0) <> (NEW.stock = 0)) EXECUTE FUNCTION note_product();

CREATE FUNCTION note_vendor() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    noted BIGINT := CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT);
BEGIN
    IF NEW.time_zone <> OLD.time_zone THEN
        INSERT INTO notes (vendor_id, noted_us, kind, was, became) VALUES (NEW.id, noted, 'time_zone', OLD.time_zone, NEW.time_zone);
    END IF;
    IF NEW.commission_bps <> OLD.commission_bps THEN
        INSERT INTO notes (vendor_id, noted_us, kind, was, became)
        VALUES (NEW.id, noted, 'commission', CAST(OLD.commission_bps AS TEXT), CAST(NEW.commission_bps AS TEXT));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_vendor AFTER UPDATE OF time_zone, commission_bps ON vendors FOR EACH ROW
WHEN (OLD.time_zone <> NEW.time_zone OR OLD.commission_bps <> NEW.commission_bps) EXECUTE FUNCTION note_vendor();
