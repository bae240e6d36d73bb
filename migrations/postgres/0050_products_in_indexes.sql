-- What runs low is read of all products of a vendor: from an index alone, which is a tenth of the table. (Categories
-- have theirs since 0034.)
DROP INDEX products_by_stock;
CREATE INDEX products_by_stock ON products (vendor_id, stock, external_id) INCLUDE (id, low_stock_threshold, status);
