//! The sums that the dashboard reads. A write takes the contribution of the orders it touches out of them, changes the
//! raw rows, and puts the new contribution in, all in one transaction: `retract`, write, `add`. What a write costs
//! follows the size of the orders it touches, and of what is kept as one value of a day: some six bytes for each product
//! that its vendor sold on that day, two for each customer.

use super::{Arguments, DbError, Tx, customer_days, product_days, sql};

/// Which vendors' parts of orders a write touches.
pub enum Touched<'a> {
    /// `(vendor_id, order_id)` pairs, a few: they are named in the statements.
    Orders(&'a [(i64, i64)]),
    /// Every pair in this table, which has columns `vendor_id` and `order_id`, each pair once.
    Table(&'static str),
}

/// Statuses whose orders are no sales; `OrderStatus::is_counted` says the same.
pub const COUNTED: &str = "o.status NOT IN ('pending', 'cancelled', 'failed')";

/// The same of a part of an order that a statement calls by another name.
pub fn counted(alias: &str) -> String {
    COUNTED.replace("o.", &format!("{alias}."))
}

/// Takes the contribution of these orders, as they stand now, out of the sums. Call before changing them; orders that
/// are not there yet have none.
pub async fn retract(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    let orders = SomeOrders::of(touched);
    for statement in contributions("-1", Sums::SomeThere) {
        tx.execute(orders.query(&statement)).await?;
    }
    product_days::retract(tx, touched).await?;
    customer_days::retract(tx, touched).await
}

/// Puts the contribution of these orders, as they stand now, into the sums, and works the first orders of their
/// customers out again. Call after changing them.
pub async fn add(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    // Worth a look where it may be a whole marketplace that comes in.
    let sums = match touched {
        Touched::Table(_) if are_none_there(tx).await? => Sums::NoneThere,
        _ => Sums::SomeThere,
    };
    let orders = SomeOrders::of(touched);
    for statement in contributions("1", sums).into_iter().chain(first_orders()) {
        tx.execute(orders.query(&statement)).await?;
    }
    product_days::add(tx, touched).await?;
    customer_days::add(tx, touched).await
}

/// Whether the sums of the touched orders meet others, in the tables that they go to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sums {
    /// Plain rows: PostgreSQL takes half as long for them as for those that may be there.
    NoneThere,
    SomeThere,
}

/// Every order is counted by its status, whatever else comes of it: where none is, there are no sums.
async fn are_none_there(tx: &mut Tx) -> Result<bool, DbError> {
    Ok(tx.row(sql("SELECT 1 FROM status_days LIMIT 1")).await?.is_none())
}

/// A `SELECT vendor_id, order_id` with its parameters.
pub(super) struct SomeOrders {
    pub select: String,
    pub parameters: Vec<i64>,
}

impl SomeOrders {
    pub fn of(touched: &Touched<'_>) -> Self {
        match touched {
            Touched::Orders(pairs) => {
                let places: Vec<_> = (0..pairs.len()).map(|i| format!("(${}, ${})", 2 * i + 1, 2 * i + 2)).collect();
                Self {
                    select: format!("VALUES {}", places.join(", ")),
                    parameters: pairs.iter().flat_map(|(vendor, order)| [*vendor, *order]).collect(),
                }
            }
            Touched::Table(name) => {
                Self { select: format!("SELECT vendor_id, order_id FROM {name}"), parameters: Vec::new() }
            }
        }
    }

    /// A statement over these orders, which it calls `touched`, and their vendors' customers, `pairs`.
    pub fn query(&self, statement: &str) -> Arguments<'static> {
        self.bind(self.text(statement))
    }

    pub fn bind(&self, text: String) -> Arguments<'static> {
        self.parameters.iter().fold(sql(text), |query, parameter| query.bind(*parameter))
    }

    fn text(&self, statement: &str) -> String {
        format!(
            "WITH touched (vendor_id, order_id) AS ({}), \
             pairs AS (SELECT DISTINCT o.vendor_id, o.customer_id FROM {ORDERS}) \
             {statement}",
            self.select
        )
    }
}

/// The statements that look orders up, without running them: for whoever wants to know how a database goes about them.
pub fn statements(touched: &Touched<'_>) -> Vec<String> {
    let orders = SomeOrders::of(touched);
    let sums = contributions("1", Sums::SomeThere).into_iter().chain(first_orders());
    let sums = sums.map(|statement| orders.text(&statement));
    let days = [
        product_days::touched_days(&orders),
        customer_days::added(&orders),
        customer_days::retracted(&orders, touched),
    ];
    sums.chain(days).collect()
}

// SQLite, which knows nothing of how many rows there are, would as soon go through all orders there ever were and look
// for each among those touched. It takes the tables of a CROSS JOIN in the order they are written in; PostgreSQL in the
// order it likes.
pub(super) const ORDERS: &str =
    "touched t CROSS JOIN vendor_orders o WHERE o.vendor_id = t.vendor_id AND o.order_id = t.order_id";
const LINES: &str = "touched t CROSS JOIN vendor_orders o CROSS JOIN order_lines l \
                     WHERE o.vendor_id = t.vendor_id AND o.order_id = t.order_id AND l.order_id = o.order_id \
                     AND l.vendor_id = o.vendor_id";
// The sign keeps SQLite from going through all refunds of the vendor for each order, by the index of their times.
const REFUNDS: &str = "touched t CROSS JOIN vendor_orders o CROSS JOIN refunds r \
                       WHERE o.vendor_id = t.vendor_id AND o.order_id = t.order_id AND r.order_id = o.order_id \
                       AND +r.vendor_id = o.vendor_id";
const REFUNDED_LINES: &str = "touched t CROSS JOIN vendor_orders o CROSS JOIN refunds r CROSS JOIN order_lines l \
     WHERE o.vendor_id = t.vendor_id AND o.order_id = t.order_id AND r.order_id = o.order_id \
     AND +r.vendor_id = o.vendor_id \
     AND l.order_id = r.order_id AND l.line = r.line";
/// What the touched orders' lines and refunds say of products, one row each: `vendor_id`, `day`, `product_id`, `units`,
/// `net` and `entries`, which is 1. They stand one below the other and are not joined: neither multiplies the other.
pub(super) fn product_entries() -> String {
    format!(
        "SELECT o.vendor_id, o.day, l.product_id, l.quantity AS units, l.gross - l.discount AS net, 1 AS entries \
         FROM {LINES} AND {COUNTED} \
         UNION ALL \
         SELECT r.vendor_id, r.day, l.product_id, -r.quantity, -r.amount, 1 FROM {REFUNDED_LINES} AND {COUNTED}"
    )
}

/// Statements that add `sign` times the contribution of the touched orders to every sum but that of new customers.
/// Lines and refunds are summed each by themselves before they meet, so that neither multiplies the other. Rows are
/// written in the order of their key: of a whole marketplace, each would otherwise go to another page of its index.
fn contributions(sign: &str, sums: Sums) -> [String; 4] {
    let to_those_there = |table: &str, key: &str, values: &[&str]| match sums {
        Sums::NoneThere => String::new(),
        Sums::SomeThere => {
            let added = values.iter().map(|value| format!("{value} = {table}.{value} + excluded.{value}"));
            format!("ON CONFLICT ({key}) DO UPDATE SET {}", added.collect::<Vec<_>>().join(", "))
        }
    };
    // Sales by day and by hour differ in the name of the bucket alone.
    let sales = |table: &str, bucket: &str, extra_column: &str, extra_value: &str| {
        let of =
            |alias: &str| bucket.split(", ").map(|column| format!("{alias}.{column}")).collect::<Vec<_>>().join(", ");
        let (of_order, of_refund) = (of("o"), of("r"));
        format!(
            "INSERT INTO {table} (vendor_id, {bucket}, gross, discounts, returns, commission, orders, \
             units{extra_column}) \
             SELECT vendor_id, {bucket}, {sign} * SUM(gross), {sign} * SUM(discounts), {sign} * SUM(returns), {sign} \
             * SUM(commission), \
                    {sign} * SUM(orders), {sign} * SUM(units){extra_value} \
             FROM (SELECT o.vendor_id, {of_order}, SUM(l.gross) AS gross, SUM(l.discount) AS discounts, 0 AS returns, \
                          SUM(l.commission) AS commission, COUNT(DISTINCT o.order_id) AS orders, SUM(l.quantity) AS \
                          units \
                   FROM {LINES} AND {COUNTED} GROUP BY o.vendor_id, {of_order} \
                   UNION ALL \
                   SELECT r.vendor_id, {of_refund}, 0, 0, SUM(r.amount), -SUM(r.commission), 0, -SUM(r.quantity) \
                   FROM {REFUNDS} AND {COUNTED} GROUP BY r.vendor_id, {of_refund}) AS sums \
             GROUP BY vendor_id, {bucket} ORDER BY vendor_id, {bucket} {}",
            to_those_there(
                table,
                &format!("vendor_id, {bucket}"),
                &["gross", "discounts", "returns", "commission", "orders", "units"]
            )
        )
    };
    [
        sales("sales_days", "day", ", new_customers", ", 0"),
        sales(HOURS, "day, hour_us", "", ""),
        format!(
            "INSERT INTO status_days (vendor_id, day, status, orders) \
             SELECT o.vendor_id, o.day, o.status, {sign} * COUNT(*) FROM {ORDERS} \
             GROUP BY o.vendor_id, o.day, o.status ORDER BY 1, 2, 3 {}",
            to_those_there("status_days", "vendor_id, day, status", &["orders"]),
        ),
        format!(
            "INSERT INTO product_sales (vendor_id, day, product_id, units, net, entries) \
             SELECT vendor_id, day, product_id, {sign} * SUM(units), {sign} * SUM(net), {sign} * SUM(entries) \
             FROM ({}) AS entries \
             GROUP BY vendor_id, day, product_id ORDER BY vendor_id, day, product_id {}",
            product_entries(),
            to_those_there("product_sales", "vendor_id, day, product_id", &["units", "net", "entries"]),
        ),
    ]
}

/// Statements that work out again, for every customer of a touched order, the day of its first counted order with the
/// vendor, and how many customers are new on each day.
fn first_orders() -> [String; 4] {
    let count_new = |sign: &str| {
        format!(
            "INSERT INTO sales_days (vendor_id, day, gross, discounts, returns, commission, orders, units, \
             new_customers) \
             SELECT f.vendor_id, f.day, 0, 0, 0, 0, 0, 0, {sign} * COUNT(*) \
             FROM pairs p CROSS JOIN first_orders f WHERE f.vendor_id = p.vendor_id AND f.customer_id = p.customer_id \
             GROUP BY f.vendor_id, f.day \
             ON CONFLICT (vendor_id, day) DO UPDATE SET new_customers = sales_days.new_customers + \
             excluded.new_customers"
        )
    };
    [
        count_new("-1"),
        "DELETE FROM first_orders WHERE (vendor_id, customer_id) IN (SELECT vendor_id, customer_id FROM pairs)"
            .to_owned(),
        format!(
            "INSERT INTO first_orders (vendor_id, customer_id, day) \
             SELECT o.vendor_id, o.customer_id, MIN(o.day) \
             FROM pairs p CROSS JOIN vendor_orders o WHERE o.vendor_id = p.vendor_id AND o.customer_id = p.customer_id \
             AND {COUNTED} GROUP BY o.vendor_id, o.customer_id ORDER BY o.vendor_id, o.customer_id"
        ),
        count_new("1"),
    ]
}

/// Every table of sums, with its key, its values, and which of its values make a row worth having.
const TABLES: [(&str, &str, &[&str]); 7] = [
    (
        "sales_days",
        "vendor_id, day",
        &["gross", "discounts", "returns", "commission", "orders", "units", "new_customers"],
    ),
    (HOURS, "vendor_id, day, hour_us", &["gross", "discounts", "returns", "commission", "orders", "units"]),
    ("status_days", "vendor_id, day, status", &["orders"]),
    ("product_sales", "vendor_id, day, product_id", &["units", "net", "entries"]),
    (PRODUCTS, "vendor_id, day", &["products"]),
    (CUSTOMERS, "vendor_id, day", &["customers"]),
    ("first_orders", "vendor_id, customer_id", &["day"]),
];

const HOURS: &str = "sales_hours";
const PRODUCTS: &str = "product_days";
const CUSTOMERS: &str = "customer_days";

/// Works the sums by hour out again, as `rebuild` does all of them.
pub(super) async fn rebuild_hours(tx: &mut Tx) -> Result<(), DbError> {
    tx.execute(sql(format!("DELETE FROM {HOURS}"))).await?;
    let [_, hours, ..] = contributions("1", Sums::NoneThere);
    tx.execute(SomeOrders::of(&Touched::Table("vendor_orders")).query(&hours)).await?;
    Ok(())
}

/// Works out who bought on which day, in a table that is empty.
pub(super) async fn fill_customers(tx: &mut Tx) -> Result<(), DbError> {
    lock_vendors(tx).await?;
    customer_days::add(tx, &Touched::Table("vendor_orders")).await
}

/// Works out what sold on which day.
pub(super) async fn fill_products(tx: &mut Tx) -> Result<(), DbError> {
    lock_vendors(tx).await?;
    tx.execute(sql(format!("DELETE FROM {PRODUCTS}"))).await?;
    product_days::add(tx, &Touched::Table("vendor_orders")).await
}

/// Works every sum out again from the raw rows. Readers see the old sums until the transaction ends; writers wait for
/// it.
pub async fn rebuild(tx: &mut Tx) -> Result<(), DbError> {
    lock_vendors(tx).await?;
    for (table, _, _) in TABLES {
        tx.execute(sql(format!("DELETE FROM {table}"))).await?;
    }
    add(tx, &Touched::Table("vendor_orders")).await
}

/// Sums and orders change under their vendor's lock alone.
async fn lock_vendors(tx: &mut Tx) -> Result<(), DbError> {
    let text = format!("SELECT id FROM vendors ORDER BY id{}", tx.dialect.for_update());
    tx.rows(sql(text)).await?;
    Ok(())
}

/// How many rows of a table of sums differ from what the raw rows give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub table: &'static str,
    pub rows: i64,
}

/// Compares every sum with the raw rows, by rebuilding them. Drop the transaction afterwards to leave them as they
/// were, or commit it to have them mended.
pub async fn verify(tx: &mut Tx) -> Result<Vec<Difference>, DbError> {
    lock_vendors(tx).await?;
    for (table, _, _) in TABLES {
        tx.execute(sql(format!(
            "CREATE TEMP TABLE stored_{table}{} AS SELECT * FROM {table}",
            tx.dialect.temp_table_end()
        )))
        .await?;
    }
    rebuild(tx).await?;
    let mut differences = Vec::new();
    for (table, key, values) in TABLES {
        let some = match table {
            PRODUCTS | CUSTOMERS => "1 = 1".to_owned(),
            _ => values.iter().map(|value| format!("{value} <> 0")).collect::<Vec<_>>().join(" OR "),
        };
        let rows = |table: &str| format!("SELECT {key}, {} FROM {table} WHERE {some}", values.join(", "));
        let (stored, right) = (rows(&format!("stored_{table}")), rows(table));
        let text = format!(
            "SELECT COUNT(*) AS differing FROM (SELECT DISTINCT {key} FROM (\
                 SELECT * FROM ({stored} EXCEPT {right}) AS missing UNION ALL SELECT * \
                 FROM ({right} EXCEPT {stored}) AS extra) AS differing) AS keys"
        );
        if let Some(row) = tx.row(sql(text)).await? {
            let rows = super::rows::int(&row, "differing")?;
            if rows > 0 {
                differences.push(Difference { table, rows });
            }
        }
        tx.execute(sql(format!("DROP TABLE stored_{table}"))).await?;
    }
    Ok(differences)
}
