-- Sums by hour are read by the day that was noted with each order, as all others are: what one vendor's day is, no instant says.
DROP TABLE sales_hours;
CREATE TABLE sales_hours (
    vendor_id  BIGINT NOT NULL,
    day        BIGINT NOT NULL,
    hour_us    BIGINT NOT NULL,
    gross      BIGINT NOT NULL,
    discounts  BIGINT NOT NULL,
    returns    BIGINT NOT NULL,
    commission BIGINT NOT NULL,
    orders     BIGINT NOT NULL,
    units      BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, day, hour_us)
) WITHOUT ROWID;

-- Work that a migration leaves to the program, because SQL knows no time zones. Done and removed in one transaction.
CREATE TABLE pending_work (
    name TEXT PRIMARY KEY
);
-- Hours begin with their offset and not before; `sales_hours` is worked out again.
INSERT INTO pending_work (name) VALUES ('hours');
