-- Nothing to do: SQLite numbers rows by INTEGER PRIMARY KEY, and nobody divides its tables. See ../postgres.
SELECT 1;
