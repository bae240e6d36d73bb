//! Lists of one vendor's orders.

use jiff::civil::Date;

use super::{DbError, Parameters, Tx, rollups::counted, rows, search};
use crate::domain::{
    order_figures::LineSums,
    orders::{MOST_SUMMED, OrderColumn, OrderQuery, OrderStatus, OrderSummary, OrderSums},
    period::day_number,
    position::{Position, SortValue},
};

const DAY_US: i64 = 86_400_000_000;

/// At most `limit` orders behind `query.after`, as `query.sort` has them, and those of one value by their ids. Each with
/// its place in the list. `today` is the vendor's.
pub async fn list_orders(
    tx: &mut Tx,
    vendor_id: i64,
    query: &OrderQuery,
    today: Date,
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
                "SELECT vo.external_id, vo.placed_us, vo.day, vo.status, vo.name, vo.placed_us AS sorted, {amounts} \
                 FROM (SELECT vo.vendor_id, vo.order_id, vo.placed_us, vo.day, vo.status, o.external_id, c.name \
                       FROM {LISTED} WHERE {} ORDER BY vo.placed_us{to}, o.external_id LIMIT {limit}) AS vo \
                 ORDER BY vo.placed_us{to}, vo.external_id",
                conditions.join(" AND ")
            )
        }
        // All that match are sorted first, by one value each; the amounts of those that are shown are added up then.
        true => format!(
            "WITH listed AS MATERIALIZED (\
                 SELECT vo.vendor_id, vo.order_id, o.external_id, vo.placed_us, vo.day, vo.status, c.name, {} AS sorted \
                 FROM {LISTED} WHERE {}), \
             shown AS MATERIALIZED (\
                 SELECT * FROM listed{} ORDER BY sorted{to}, external_id LIMIT {limit}) \
             SELECT external_id, placed_us, day, status, name, sorted, {amounts} FROM shown vo \
             ORDER BY sorted{to}, external_id",
            sorted_by(column),
            conditions.join(" AND "),
            behind("sorted", "external_id").map(|place| format!(" WHERE {place}")).unwrap_or_default(),
        ),
    };
    let found = tx.rows(parameters.bind(text)).await?;
    let orders = found.iter().map(|row| {
        let order = OrderSummary {
            order_id: rows::text(row, "external_id")?,
            placed_at: rows::instant(row, "placed_us")?,
            status: rows::parsed(row, "status")?,
            customer_name: rows::text(row, "name")?,
            units: rows::int(row, "units")?,
            total: rows::int(row, "total")?,
            refunded_amount: rows::int(row, "refunded")?,
            payable: rows::int(row, "payable")?,
            // One whose date was noted wrongly may lie ahead.
            days_since_placed: (day_number(today) - rows::int(row, "day")?).max(0),
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
        OrderColumn::Payable => payable(),
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
    let counted = tx.row(parameters.bind(text)).await?;
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
        "SELECT {}, {}, {}, {} FROM (SELECT {} FROM {LISTED} WHERE {conditions}) AS matching",
        sum("units"),
        sum("total"),
        sum("refunded"),
        sum("payable"),
        amounts()
    );
    let Some(row) = tx.row(parameters.bind(text)).await? else { return Ok(None) };
    Ok(Some(OrderSums {
        orders,
        units: rows::int(&row, "units")?,
        total: rows::int(&row, "total")?,
        refunded_amount: rows::int(&row, "refunded")?,
        payable: rows::int(&row, "payable")?,
    }))
}

/// Of all orders that match, what the lines come to that are of the product and of the category that were asked for.
pub async fn sum_lines(tx: &mut Tx, vendor_id: i64, query: &OrderQuery) -> Result<LineSums, DbError> {
    let mut parameters = Parameters::default();
    let conditions = conditions(&mut parameters, vendor_id, query).join(" AND ");
    let text = format!(
        "SELECT CAST(COALESCE(SUM(l.quantity), 0) AS BIGINT) AS units, \
                CAST(COALESCE(SUM(l.gross - l.discount), 0) AS BIGINT) AS total \
         FROM {LISTED} JOIN order_lines l ON l.order_id = vo.order_id AND l.vendor_id = vo.vendor_id \
         JOIN products p ON p.id = l.product_id WHERE {conditions}{}",
        of_product(&mut parameters, query)
    );
    let Some(row) = tx.row(parameters.bind(text)).await? else { return Ok(LineSums::default()) };
    Ok(LineSums { units: rows::int(&row, "units")?, total: rows::int(&row, "total")? })
}

/// What products `p` are narrowed to: conditions to follow others.
fn of_product(parameters: &mut Parameters, query: &OrderQuery) -> String {
    let asked = [("external_id", &query.product), ("category", &query.category)];
    let conditions = asked
        .into_iter()
        .filter_map(|(column, value)| Some(format!(" AND p.{column} = {}", parameters.text(value.clone()?))));
    conditions.collect()
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

/// What is left of it to the vendor: net sales less commission, of orders that count, with the commission that was
/// agreed for each line and what refunds gave back of it. All orders come to what the sums of days have as payable.
fn payable() -> String {
    let counted = counted("vo");
    format!(
        "(CASE WHEN {counted} THEN \
             (SELECT CAST(SUM(l.gross - l.discount - l.commission) AS BIGINT) FROM order_lines l \
              WHERE l.order_id = vo.order_id AND l.vendor_id = vo.vendor_id) - \
             (SELECT CAST(COALESCE(SUM(r.amount - r.commission), 0) AS BIGINT) FROM refunds r \
              WHERE r.order_id = vo.order_id AND +r.vendor_id = vo.vendor_id) \
         ELSE 0 END)"
    )
}

fn amounts() -> String {
    format!("{UNITS} AS units, {TOTAL} AS total, {REFUNDED} AS refunded, {} AS payable", payable())
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
    conditions.extend(query.counted.map(|is_counted| {
        let counted = counted("vo");
        if is_counted { counted } else { format!("NOT ({counted})") }
    }));
    let of_product = of_product(parameters, query);
    if !of_product.is_empty() {
        conditions.push(format!(
            "EXISTS (SELECT 1 FROM order_lines l JOIN products p ON p.id = l.product_id \
             WHERE l.order_id = vo.order_id AND l.vendor_id = vo.vendor_id{of_product})"
        ));
    }
    conditions
}
