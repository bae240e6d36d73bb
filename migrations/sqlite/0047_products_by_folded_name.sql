-- Products by name as they are searched, without case and accents: `apple` stands before `Zebra`, on both databases alike.
DROP INDEX products_by_name;
CREATE INDEX products_by_name ON products (vendor_id, COALESCE(search_text, name), external_id);
