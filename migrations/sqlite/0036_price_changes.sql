-- The last change of each product's price.
CREATE INDEX notes_of_prices ON notes (product_id, noted_us) WHERE kind = 'price';
