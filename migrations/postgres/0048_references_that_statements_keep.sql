-- PostgreSQL looks up, and locks, the row that each of these leads to, one at a time: a quarter of an import's time. Nothing needs it.
-- Whoever writes a line or a vendor's part has found its order, its vendor and its product in the same transaction; and orders, vendors
-- and products are never deleted. SQLite, whose looks cost little, keeps these references, and with them watches the same statements
-- wherever they are tested.
ALTER TABLE order_lines DROP CONSTRAINT order_lines_order_id_fkey, DROP CONSTRAINT order_lines_product_id_fkey;
ALTER TABLE vendor_orders DROP CONSTRAINT vendor_orders_vendor_id_fkey, DROP CONSTRAINT vendor_orders_order_id_fkey;
