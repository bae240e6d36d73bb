-- Tables of a vendor's own have the vendor in their keys: so they can be divided by it (docs/scaling.md, "Tables cut by vendor"), and a
-- row that is asked for by its number is found among its vendor's alone.
ALTER TABLE notes DROP CONSTRAINT notes_pkey, ADD PRIMARY KEY (vendor_id, id);
ALTER TABLE own_notes DROP CONSTRAINT own_notes_pkey, ADD PRIMARY KEY (vendor_id, id);
ALTER TABLE refunds DROP CONSTRAINT refunds_pkey, ADD PRIMARY KEY (vendor_id, id);
