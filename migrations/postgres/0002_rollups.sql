-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- What the dashboard reads: sums of the tables above, kept in the same transaction as every write to them. All of it can be
-- rebuilt from the raw rows. Only counted orders are in here, but for `status_days`. Rows may be all zero.

CREATE TABLE sales_days (
    vendor_id     BIGINT NOT NULL,
    day           BIGINT NOT NULL,
    gross         BIGINT NOT NULL,
    discounts     BIGINT NOT NULL,
    returns       BIGINT NOT NULL,
    commission    BIGINT NOT NULL,
    orders        BIGINT NOT NULL,
    units         BIGINT NOT NULL,
    -- Customers whose first counted order ever with this vendor is of this day.
    new_customers BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, day)
);

CREATE TABLE sales_hours (
    vendor_id  BIGINT NOT NULL,
    hour_us    BIGINT NOT NULL,
    gross      BIGINT NOT NULL,
    discounts  BIGINT NOT NULL,
    returns    BIGINT NOT NULL,
    commission BIGINT NOT NULL,
    orders     BIGINT NOT NULL,
    units      BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, hour_us)
);

CREATE TABLE status_days (
    vendor_id BIGINT NOT NULL,
    day       BIGINT NOT NULL,
    status    TEXT COLLATE "C" NOT NULL,
    orders    BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, day, status)
);

-- `grain`: 0 day, 1 month, 2 year; `start`: the day number of its first day. A range is read as the fewest of them, so that a
-- year costs one row a product and not 365.
CREATE TABLE product_sales (
    vendor_id  BIGINT NOT NULL,
    grain      BIGINT NOT NULL,
    start      BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    units      BIGINT NOT NULL,
    net        BIGINT NOT NULL,
    -- Lines and refunds behind the row; a row with none is as good as absent.
    entries    BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, grain, start, product_id)
);

CREATE TABLE customer_orders (
    vendor_id   BIGINT NOT NULL,
    grain       BIGINT NOT NULL,
    start       BIGINT NOT NULL,
    customer_id BIGINT NOT NULL,
    orders      BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, grain, start, customer_id)
);

-- The day of each customer's first counted order with each vendor.
CREATE TABLE first_orders (
    vendor_id   BIGINT NOT NULL,
    customer_id BIGINT NOT NULL,
    day         BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, customer_id)
);
