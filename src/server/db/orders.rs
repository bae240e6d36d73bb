//! Orders, one vendor's part at a time.

use std::collections::HashMap;

use super::{Arguments, DbError, Parameters, Tx, moment::Moment, refunds, rows, search, sql};
use crate::domain::{
    orders::{MOST_SUMMED, Order, OrderColumn, OrderLine, OrderQuery, OrderStatus, OrderSummary, OrderSums},
    period::day_number,
    position::{Position, SortValue},
};

const DAY_US: i64 = 86_400_000_000;

/// At most `limit` orders behind `query.after`, as `query.sort` has them, and those of one value by their ids. Each with
/// its place in the list.
pub async fn list_orders(
    tx: &mut Tx,
    vendor_id: i64,
    query: &OrderQuery,
    limit: i64,
) -> Result<Vec<(OrderSummary, Position)>, DbError> {
    let (column, amounts) = (query.sort.column(), amounts());
    let mut parameters = Parameters::default();
    let mut conditions = conditions(&mut parameters, vendor_id, query);
    let (to, beyond) = if query.sort.is_descending() { (" DESC", '<') } else { ("", '>') };
    let mut behind = |value: &str, id: &str| {
        let after = query.after.as_ref()?;
        let place = match &after.value {
            SortValue::Integer(number) => parameters.int(*number),
            SortValue::Text(text) => parameters.text(text.clone()),
        };
        let after_id = parameters.text(after.id.clone());
        Some(format!("{value} {beyond}= {place} AND ({value} {beyond} {place} OR {id} > {after_id})"))
    };
    let text = match query.sort.reads_all() {
        // As the index has them: no more is read than is shown.
        false => {
            conditions.extend(behind("vo.placed_us", "o.external_id"));
            format!(
                "SELECT vo.external_id, vo.placed_us, vo.status, vo.name, vo.placed_us AS sorted, {amounts} \
                 FROM (SELECT vo.vendor_id, vo.order_id, vo.placed_us, vo.status, o.external_id, c.name \
                       FROM {LISTED} WHERE {} ORDER BY vo.placed_us{to}, o.external_id LIMIT {limit}) AS vo \
                 ORDER BY vo.placed_us{to}, vo.external_id",
                conditions.join(" AND ")
            )
        }
        // All that match are sorted first, by one value each; the amounts of those that are shown are added up then.
        true => format!(
            "WITH listed AS MATERIALIZED (\
                 SELECT vo.vendor_id, vo.order_id, o.external_id, vo.placed_us, vo.status, c.name, {} AS sorted \
                 FROM {LISTED} WHERE {}), \
             shown AS MATERIALIZED (\
                 SELECT * FROM listed{} ORDER BY sorted{to}, external_id LIMIT {limit}) \
             SELECT external_id, placed_us, status, name, sorted, {amounts} FROM shown vo \
             ORDER BY sorted{to}, external_id",
            sorted_by(column),
            conditions.join(" AND "),
            behind("sorted", "external_id").map(|place| format!(" WHERE {place}")).unwrap_or_default(),
        ),
    };
    let found = tx.rows(planned(query, parameters.bind(text))).await?;
    let orders = found.iter().map(|row| {
        let order = OrderSummary {
            order_id: rows::text(row, "external_id")?,
            placed_at: rows::instant(row, "placed_us")?,
            status: rows::parsed(row, "status")?,
            customer_name: rows::text(row, "name")?,
            units: rows::int(row, "units")?,
            total: rows::int(row, "total")?,
            refunded_amount: rows::int(row, "refunded")?,
        };
        let value = match column {
            OrderColumn::Order | OrderColumn::Customer => SortValue::Text(rows::text(row, "sorted")?),
            _ => SortValue::Integer(rows::int(row, "sorted")?),
        };
        let position = Position { value, id: order.order_id.clone() };
        Ok((order, position))
    });
    orders.collect()
}

/// SQL for the value that orders are sorted by.
fn sorted_by(column: OrderColumn) -> String {
    match column {
        OrderColumn::Placed => "vo.placed_us".to_owned(),
        OrderColumn::Order => "o.external_id".to_owned(),
        // A name that is still to be folded stands where A to Z have it.
        OrderColumn::Customer => "COALESCE(c.search_text, LOWER(c.name))".to_owned(),
        OrderColumn::Status => {
            let places = OrderStatus::ALL.iter().zip(0..);
            let places = places.map(|(status, place)| format!("WHEN '{}' THEN {place}", status.as_str()));
            format!("CAST(CASE vo.status {} END AS BIGINT)", places.collect::<Vec<_>>().join(" "))
        }
        OrderColumn::Units => UNITS.to_owned(),
        OrderColumn::Total => TOTAL.to_owned(),
        OrderColumn::Refunded => REFUNDED.to_owned(),
    }
}

/// How many orders match, counted no further than one more than `MOST_SUMMED`.
pub async fn count_orders(tx: &mut Tx, vendor_id: i64, query: &OrderQuery) -> Result<i64, DbError> {
    let mut parameters = Parameters::default();
    let conditions = conditions(&mut parameters, vendor_id, query).join(" AND ");
    let text = format!(
        "SELECT COUNT(*) AS orders FROM (SELECT 1 AS one FROM {LISTED} WHERE {conditions} LIMIT {}) AS matching",
        MOST_SUMMED + 1
    );
    let counted = tx.row(planned(query, parameters.bind(text))).await?;
    counted.map_or(Ok(0), |row| rows::int(&row, "orders"))
}

/// What all orders that match come to, on whichever page they stand; `None` where they are more than `MOST_SUMMED`.
pub async fn sum_orders(tx: &mut Tx, vendor_id: i64, query: &OrderQuery) -> Result<Option<OrderSums>, DbError> {
    // Counted first: most vendors have more orders than anybody adds up.
    let orders = count_orders(tx, vendor_id, query).await?;
    if orders > MOST_SUMMED {
        return Ok(None);
    }
    let mut parameters = Parameters::default();
    let conditions = conditions(&mut parameters, vendor_id, query).join(" AND ");
    let sum = |column: &str| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT) AS {column}");
    let text = format!(
        "SELECT {}, {}, {} FROM (SELECT {} FROM {LISTED} WHERE {conditions}) AS matching",
        sum("units"),
        sum("total"),
        sum("refunded"),
        amounts()
    );
    let Some(row) = tx.row(planned(query, parameters.bind(text))).await? else { return Ok(None) };
    Ok(Some(OrderSums {
        orders,
        units: rows::int(&row, "units")?,
        total: rows::int(&row, "total")?,
        refunded_amount: rows::int(&row, "refunded")?,
    }))
}

const LISTED: &str = "vendor_orders vo JOIN orders o ON o.id = vo.order_id JOIN customers c ON c.id = vo.customer_id";
/// Of a vendor's part of an order `vo`.
const UNITS: &str = "(SELECT CAST(SUM(l.quantity) AS BIGINT) FROM order_lines l WHERE l.order_id = vo.order_id \
     AND l.vendor_id = vo.vendor_id)";
const TOTAL: &str = "(SELECT CAST(SUM(l.gross - l.discount) AS BIGINT) FROM order_lines l \
     WHERE l.order_id = vo.order_id AND l.vendor_id = vo.vendor_id)";
/// What was given back of it. (The sign keeps SQLite from going through all refunds of the vendor for each order: those
/// of an order are found by its id.)
const REFUNDED: &str = "(SELECT CAST(COALESCE(SUM(r.amount), 0) AS BIGINT) FROM refunds r \
     WHERE r.order_id = vo.order_id AND +r.vendor_id = vo.vendor_id)";

fn amounts() -> String {
    format!("{UNITS} AS units, {TOTAL} AS total, {REFUNDED} AS refunded")
}

/// A statement with these conditions. A search is planned anew each time: the best way to a name that one customer has
/// is the worst to one that all have.
fn planned<'q>(query: &OrderQuery, statement: Arguments<'q>) -> Arguments<'q> {
    statement.persistent(query.search.is_none())
}

/// What an order is to be like, wherever it stands in the list. `$1` is the vendor.
fn conditions(parameters: &mut Parameters, vendor_id: i64, query: &OrderQuery) -> Vec<String> {
    let mut conditions = vec![format!("vo.vendor_id = {}", parameters.int(vendor_id))];
    // An order is of the day that was noted with it. No zone is a whole day away from UTC: so much narrower the index
    // can be read.
    if let Some(from) = query.from.map(day_number) {
        conditions.push(format!(
            "vo.day >= {} AND vo.placed_us >= {}",
            parameters.int(from),
            parameters.int((from - 1) * DAY_US)
        ));
    }
    if let Some(to) = query.to.map(day_number) {
        conditions.push(format!(
            "vo.day <= {} AND vo.placed_us < {}",
            parameters.int(to),
            parameters.int((to + 2) * DAY_US)
        ));
    }
    conditions.extend(query.status.map(|status| format!("vo.status = {}", parameters.text(status.as_str()))));
    if let Some(text) = &query.search {
        let (id, pattern) = (parameters.text(text.clone()), parameters.text(search::pattern(text)));
        let name_holds = search::holds("c", &pattern);
        // Said twice, of customers and of orders: so PostgreSQL can choose to find the customers first, who may be few.
        conditions.push(format!(
            "({name_holds} OR c.id = (SELECT m.customer_id FROM orders i JOIN vendor_orders m ON m.order_id = i.id \
             AND m.vendor_id = $1 WHERE i.external_id = {id})) \
             AND ({name_holds} OR vo.order_id = (SELECT i.id FROM orders i WHERE i.external_id = {id}))"
        ));
    }
    let refund = "SELECT 1 FROM refunds r WHERE r.order_id = vo.order_id AND +r.vendor_id = vo.vendor_id";
    conditions.extend(
        query.refunded.map(|refunded| format!("{} ({refund})", if refunded { "EXISTS" } else { "NOT EXISTS" })),
    );
    let mut has_line_of = |column: &str, value: &str| {
        format!(
            "EXISTS (SELECT 1 FROM order_lines l JOIN products p ON p.id = l.product_id \
             WHERE l.order_id = vo.order_id AND l.vendor_id = vo.vendor_id AND p.{column} = {})",
            parameters.text(value)
        )
    };
    conditions.extend(query.product.as_deref().map(|id| has_line_of("external_id", id)));
    conditions.extend(query.category.as_deref().map(|category| has_line_of("category", category)));
    conditions
}

/// One vendor's part of an order, with its lines and what was refunded of them.
pub async fn find_order(tx: &mut Tx, vendor_id: i64, order_id: &str) -> Result<Option<Order>, DbError> {
    let query = sql("SELECT o.id, o.external_id, vo.placed_us, vo.status, c.external_id AS customer_id, c.name \
                     FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id \
                     JOIN customers c ON c.id = vo.customer_id \
                     WHERE o.external_id = $1 AND vo.vendor_id = $2")
    .bind(order_id.to_owned())
    .bind(vendor_id);
    let Some(head) = tx.row(query).await? else { return Ok(None) };
    let query = sql("SELECT l.line, p.external_id, p.name, l.quantity, l.gross, l.discount, \
                            CAST(COALESCE(SUM(r.quantity), 0) AS BIGINT) AS refunded_quantity, \
                            CAST(COALESCE(SUM(r.amount), 0) AS BIGINT) AS refunded_amount \
                     FROM order_lines l JOIN products p ON p.id = l.product_id \
                     LEFT JOIN refunds r ON r.order_id = l.order_id AND r.line = l.line \
                     WHERE l.order_id = $1 AND l.vendor_id = $2 \
                     GROUP BY l.line, p.external_id, p.name, l.quantity, l.gross, l.discount ORDER BY l.line")
    .bind(rows::int(&head, "id")?)
    .bind(vendor_id);
    let lines = tx.rows(query).await?;
    let refunds = refunds::list_of_order(tx, vendor_id, rows::int(&head, "id")?).await?;
    Ok(Some(Order {
        refunds,
        order_id: rows::text(&head, "external_id")?,
        placed_at: rows::instant(&head, "placed_us")?,
        status: rows::parsed(&head, "status")?,
        customer_id: rows::text(&head, "customer_id")?,
        customer_name: rows::text(&head, "name")?,
        lines: lines
            .iter()
            .map(|row| {
                Ok(OrderLine {
                    line: rows::int(row, "line")?,
                    product_id: rows::text(row, "external_id")?,
                    name: rows::text(row, "name")?,
                    quantity: rows::int(row, "quantity")?,
                    gross: rows::int(row, "gross")?,
                    discount: rows::int(row, "discount")?,
                    refunded_quantity: rows::int(row, "refunded_quantity")?,
                    refunded_amount: rows::int(row, "refunded_amount")?,
                })
            })
            .collect::<Result<_, DbError>>()?,
    }))
}

/// What a write needs to know of one vendor's part of an order.
pub struct VendorOrderRow {
    /// The database's id of the order.
    pub id: i64,
    pub status: OrderStatus,
    pub placed_us: i64,
    /// The number of its day.
    pub day: i64,
}

pub async fn find_part(tx: &mut Tx, vendor_id: i64, order_id: &str) -> Result<Option<VendorOrderRow>, DbError> {
    let query = sql(
        "SELECT vo.order_id, vo.status, vo.placed_us, vo.day FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id \
                     WHERE o.external_id = $1 AND vo.vendor_id = $2",
    )
    .bind(order_id.to_owned())
    .bind(vendor_id);
    let row = tx.row(query).await?;
    row.map(|row| {
        Ok(VendorOrderRow {
            id: rows::int(&row, "order_id")?,
            status: rows::parsed(&row, "status")?,
            placed_us: rows::int(&row, "placed_us")?,
            day: rows::int(&row, "day")?,
        })
    })
    .transpose()
}

/// Changes the raw row only; the sums are the caller's to keep (`rollups`).
pub async fn update_status(tx: &mut Tx, vendor_id: i64, order_id: i64, status: OrderStatus) -> Result<(), DbError> {
    let query = sql("UPDATE vendor_orders SET status = $3 WHERE vendor_id = $1 AND order_id = $2")
        .bind(vendor_id)
        .bind(order_id)
        .bind(status.as_str());
    tx.execute(query).await?;
    Ok(())
}

// Writing: raw rows only, of one vendor. The sums beside them are the caller's to keep (`rollups`), as is the stock
// (`stock`).

/// What selling needs to know of a vendor.
pub struct VendorTerms {
    /// IANA name.
    pub time_zone: String,
    /// Hundredths of a percent.
    pub commission_bps: i64,
}

/// The vendor, and no other transaction changes its orders, products or stock until this one ends. `None` where there
/// is none.
pub async fn lock_vendor(tx: &mut Tx, vendor_id: i64) -> Result<Option<VendorTerms>, DbError> {
    let text = format!("SELECT time_zone, commission_bps FROM vendors WHERE id = $1{}", tx.dialect.for_update());
    let row = tx.row(sql(text).bind(vendor_id)).await?;
    row.map(|row| {
        Ok(VendorTerms {
            time_zone: rows::text(&row, "time_zone")?,
            commission_bps: rows::int(&row, "commission_bps")?,
        })
    })
    .transpose()
}

/// A product that can be sold.
pub struct OnSale {
    pub id: i64,
    /// Minor units.
    pub unit_price: i64,
}

/// Those of the named products that this vendor has, by the marketplace's ids.
pub async fn find_products(
    tx: &mut Tx,
    vendor_id: i64,
    product_ids: &[&str],
) -> Result<HashMap<String, OnSale>, DbError> {
    let places: Vec<_> = (0..product_ids.len()).map(|at| format!("${}", at + 2)).collect();
    let text = format!(
        "SELECT id, external_id, unit_price FROM products WHERE vendor_id = $1 AND status <> 'deleted' \
         AND external_id IN ({})",
        places.join(", ")
    );
    let query = product_ids.iter().fold(sql(text).bind(vendor_id), |query, id| query.bind((*id).to_owned()));
    let found = tx.rows(query).await?;
    found
        .iter()
        .map(|row| {
            Ok((
                rows::text(row, "external_id")?,
                OnSale { id: rows::int(row, "id")?, unit_price: rows::int(row, "unit_price")? },
            ))
        })
        .collect()
}

/// A customer who has ordered from this vendor; others are none of its business.
pub async fn find_customer(tx: &mut Tx, vendor_id: i64, customer_id: &str) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT c.id FROM customers c WHERE c.external_id = $2 \
                     AND EXISTS (SELECT 1 FROM vendor_orders o WHERE o.vendor_id = $1 AND o.customer_id = c.id)")
    .bind(vendor_id)
    .bind(customer_id.to_owned());
    tx.row(query).await?.map(|row| rows::int(&row, "id")).transpose()
}

/// Returns the database's id. The marketplace's must be new.
pub async fn insert_customer(tx: &mut Tx, customer_id: &str, name: &str, country: &str) -> Result<i64, DbError> {
    let query =
        sql("INSERT INTO customers (external_id, name, country, search_text) VALUES ($1, $2, $3, $4) RETURNING id")
            .bind(customer_id.to_owned())
            .bind(name.to_owned())
            .bind(country.to_owned())
            .bind(search::fold(name));
    returned_id(tx, query).await
}

/// An order of one vendor's.
pub struct OrderRow<'a> {
    /// The marketplace's; must be new.
    pub order_id: &'a str,
    pub customer_id: i64,
    pub status: OrderStatus,
    pub placed: Moment,
    pub lines: &'a [LineRow],
}

/// Amounts in minor units.
pub struct LineRow {
    pub product_id: i64,
    pub quantity: i64,
    pub gross: i64,
    pub discount: i64,
    pub commission: i64,
}

/// Returns the database's id of the order. Lines are numbered from 1.
pub async fn insert_order(tx: &mut Tx, vendor_id: i64, order: &OrderRow<'_>) -> Result<i64, DbError> {
    let query =
        sql("INSERT INTO orders (external_id, customer_id, placed_us, status) VALUES ($1, $2, $3, $4) RETURNING id")
            .bind(order.order_id.to_owned())
            .bind(order.customer_id)
            .bind(order.placed.us)
            .bind(order.status.as_str());
    let id = returned_id(tx, query).await?;
    let part = sql(
        "INSERT INTO vendor_orders (vendor_id, order_id, customer_id, status, placed_us, hour_us, day, month, year) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(vendor_id)
    .bind(id)
    .bind(order.customer_id)
    .bind(order.status.as_str());
    tx.execute(order.placed.numbers().into_iter().fold(part, |query, number| query.bind(number))).await?;
    for (number, line) in (1_i64..).zip(order.lines) {
        let numbers =
            [id, number, vendor_id, line.product_id, line.quantity, line.gross, line.discount, line.commission];
        let query = sql(
            "INSERT INTO order_lines (order_id, line, vendor_id, product_id, quantity, gross, discount, commission) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        );
        tx.execute(numbers.into_iter().fold(query, |query, number| query.bind(number))).await?;
    }
    Ok(id)
}

/// Dates one vendor's part of an order anew.
pub async fn update_placed(tx: &mut Tx, vendor_id: i64, order_id: i64, placed: &Moment) -> Result<(), DbError> {
    let query = sql("UPDATE vendor_orders SET placed_us = $3, hour_us = $4, day = $5, month = $6, year = $7 \
                     WHERE vendor_id = $1 AND order_id = $2")
    .bind(vendor_id)
    .bind(order_id);
    tx.execute(placed.numbers().into_iter().fold(query, |query, number| query.bind(number))).await?;
    Ok(())
}

async fn returned_id(tx: &mut Tx, insert: super::Arguments<'_>) -> Result<i64, DbError> {
    let row = tx.row(insert).await?;
    row.map(|row| rows::int(&row, "id"))
        .transpose()?
        .ok_or_else(|| DbError::Corrupt("an INSERT returned no row".to_owned()))
}
