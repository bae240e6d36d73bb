#!/usr/bin/env python3
"""What a vendor's snapshot must say, worked out from a marketplace bundle's CSV files by DuckDB and its ICU time zones.

It shares nothing with the program under test but the definitions of the figures (docs/figures.md): no rollups, no SQL, no time zone
database. Prints a list with one object for each query, in the shape and the names of the snapshot API.

usage: crosscheck.py BUNDLE QUERIES
  BUNDLE   folder with vendors, products, orders, order_items as .csv or .csv.gz (refunds if there are any). Beyond what a bundle has,
           orders may have a discount of their own, and a refund without a line is one of the whole order or, with a vendor_id, of
           that vendor's part: what the JSON API takes and files do not, shared out here as docs/figures.md says
  QUERIES  JSON list of {"vendor": "69", "from": "2017-03-01", "to": "2017-03-31", "compare": "previous_period", "interval": "day"};
           - reads it from standard input
"""

import calendar
import json
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb

# ISO 4217's minor units, where they are not 2.
DECIMALS = {code: 0 for code in "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()}
DECIMALS |= {code: 3 for code in "BHD IQD JOD KWD LYD OMR TND".split()}

UNCOUNTED = "('pending', 'failed', 'cancelled')"
DEFAULT_THRESHOLD = 5
TOP = 10
LOW_STOCK_SHOWN = 10
COVER_DAYS = 28
SHORT_COVER_DAYS = 7


def main(bundle, queries):
    queries = json.load(sys.stdin) if queries == "-" else json.loads(queries)
    db = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    db.execute("SET TimeZone = 'UTC'")
    load(db, Path(bundle))
    json.dump([answer(db, query) for query in queries], sys.stdout)


def load(db, bundle):
    """Reads the CSV files as texts, then gives every column the type it is worked with; amounts in minor units."""
    for table in ["vendors", "products", "orders", "order_items", "refunds"]:
        files = [path for path in [bundle / f"{table}.csv", bundle / f"{table}.csv.gz"] if path.exists()]
        if files:
            db.execute(f"CREATE TABLE raw_{table} AS SELECT * FROM read_csv(?, header = true, all_varchar = true, quote = '\"', escape = '\"')", [str(files[0])])
        elif table == "refunds":
            db.execute("CREATE TABLE raw_refunds (order_id VARCHAR, line VARCHAR, quantity VARCHAR, amount VARCHAR, refunded_at VARCHAR)")
        else:
            sys.exit(f"crosscheck.py: {bundle} has neither {table}.csv nor {table}.csv.gz")
    for table, column in [("vendors", "commission_bps"), ("vendors", "low_stock_threshold"), ("orders", "discount"), ("refunds", "vendor_id")]:
        db.execute(f"ALTER TABLE raw_{table} ADD COLUMN IF NOT EXISTS {column} VARCHAR")
    db.execute(f"""
        CREATE TABLE vendors AS
        SELECT vendor_id, name, time_zone, currency, COALESCE(CAST(NULLIF(commission_bps, '') AS BIGINT), 0) AS commission_bps,
               COALESCE(CAST(NULLIF(low_stock_threshold, '') AS BIGINT), {DEFAULT_THRESHOLD}) AS threshold, 100 AS minor_units
        FROM raw_vendors""")
    for code, decimals in DECIMALS.items():
        db.execute("UPDATE vendors SET minor_units = ? WHERE currency = ?", [10 ** decimals, code])
    db.execute("CREATE TABLE orders AS SELECT order_id, customer_id, CAST(placed_at AS TIMESTAMPTZ) AS placed_at, status FROM raw_orders")
    load_lines(db)
    load_refunds(db)


def load_lines(db):
    """What each line was sold for, its share of the order's discount among its discounts, and the commission on what is left."""
    db.execute("""
        CREATE TABLE priced AS
        SELECT i.order_id, CAST(i.line AS BIGINT) AS line, p.vendor_id, i.product_id, p.category, CAST(i.quantity AS BIGINT) AS quantity,
               CAST(CAST(i.gross AS DECIMAL(18, 3)) * v.minor_units AS BIGINT) AS gross,
               CAST(CAST(i.discount AS DECIMAL(18, 3)) * v.minor_units AS BIGINT) AS discount, v.minor_units, v.commission_bps
        FROM raw_order_items i JOIN raw_products p USING (product_id) JOIN vendors v USING (vendor_id)""")
    shares = shared_out("""
        SELECT p.order_id AS whole, p.line, CAST(p.gross - p.discount AS HUGEINT) AS weight,
               CAST(CAST(o.discount AS DECIMAL(18, 3)) * p.minor_units AS HUGEINT) AS amount
        FROM priced p JOIN raw_orders o USING (order_id) WHERE CAST(NULLIF(o.discount, '') AS DECIMAL(18, 3)) > 0""")
    db.execute(f"""
        CREATE TABLE lines AS
        SELECT *, (2 * CAST(net AS HUGEINT) * commission_bps + 10000) // 20000 AS commission FROM (
            SELECT p.* EXCLUDE (discount), p.discount + COALESCE(s.share, 0) AS discount, p.gross - p.discount - COALESCE(s.share, 0) AS net
            FROM priced p LEFT JOIN ({shares}) s ON s.whole = p.order_id AND s.line = p.line)""")


def shared_out(parts):
    """SQL for the shares of `amount` over the lines of each `whole`: in proportion to `weight` and rounded down; what is left over goes
    to the heaviest line, then the one with the lowest number, and on to the next where a line has no room for all of it."""
    return f"""
        SELECT whole, line, low + LEAST(weight - low, GREATEST(remainder - room_before, 0)) AS share FROM (
            SELECT whole, line, weight, low, amount - SUM(low) OVER (PARTITION BY whole) AS remainder,
                   COALESCE(SUM(weight - low) OVER (PARTITION BY whole ORDER BY weight DESC, line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS room_before
            FROM (SELECT *, COALESCE(amount * weight // NULLIF(SUM(weight) OVER (PARTITION BY whole), 0), 0) AS low FROM ({parts})))"""


def load_refunds(db):
    """One refund of each order after the other, for what a later one is shared out over is what the earlier ones have left. Then the
    commission each gives back: what all refunds of the line up to it come to, less what those before it gave back."""
    db.execute("""
        CREATE TABLE wanted AS
        SELECT order_id, CAST(NULLIF(line, '') AS BIGINT) AS line, NULLIF(vendor_id, '') AS vendor_id, CAST(quantity AS BIGINT) AS quantity,
               CAST(amount AS DECIMAL(18, 3)) AS amount, CAST(refunded_at AS TIMESTAMPTZ) AS refunded_at,
               DENSE_RANK() OVER (PARTITION BY order_id ORDER BY CAST(refunded_at AS TIMESTAMPTZ)) AS turn
        FROM raw_refunds""")
    db.execute("CREATE TABLE given (order_id VARCHAR, line BIGINT, quantity BIGINT, amount BIGINT, refunded_at TIMESTAMPTZ)")
    for turn in range(1, (db.execute("SELECT MAX(turn) FROM wanted").fetchone()[0] or 0) + 1):
        shares = shared_out(f"""
            SELECT w.order_id AS whole, l.line, CAST(l.net - COALESCE(g.amount, 0) AS HUGEINT) AS weight, CAST(w.amount * l.minor_units AS HUGEINT) AS amount
            FROM wanted w JOIN lines l ON l.order_id = w.order_id AND (w.vendor_id IS NULL OR w.vendor_id = l.vendor_id)
            LEFT JOIN (SELECT order_id, line, SUM(amount) AS amount FROM given GROUP BY ALL) g ON g.order_id = l.order_id AND g.line = l.line
            WHERE w.turn = {turn} AND w.line IS NULL""")
        db.execute(f"""
            INSERT INTO given
            SELECT w.order_id, w.line, w.quantity, CAST(w.amount * l.minor_units AS BIGINT), w.refunded_at
            FROM wanted w JOIN lines l USING (order_id, line) WHERE w.turn = {turn}
            UNION ALL
            SELECT w.order_id, s.line, 0, s.share, w.refunded_at
            FROM ({shares}) s JOIN wanted w ON w.order_id = s.whole AND w.turn = {turn} AND w.line IS NULL WHERE s.share > 0""")
    db.execute("""
        CREATE TABLE refunds AS
        SELECT *, upto - COALESCE(LAG(upto) OVER (PARTITION BY order_id, line ORDER BY refunded_at), 0) AS commission FROM (
            SELECT order_id, line, l.vendor_id, l.product_id, l.category, g.quantity, g.amount, g.refunded_at,
                   COALESCE((2 * l.commission * SUM(g.amount) OVER (PARTITION BY order_id, line ORDER BY g.refunded_at) + l.net) // NULLIF(2 * l.net, 0), 0) AS upto
            FROM given g JOIN lines l USING (order_id, line))""")


def answer(db, query):
    vendor = query["vendor"]
    name, zone, currency = db.execute("SELECT name, time_zone, currency FROM vendors WHERE vendor_id = ?", [vendor]).fetchone()
    sales = local_sales(db, vendor, zone)
    range_, interval = (day(query["from"]), day(query["to"])), query["interval"]
    previous = compared(range_, query["compare"])
    low = low_stock(db, sales, vendor, zone)
    return {
        "vendorId": vendor,
        "vendorName": name,
        "currency": currency,
        "timeZone": zone,
        "range": shown(range_) | {"interval": interval},
        "comparison": shown(previous) | {"kind": query["compare"]} if previous else None,
        "totals": totals(db, sales, range_),
        "previousTotals": totals(db, sales, previous) if previous else None,
        "series": series(db, sales, range_, interval, zone),
        "previousSeries": series(db, sales, previous, interval, zone, beside=None if by_calendar(query, range_) else range_) if previous else None,
        "ordersByStatus": statuses(db, vendor, zone, range_),
        "topProducts": top(db, sales, range_, "product_id", "productId"),
        "topCategories": top(db, sales, range_, "category", "category"),
        "lowStock": low[:LOW_STOCK_SHOWN],
        "lowStockTotal": len(low),
    }


def local_sales(db, vendor, zone):
    """One row for each counted line and refund of a vendor, at the vendor's wall clock; made once. Returns the table's name."""
    sales = f'"sales of {vendor}"'
    db.execute(f"""
        CREATE TEMP TABLE IF NOT EXISTS {sales} AS
        SELECT timezone($zone, moment) AS wall, * FROM (
            SELECT o.placed_at AS moment, o.order_id, o.customer_id, l.product_id, l.category, l.quantity AS units,
                   l.gross, l.discount AS discounts, 0 AS returns, l.commission
            FROM lines l JOIN orders o USING (order_id) WHERE l.vendor_id = $vendor AND o.status NOT IN {UNCOUNTED}
            UNION ALL
            SELECT r.refunded_at, NULL, NULL, r.product_id, r.category, -r.quantity, 0, 0, r.amount, -r.commission
            FROM refunds r JOIN orders o USING (order_id) WHERE r.vendor_id = $vendor AND o.status NOT IN {UNCOUNTED})""",
        {"zone": zone, "vendor": vendor})
    return sales


SUMS = """COALESCE(CAST(SUM(gross) AS BIGINT), 0), COALESCE(CAST(SUM(discounts) AS BIGINT), 0), COALESCE(CAST(SUM(returns) AS BIGINT), 0),
          COUNT(DISTINCT order_id), COALESCE(CAST(SUM(units) AS BIGINT), 0)"""


def totals(db, sales, range_):
    commission = "COALESCE(CAST(SUM(commission) AS BIGINT), 0)"
    gross, discounts, returns, orders, units, commission = db.execute(
        f"SELECT {SUMS}, {commission} FROM {sales} WHERE CAST(wall AS DATE) BETWEEN ? AND ?", range_).fetchone()
    customers, new = db.execute(f"""
        SELECT COUNT(*) FILTER (ordered), COUNT(*) FILTER (first BETWEEN $1 AND $2) FROM (
            SELECT customer_id, MIN(CAST(wall AS DATE)) AS first, BOOL_OR(CAST(wall AS DATE) BETWEEN $1 AND $2) AS ordered
            FROM {sales} WHERE customer_id IS NOT NULL GROUP BY customer_id)""", range_).fetchone()
    net = gross - discounts - returns
    return {
        "grossSales": gross, "discounts": discounts, "returns": returns, "netSales": net,
        "commission": commission, "payable": net - commission,
        "orders": orders, "units": units, "averageOrderValue": rounded(net, orders),
        "customers": customers, "newCustomers": new, "returningCustomers": customers - new,
    }


def rounded(amount, by):
    """Half away from zero, in integers."""
    if by == 0:
        return None
    quotient = (2 * abs(amount) + by) // (2 * by)
    return quotient if amount >= 0 else -quotient


def series(db, sales, range_, interval, zone, beside=None):
    """Of a range, or of one that is cut as the days `beside` it are: each of its days goes where the day goes that is as
    far from the first."""
    if interval == "hour":
        # Every local hour of the days, found by looking at every minute from well before to well after them: minutes of
        # one hour on the clock under one offset. The first of them is when it began.
        frame = f"""
            SELECT {HOUR}, MIN(moment) AS bucket FROM (
                SELECT moment, timezone($zone, moment) AS wall
                FROM generate_series(CAST($from AS TIMESTAMPTZ) - INTERVAL 2 DAY, CAST($to AS TIMESTAMPTZ) + INTERVAL 3 DAY, INTERVAL 1 MINUTE) AS minutes (moment))
            WHERE CAST(wall AS DATE) BETWEEN $from AND $to GROUP BY hour, shift"""
        key, columns, label = "hour, shift", HOUR, "strftime(bucket, '%Y-%m-%dT%H:%M:%SZ')"
    else:
        bucket = f"GREATEST(CAST(date_trunc('{interval}', wall) AS DATE), $from)"
        if beside:
            first, last = (f"CAST('{of}' AS DATE)" for of in beside)
            away = (beside[0] - range_[0]).days
            length, step = (beside[1] - beside[0]).days + 1, {"day": 1, "week": 7, "month": 31}[interval]
            own = f"(CAST(wall AS DATE) + {away})"
            bucket = f"""(CASE WHEN {own} <= {last} THEN GREATEST(CAST(date_trunc('{interval}', {own}) AS DATE), {first}) - {away}
                ELSE CAST($from AS DATE) + CAST({length} + ({own} - {last} - 1) // {step} * {step} AS INTEGER) END)"""
        frame = f"SELECT DISTINCT {bucket} AS bucket FROM (SELECT day AS wall FROM generate_series(CAST($from AS TIMESTAMP), CAST($to AS TIMESTAMP), INTERVAL 1 DAY) AS days (day))"
        key, columns, label = "bucket", f"{bucket} AS bucket", "strftime(bucket, '%Y-%m-%d')"
    parameters = {"from": range_[0], "to": range_[1]} | ({"zone": zone} if interval == "hour" else {})
    rows = db.execute(f"""
        WITH frame AS ({frame}),
        sold AS (SELECT {columns}, * FROM {sales} WHERE CAST(wall AS DATE) BETWEEN $from AND $to)
        SELECT {label}, {SUMS}, COALESCE(CAST(SUM(commission) AS BIGINT), 0), COUNT(DISTINCT customer_id) FROM frame LEFT JOIN sold USING ({key}) GROUP BY bucket ORDER BY bucket""", parameters).fetchall()
    return [
        {"start": start, "grossSales": gross, "discounts": discounts, "returns": returns, "netSales": gross - discounts - returns,
         "payable": gross - discounts - returns - commission, "orders": orders, "units": units}
        # They do not add up, and are not told by hour.
        | ({} if interval == "hour" else {"customers": customers})
        for start, gross, discounts, returns, orders, units, commission, customers in rows
    ]


# What the wall clock's hour was, and how far the clock was from UTC.
HOUR = "date_trunc('hour', wall) AS hour, wall - timezone('UTC', moment) AS shift"


def statuses(db, vendor, zone, range_):
    rows = db.execute("""
        SELECT status, COUNT(*) FROM orders
        WHERE order_id IN (SELECT order_id FROM lines WHERE vendor_id = $vendor) AND CAST(timezone($zone, placed_at) AS DATE) BETWEEN $from AND $to
        GROUP BY status ORDER BY 2 DESC, 1""", {"vendor": vendor, "zone": zone, "from": range_[0], "to": range_[1]}).fetchall()
    return [{"status": status, "orders": orders} for status, orders in rows]


def top(db, sales, range_, column, name):
    rows = db.execute(f"""
        SELECT {column}, CAST(SUM(units) AS BIGINT), CAST(SUM(gross - discounts - returns) AS BIGINT) FROM {sales}
        WHERE CAST(wall AS DATE) BETWEEN ? AND ? GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT {TOP}""", range_).fetchall()
    found = [{name: key, "units": units, "netSales": net} for key, units, net in rows]
    if column == "product_id":
        for product in found:
            product["name"] = db.execute("SELECT name FROM raw_products WHERE product_id = ?", [product["productId"]]).fetchone()[0]
    return found


def low_stock(db, sales, vendor, zone):
    """What is at or below its threshold, or sells out within a week; least cover first, what does not sell last."""
    rows = db.execute(f"""
        WITH sold AS (
            SELECT product_id, CAST(SUM(units) AS BIGINT) AS units FROM {sales}
            WHERE CAST(wall AS DATE) > CAST(timezone($zone, now()) AS DATE) - {COVER_DAYS} AND CAST(wall AS DATE) <= CAST(timezone($zone, now()) AS DATE)
            GROUP BY product_id HAVING SUM(units) > 0)
        SELECT p.product_id, p.name, CAST(p.stock AS BIGINT) AS stock, v.threshold, s.units
        FROM raw_products p JOIN vendors v USING (vendor_id) LEFT JOIN sold s USING (product_id)
        WHERE p.vendor_id = $vendor AND p.status = 'active'""", {"vendor": vendor, "zone": zone}).fetchall()
    low = [
        {
            "productId": id, "name": name, "stock": stock, "threshold": threshold,
            "daysOfCover": rounded(10 * COVER_DAYS * stock, units) / 10 if units else None,
        }
        for id, name, stock, threshold, units in rows if stock <= threshold or (units and stock <= units / COVER_DAYS * SHORT_COVER_DAYS)
    ]
    return sorted(low, key=lambda one: (float("inf") if one["daysOfCover"] is None else one["daysOfCover"], one["productId"]))


def compared(range_, kind):
    """The range that this one is compared with."""
    first, last = range_
    if kind == "none":
        return None
    if kind == "previous_weeks":
        weeks = timedelta(days=((last - first).days + 7) // 7 * 7)
        return first - weeks, last - weeks
    if kind == "previous_year":
        return earlier_year(first), earlier_year(last)
    before = first - timedelta(days=1)
    if first.day == 1 and last.day == calendar.monthrange(last.year, last.month)[1]:
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        index = first.year * 12 + first.month - 1 - months
        return date(index // 12, index % 12 + 1, 1), before
    return first - (last - first) - timedelta(days=1), before


def by_calendar(query, range_):
    """Whether months of the comparison are those of the calendar."""
    first, last = range_
    whole = first.day == 1 and last.day == calendar.monthrange(last.year, last.month)[1]
    return query["interval"] == "month" and (query["compare"] == "previous_year" or (query["compare"] == "previous_period" and whole))


def earlier_year(of):
    return of.replace(year=of.year - 1, day=28) if (of.month, of.day) == (2, 29) else of.replace(year=of.year - 1)


def shown(range_):
    return {"from": range_[0].isoformat(), "to": range_[1].isoformat(), "days": (range_[1] - range_[0]).days + 1}


def day(text):
    return date.fromisoformat(text)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
