-- Nothing to do: these tables are their keys' indexes already (WITHOUT ROWID). See ../postgres.
SELECT 1;
