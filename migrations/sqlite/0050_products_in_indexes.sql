-- What runs low, and the category of what was sold, are read of all products of a vendor: from an index alone, which is
-- a quarter of the table.
DROP INDEX products_by_stock;
CREATE INDEX products_by_stock ON products (vendor_id, stock, external_id, low_stock_threshold, status);
CREATE INDEX products_by_vendor ON products (vendor_id, id, category);
