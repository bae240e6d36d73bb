// One vendor's figures out of the sales themselves: seven questions, as many at a time as the pool gives connections.

const MICROSECONDS_A_DAY = 86_400_000_000n;
const counted = "o.status NOT IN ('pending', 'failed', 'cancelled')";
const sales = `
    FROM vendor_orders o JOIN order_lines l ON l.vendor_id = o.vendor_id AND l.order_id = o.order_id
    WHERE o.vendor_id = $1 AND o.day BETWEEN $2 AND $3 AND ${counted}`;

const dayNumber = (day) => Number((BigInt(Date.parse(`${day}T00:00:00Z`)) * 1000n) / MICROSECONDS_A_DAY);
const dayText = (number) => new Date(number * 86_400_000).toISOString().slice(0, 10);

export async function loadSnapshot(database, vendorId, from, to) {
    const vendors = await database.query('SELECT id, name, currency, time_zone FROM vendors WHERE external_id = $1', [vendorId]);
    const vendor = vendors.rows[0];
    if (vendor === undefined) return null;
    const [first, last] = [dayNumber(from), dayNumber(to)];
    const days = last - first + 1;
    const range = [vendor.id, first, last];
    const before = [vendor.id, first - days, first - 1];
    const totals = `
        SELECT COALESCE(SUM(l.gross), 0)::float8 AS gross, COALESCE(SUM(l.discount), 0)::float8 AS discounts,
               COUNT(DISTINCT o.order_id)::int AS orders, COALESCE(SUM(l.quantity), 0)::int AS units,
               COUNT(DISTINCT o.customer_id)::int AS customers ${sales}`;
    const byDay = `
        SELECT o.day::int AS day, SUM(l.gross)::float8 AS gross, SUM(l.discount)::float8 AS discounts,
               COUNT(DISTINCT o.order_id)::int AS orders, SUM(l.quantity)::int AS units ${sales} GROUP BY o.day`;
    const [now, previous, series, previousSeries, statuses, products, lowStock] = await Promise.all([
        database.query(totals, range),
        database.query(totals, before),
        database.query(byDay, range),
        database.query(byDay, before),
        database.query(
            'SELECT status, COUNT(*)::int AS orders FROM vendor_orders WHERE vendor_id = $1 AND day BETWEEN $2 AND $3 GROUP BY status',
            range,
        ),
        database.query(
            `SELECT p.external_id AS "productId", p.name, t.units::int, t.net::float8 AS "netSales"
             FROM (SELECT l.product_id, SUM(l.quantity) AS units, SUM(l.gross - l.discount) AS net ${sales} GROUP BY l.product_id) t
             JOIN products p ON p.id = t.product_id ORDER BY t.net DESC, p.external_id LIMIT 10`,
            range,
        ),
        database.query(
            `SELECT external_id AS "productId", name, stock::int FROM products
             WHERE vendor_id = $1 AND status = 'active' AND stock <= 5 ORDER BY stock, external_id LIMIT 10`,
            [vendor.id],
        ),
    ]);
    return {
        vendorId,
        vendorName: vendor.name,
        currency: vendor.currency,
        timeZone: vendor.time_zone,
        range: { from, to, days, interval: 'day' },
        comparison: { kind: 'previous_period', from: dayText(first - days), to: dayText(first - 1), days },
        totals: summed(now.rows[0]),
        previousTotals: summed(previous.rows[0]),
        series: filled(series.rows, first, days),
        previousSeries: filled(previousSeries.rows, first - days, days),
        ordersByStatus: statuses.rows,
        topProducts: products.rows,
        lowStock: lowStock.rows,
        computedAt: new Date().toISOString(),
    };
}

function summed({ gross, discounts, orders, units, customers }) {
    const net = gross - discounts;
    return {
        grossSales: gross,
        discounts,
        netSales: net,
        orders,
        units,
        averageOrderValue: orders === 0 ? null : Math.round(net / orders),
        customers,
    };
}

/** One point a day, days without sales among them. */
function filled(rows, first, days) {
    const found = new Map(rows.map((row) => [row.day, row]));
    return Array.from({ length: days }, (_, place) => {
        const { gross = 0, discounts = 0, orders = 0, units = 0 } = found.get(first + place) ?? {};
        return { start: dayText(first + place), grossSales: gross, discounts, netSales: gross - discounts, orders, units };
    });
}
