-- As ../sqlite, in this database's words.
-- Lists are read on from a place (the value they are sorted by, and the marketplace's id), and searched without case and accents.

DROP INDEX products_by_name;
DROP INDEX products_by_stock;
CREATE INDEX products_by_name ON products (vendor_id, name, external_id);
CREATE INDEX products_by_stock ON products (vendor_id, stock, external_id);
CREATE INDEX products_by_price ON products (vendor_id, unit_price, external_id);

-- The name as it is searched, worked out by the program; NULL where it has not been yet.
ALTER TABLE vendors ADD COLUMN search_text TEXT COLLATE "C";
ALTER TABLE products ADD COLUMN search_text TEXT COLLATE "C";
ALTER TABLE customers ADD COLUMN search_text TEXT COLLATE "C";
CREATE INDEX vendors_to_fold ON vendors (id) WHERE search_text IS NULL;
CREATE INDEX products_to_fold ON products (id) WHERE search_text IS NULL;
CREATE INDEX customers_to_fold ON customers (id) WHERE search_text IS NULL;
