//! What happened as the tables of a bundle, which the import reads.

use jiff::Timestamp;

use super::{Customer, Line, Order, Product, Refund};
use crate::{
    domain::money::Currency,
    server::demo::{cast::SELLERS, vendor_id},
};

/// Why it came back: by its minute, so that nothing else of the story depends on it. Some never say.
fn reason(refund: &Refund) -> &'static str {
    match (refund.quantity, refund.at.as_second() / 60 % 10) {
        (0, _) => "damaged",
        (_, 0..3) => "unwanted",
        (_, 3..5) => "not_as_described",
        (_, 5) => "wrong_item",
        (_, 6..8) => "damaged",
        (_, 8) => "late",
        _ => "",
    }
}

pub(super) fn write(
    customers: &[Customer],
    stock: &[Vec<Product>],
    orders: &[Order],
    end: Timestamp,
) -> Vec<(&'static str, Vec<u8>)> {
    let amount = |seller: usize, amount: i64| {
        Currency::parse(SELLERS[seller].currency).map_or_else(|_| String::new(), |c| c.to_decimal(amount))
    };
    let order_id = |at: usize| format!("D-{}", 100_001 + at);
    let customer_id = |at: usize| format!("C-{}", 1_001 + at);
    let lines = || {
        orders
            .iter()
            .enumerate()
            .flat_map(|(at, order)| (1..).zip(&order.lines).map(move |(number, line): (i64, &Line)| (at, number, line)))
    };
    vec![
        (
            "vendors",
            csv(
                "vendor_id,name,country,time_zone,currency,commission_bps,low_stock_threshold",
                SELLERS.iter().map(|seller| {
                    let (commission, threshold) =
                        (seller.commission_bps.to_string(), seller.low_stock_threshold.to_string());
                    let texts = [seller.name, seller.country, seller.time_zone, seller.currency].map(str::to_owned);
                    std::iter::once(vendor_id(seller)).chain(texts).chain([commission, threshold]).collect()
                }),
            ),
        ),
        (
            "products",
            csv(
                "product_id,vendor_id,name,category,unit_price,stock,status",
                stock
                    .iter()
                    .enumerate()
                    .flat_map(|(seller, products)| products.iter().map(move |product| (seller, product)))
                    .map(|(seller, product)| {
                        let status = if product.is_active { "active" } else { "archived" };
                        vec![
                            product.id.clone(),
                            vendor_id(&SELLERS[seller]),
                            product.name.clone(),
                            product.category.to_owned(),
                            amount(seller, product.price),
                            product.stock.to_string(),
                            status.to_owned(),
                        ]
                    }),
            ),
        ),
        (
            "customers",
            csv(
                "customer_id,name,country",
                customers
                    .iter()
                    .enumerate()
                    .map(|(at, customer)| vec![customer_id(at), customer.name.clone(), customer.country.to_owned()]),
            ),
        ),
        (
            "orders",
            csv(
                "order_id,customer_id,placed_at,status",
                orders.iter().enumerate().map(|(at, order)| {
                    vec![
                        order_id(at),
                        customer_id(order.customer),
                        order.placed_at.to_string(),
                        order.status.as_str().to_owned(),
                    ]
                }),
            ),
        ),
        (
            "order_items",
            csv(
                "order_id,line,product_id,quantity,gross,discount",
                lines().map(|(at, number, line)| {
                    vec![
                        order_id(at),
                        number.to_string(),
                        stock[line.seller][line.product].id.clone(),
                        line.quantity.to_string(),
                        amount(line.seller, line.gross),
                        amount(line.seller, line.discount),
                    ]
                }),
            ),
        ),
        (
            "refunds",
            csv(
                "order_id,line,quantity,amount,refunded_at,reason",
                lines()
                    .flat_map(|(at, number, line)| line.refunds.iter().map(move |refund| (at, number, line, refund)))
                    .filter(|(_, _, _, refund)| refund.at <= end)
                    .map(|(at, number, line, refund)| {
                        let (quantity, value) = (refund.quantity.to_string(), amount(line.seller, refund.amount));
                        let reason = reason(refund).to_owned();
                        vec![order_id(at), number.to_string(), quantity, value, refund.at.to_string(), reason]
                    }),
            ),
        ),
    ]
}

fn csv(header: &str, rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail, and every row has as many fields as the header: the import would say so.
    let _ = writer.write_record(header.split(','));
    for row in rows {
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}
