-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- The last change of each product's price.
CREATE INDEX notes_of_prices ON notes (product_id, noted_us) WHERE kind = 'price';
