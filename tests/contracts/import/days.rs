use jiff::{Timestamp, ToSpan, tz::TimeZone};
use vendorscope::domain::period::day_number;

use super::*;

/// Half hours, three quarters, a half-hour shift, plus fourteen, a zone that skipped a day, one that moved at midnight.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Kiritimati",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Monrovia",
    "Antarctica/Troll",
];

#[tokio::test(flavor = "multi_thread")]
async fn hours_and_days_in_odd_zones_are_those_of_the_vendors_clock() {
    let instants = instants();
    let (mut vendors, mut products) = (header("vendors"), header("products"));
    let (mut orders, mut items, mut refunds) = (header("orders"), header("order_items"), header("refunds"));
    for (number, zone) in ZONES.iter().enumerate() {
        vendors.push_str(&format!("{zone},Vendor,Somewhere,{zone},EUR\n"));
        products.push_str(&format!("p{number},{zone},Product,Things,1.00,5,active\n"));
    }
    for (order, instant) in instants.iter().enumerate() {
        orders.push_str(&format!("{order},c,{instant},delivered\n"));
        for number in 0..ZONES.len() {
            items.push_str(
                &format!("{order},{number},p{number},1,1.00,0.00\n", number = number + 1)
                    .replace(&format!(",p{},", number + 1), &format!(",p{number},")),
            );
            refunds.push_str(&format!("{order},{},1,1.00,{instant}\n", number + 1));
        }
    }
    let bundle = Bundle::new()
        .with("vendors", &vendors)
        .with("products", &products)
        .with("customers", "customer_id,name,country\nc,Customer,Somewhere\n")
        .with("orders", &orders)
        .with("order_items", &items)
        .with("refunds", &refunds);

    for database in databases().await {
        let db = database.open().await;
        bundle.imported(&db).await;
        for zone in ZONES {
            let clock = TimeZone::get(zone).unwrap();
            let mut expected: Vec<_> = instants.iter().map(|instant| on_the_clock(*instant, &clock)).collect();
            expected.sort();
            for (table, instant) in [("vendor_orders", "placed_us"), ("refunds", "refunded_us")] {
                let query = format!(
                    "SELECT t.{instant}, t.hour_us, t.day, t.month, t.year FROM {table} t \
                     JOIN vendors v ON v.id = t.vendor_id
                     WHERE v.external_id = '{zone}' ORDER BY 1, 2, 3, 4, 5"
                );
                assert_eq!(integers(&db, &query).await, expected, "{table} in {zone} on {}", db.dialect.name());
            }
        }
    }
}

fn header(table: &str) -> String {
    let columns = match table {
        "vendors" => "vendor_id,name,country,time_zone,currency",
        "products" => "product_id,vendor_id,name,category,unit_price,stock,status",
        "orders" => "order_id,customer_id,placed_at,status",
        "order_items" => "order_id,line,product_id,quantity,gross,discount",
        _ => "order_id,line,quantity,amount,refunded_at",
    };
    format!("{columns}\n")
}

/// Around every change of every zone's offset in some years, around the turns of years, and at both ends of what is
/// accepted.
fn instants() -> Vec<Timestamp> {
    let parse = |text: &str| text.parse::<Timestamp>().unwrap();
    let mut centres = vec![parse("2000-01-01T00:00:00Z"), parse("2024-02-29T12:00:00Z"), parse("2025-12-31T11:00:00Z")];
    for zone in ZONES {
        let zone = TimeZone::get(zone).unwrap();
        for (from, to) in [
            ("1971-06-01T00:00:00Z", "1972-06-01T00:00:00Z"),
            ("2011-12-01T00:00:00Z", "2012-02-01T00:00:00Z"),
            ("2017-09-01T00:00:00Z", "2018-05-01T00:00:00Z"),
            ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            let to = parse(to);
            centres.extend(zone.following(parse(from)).map(|change| change.timestamp()).take_while(|at| *at < to));
        }
    }
    let mut instants = vec![parse("1970-01-02T00:00:00Z"), parse("2100-12-31T23:59:59.999999Z")];
    for centre in centres {
        for minutes in [-1441, -61, -31, -1, 0, 1, 29, 30, 59, 60, 90, 1440] {
            instants.push(centre + minutes.minutes());
        }
        instants.push(centre - 1.microsecond());
    }
    instants.sort();
    instants.dedup();
    instants
}

/// The instant, when its local hour began (not before the offset that it is read by), and the numbers of its local day,
/// month and year: by jiff's clock.
fn on_the_clock(instant: Timestamp, zone: &TimeZone) -> Vec<i64> {
    let local = instant.to_zoned(zone.clone());
    let into_hour = i64::from(local.minute()) * 60_000_000
        + i64::from(local.second()) * 1_000_000
        + i64::from(local.subsec_nanosecond()) / 1_000;
    let microsecond = instant.as_microsecond();
    let before = |at: Timestamp| zone.to_offset(at - 1.nanosecond());
    let change = zone.preceding(instant + 1.nanosecond()).find(|change| before(change.timestamp()) != local.offset());
    let since = change.map_or(i64::MIN, |change| change.timestamp().as_microsecond());
    let date = local.date();
    vec![
        microsecond,
        (microsecond - into_hour).max(since),
        day_number(date),
        day_number(date.first_of_month()),
        day_number(date.first_of_year()),
    ]
}
