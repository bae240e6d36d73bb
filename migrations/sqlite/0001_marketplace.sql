-- The marketplace as it was sold: vendors, what they offer, and what was ordered.
-- Money: integer minor units. Instants: microseconds since 1970-01-01 UTC (`…_us`). Days: days since 1970-01-01 in the vendor's
-- time zone; `month` and `year` are the day numbers of the first days of its month and year. All four are worked out when written.
-- `external_id` is the marketplace's own id, the only one that leaves the database.

CREATE TABLE vendors (
    id                  INTEGER PRIMARY KEY,
    external_id         TEXT NOT NULL UNIQUE,
    name                TEXT NOT NULL,
    country             TEXT NOT NULL,
    time_zone           TEXT NOT NULL,
    currency            TEXT NOT NULL,
    -- Thousandths of the currency in one minor unit: 1000, 10 or 1.
    minor_thousandths   BIGINT NOT NULL,
    commission_bps      BIGINT NOT NULL DEFAULT 0,
    low_stock_threshold BIGINT NOT NULL DEFAULT 5
);

CREATE TABLE products (
    id                  INTEGER PRIMARY KEY,
    external_id         TEXT NOT NULL UNIQUE,
    vendor_id           BIGINT NOT NULL REFERENCES vendors (id),
    name                TEXT NOT NULL,
    description         TEXT NOT NULL DEFAULT '',
    category            TEXT NOT NULL,
    unit_price          BIGINT NOT NULL CHECK (unit_price >= 0),
    stock               BIGINT NOT NULL CHECK (stock >= 0),
    -- NULL: the vendor's.
    low_stock_threshold BIGINT,
    -- active, archived, or deleted: gone from every list, but its sales remain.
    status              TEXT NOT NULL CHECK (status IN ('active', 'archived', 'deleted'))
);
CREATE INDEX products_by_name ON products (vendor_id, name, id);
CREATE INDEX products_by_stock ON products (vendor_id, stock, id);

CREATE TABLE customers (
    id          INTEGER PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    country     TEXT NOT NULL
);

CREATE TABLE orders (
    id          INTEGER PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    placed_us   BIGINT NOT NULL,
    -- As the marketplace last sent it; each vendor's part has a status of its own.
    status      TEXT NOT NULL
);

-- One vendor's part of an order.
CREATE TABLE vendor_orders (
    vendor_id   BIGINT NOT NULL REFERENCES vendors (id),
    order_id    BIGINT NOT NULL REFERENCES orders (id),
    customer_id BIGINT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'shipped', 'delivered', 'cancelled', 'failed')),
    placed_us   BIGINT NOT NULL,
    -- The instant the vendor's local hour began.
    hour_us     BIGINT NOT NULL,
    day         BIGINT NOT NULL,
    month       BIGINT NOT NULL,
    year        BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, order_id)
) WITHOUT ROWID;
-- Lists, newest first.
CREATE INDEX vendor_orders_by_time ON vendor_orders (vendor_id, placed_us, order_id);
-- A customer's first order with a vendor.
CREATE INDEX vendor_orders_by_customer ON vendor_orders (vendor_id, customer_id, day, status);

CREATE TABLE order_lines (
    order_id   BIGINT NOT NULL REFERENCES orders (id),
    line       BIGINT NOT NULL,
    vendor_id  BIGINT NOT NULL,
    product_id BIGINT NOT NULL REFERENCES products (id),
    quantity   BIGINT NOT NULL CHECK (quantity > 0),
    gross      BIGINT NOT NULL,
    discount   BIGINT NOT NULL,
    -- Agreed when it was sold.
    commission BIGINT NOT NULL,
    PRIMARY KEY (order_id, line)
) WITHOUT ROWID;

CREATE TABLE refunds (
    id          INTEGER PRIMARY KEY,
    vendor_id   BIGINT NOT NULL,
    order_id    BIGINT NOT NULL,
    line        BIGINT NOT NULL,
    quantity    BIGINT NOT NULL CHECK (quantity >= 0),
    amount      BIGINT NOT NULL CHECK (amount >= 0),
    -- Commission given back.
    commission  BIGINT NOT NULL,
    refunded_us BIGINT NOT NULL,
    hour_us     BIGINT NOT NULL,
    day         BIGINT NOT NULL,
    month       BIGINT NOT NULL,
    year        BIGINT NOT NULL,
    UNIQUE (order_id, line, refunded_us),
    FOREIGN KEY (order_id, line) REFERENCES order_lines (order_id, line)
);
