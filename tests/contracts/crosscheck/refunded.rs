//! A marketplace made up for what the real ones do not have: discounts on whole orders over several vendors' lines,
//! refunds of lines, of orders and of one vendor's part, commission, currencies of 0, 2 and 3 decimals. The same seed
//! makes the same one.
//!
//! It is told twice: to DuckDB as CSV files that hold what was sent, and to the application the ways that a marketplace
//! has: a bundle, ingestion, and vendors who refund. What a discount or a refund of a whole order means for each line
//! is left to each of the two.

use std::path::PathBuf;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use tempfile::TempDir;
use vendorscope::domain::allocation::share;

/// The marketplace as files, and as what is sent.
mod telling;

pub struct Vendor {
    pub id: &'static str,
    zone: &'static str,
    currency: &'static str,
    decimals: usize,
    commission_bps: u32,
    threshold: u32,
}

const fn vendor(
    id: &'static str,
    zone: &'static str,
    currency: &'static str,
    decimals: usize,
    commission_bps: u32,
    threshold: u32,
) -> Vendor {
    Vendor { id, zone, currency, decimals, commission_bps, threshold }
}

pub const VENDORS: [Vendor; 8] = [
    vendor("berlin", "Europe/Berlin", "EUR", 2, 1_000, 12),
    vendor("lord-howe", "Australia/Lord_Howe", "EUR", 2, 733, 5),
    vendor("kolkata", "Asia/Kolkata", "EUR", 2, 1, 4),
    vendor("new-york", "America/New_York", "EUR", 2, 10_000, 5),
    vendor("tokyo", "Asia/Tokyo", "JPY", 0, 1_250, 5),
    vendor("kiritimati", "Pacific/Kiritimati", "JPY", 0, 333, 5),
    vendor("kuwait", "Asia/Kuwait", "KWD", 3, 875, 5),
    vendor("st-johns", "America/St_Johns", "KWD", 3, 0, 5),
];
const PRODUCTS: usize = 6;
const CUSTOMERS: usize = 40;
const ORDERS: usize = 900;
/// Days on which clocks change somewhere, which a part of the orders falls on.
const CLOCKS_CHANGE: [&str; 6] = ["2024-03-10", "2024-03-31", "2024-04-07", "2024-10-06", "2024-10-27", "2024-11-03"];

struct Line {
    number: i64,
    vendor: usize,
    product: usize,
    quantity: i64,
    unit_price: i64,
    discount: i64,
}

impl Line {
    fn product_id(&self) -> String {
        product_id(self.vendor, self.product)
    }
}

struct Order {
    id: String,
    customer: usize,
    placed: Timestamp,
    status: &'static str,
    /// On the whole order.
    discount: i64,
    lines: Vec<Line>,
    refunds: Vec<Refund>,
}

#[derive(Clone, Copy)]
enum Of {
    Line { number: i64, quantity: i64, decimals: usize },
    Order { decimals: usize },
    Vendor(usize),
}

struct Refund {
    of: Of,
    amount: i64,
    at: Timestamp,
}

/// A generated marketplace, and the folders its files are in.
pub struct Refunded {
    /// All of it, for DuckDB.
    whole: TempDir,
    /// What is imported; the rest is sent.
    imported: TempDir,
    orders: Vec<Order>,
}

fn product_id(vendor: usize, product: usize) -> String {
    format!("{}-{product}", VENDORS[vendor].id)
}

impl Refunded {
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut orders: Vec<Order> = (0..ORDERS).map(|number| order(&mut random, number)).collect();
        orders.extend(standing_orders());
        let folder = || tempfile::tempdir().expect("a temporary folder");
        let market = Self { whole: folder(), imported: folder(), orders };
        market.write_files();
        market
    }

    /// For DuckDB: what a bundle holds, and what only the API takes.
    pub fn whole(&self) -> PathBuf {
        self.whole.path().to_owned()
    }

    /// To be imported before the rest is sent.
    pub fn bundle(&self) -> PathBuf {
        self.imported.path().to_owned()
    }
}

fn order(random: &mut StdRng, number: usize) -> Order {
    // Of one currency, or of any: such an order has no discount and no refund as a whole.
    let group: Vec<usize> = match random.random_range(0..8) {
        0..=3 => vec![0, 1, 2, 3],
        4 => vec![4, 5],
        5 => vec![6, 7],
        _ => (0..VENDORS.len()).collect(),
    };
    let is_of_one_currency = group.iter().all(|vendor| VENDORS[*vendor].currency == VENDORS[group[0]].currency);
    let mut numbers: Vec<i64> = (1..=random.random_range(1..=6)).collect();
    // The order of the numbers is not the one they are sent in.
    numbers.shuffle(random);
    // A few minor units, so that shares round; as many as a house, so that nothing overflows; the same, so that
    // somebody must go first.
    let price = random.random_range(1..=2_000);
    let lines: Vec<Line> = numbers
        .into_iter()
        .map(|number| {
            let unit_price = match random.random_range(0..5) {
                0 => random.random_range(0..10),
                1 => random.random_range(10_000_000..90_000_000),
                2 => random.random_range(1..100_000),
                _ => price,
            };
            let quantity = if unit_price == price { 1 } else { random.random_range(1..=5) };
            let discount =
                if random.random_range(0..3) == 0 { random.random_range(0..=quantity * unit_price) } else { 0 };
            let (vendor, product) = (group[random.random_range(0..group.len())], random.random_range(0..PRODUCTS));
            Line { number, vendor, product, quantity, unit_price, discount }
        })
        .collect();
    let whole: i64 = lines.iter().map(|line| line.quantity * line.unit_price - line.discount).sum();
    let discount = match random.random_range(0..8) {
        _ if !is_of_one_currency => 0,
        0..=2 => random.random_range(0..=whole),
        3 => random.random_range(0..=whole.min(9)),
        4 => whole,
        _ => 0,
    };
    let placed = if random.random_range(0..4) == 0 {
        let day = CLOCKS_CHANGE[random.random_range(0..CLOCKS_CHANGE.len())];
        let midnight: Timestamp = format!("{day}T00:00:00Z").parse().expect("an instant");
        midnight + random.random_range(-86_400..2 * 86_400).seconds()
    } else {
        let first: Timestamp = "2023-01-01T00:00:00Z".parse().expect("an instant");
        first + random.random_range(0..2 * 365 * 86_400).seconds()
    };
    let status = ["delivered", "delivered", "shipped", "processing", "pending", "cancelled", "failed"]
        [random.random_range(0..7)];
    let customer = random.random_range(0..CUSTOMERS);
    let mut order = Order { id: format!("o{number}"), customer, placed, status, discount, lines, refunds: Vec::new() };
    if random.random_range(0..2) == 0 {
        order.refunds = refunds(random, &order, is_of_one_currency);
    }
    order
}

/// One to four of one order, each of what those before it have left. The program's own rule says what that is: were it
/// wrong, the program would refuse what is right or DuckDB would find more refunded than sold.
fn refunds(random: &mut StdRng, order: &Order, is_of_one_currency: bool) -> Vec<Refund> {
    let mut lines: Vec<&Line> = order.lines.iter().collect();
    lines.sort_by_key(|line| line.number);
    let nets: Vec<i64> = lines.iter().map(|line| line.quantity * line.unit_price - line.discount).collect();
    let mut left: Vec<i64> = nets.iter().zip(share(order.discount, &nets)).map(|(net, share)| net - share).collect();
    let mut units: Vec<i64> = lines.iter().map(|line| line.quantity).collect();
    let is_counted = ["delivered", "shipped", "processing"].contains(&order.status);
    let mut at = order.placed;
    let mut refunds = Vec::new();
    for _ in 0..random.random_range(1..=4) {
        at += random.random_range(1..40 * 86_400).seconds();
        let line = random.random_range(0..lines.len());
        let decimals = VENDORS[lines[line].vendor].decimals;
        let is_all = random.random_range(0..3) == 0;
        let take_from = |random: &mut StdRng, of: i64| if is_all { of } else { random.random_range(1..=of) };
        match random.random_range(0..4) {
            0 if is_of_one_currency && left.iter().sum::<i64>() > 0 => {
                let amount = take_from(random, left.iter().sum());
                take_share(&mut left, amount, |_| true);
                refunds.push(Refund { of: Of::Order { decimals }, amount, at });
            }
            1 if is_counted => {
                let vendor = lines[line].vendor;
                let of: i64 =
                    lines.iter().zip(&left).filter(|(line, _)| line.vendor == vendor).map(|(_, left)| *left).sum();
                if of > 0 {
                    let amount = take_from(random, of);
                    take_share(&mut left, amount, |at| lines[at].vendor == vendor);
                    refunds.push(Refund { of: Of::Vendor(vendor), amount, at });
                }
            }
            _ => {
                let (quantity, amount) = if is_all {
                    (units[line], left[line])
                } else {
                    (random.random_range(0..=units[line]), random.random_range(0..=left[line]))
                };
                if quantity + amount > 0 {
                    units[line] -= quantity;
                    left[line] -= amount;
                    refunds.push(Refund {
                        of: Of::Line { number: lines[line].number, quantity, decimals },
                        amount,
                        at,
                    });
                }
            }
        }
    }
    refunds
}

/// Takes `amount` off the lines whose places `is_in` names.
fn take_share(left: &mut [i64], amount: i64, is_in: impl Fn(usize) -> bool) {
    let weights: Vec<i64> = left.iter().enumerate().map(|(at, left)| if is_in(at) { *left } else { 0 }).collect();
    left.iter_mut().zip(share(amount, &weights)).for_each(|(left, share)| *left -= share);
}

/// Every day around today the same of each vendor's first product, of which there is little left, and one unit comes
/// back: so that days of cover are the same whichever day it is when they are asked for.
fn standing_orders() -> Vec<Order> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    (-45..=2)
        .map(|days: i64| {
            let noon = (today + days.days()).at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("a noon").timestamp();
            let line = |(vendor, number): (usize, i64)| Line {
                number,
                vendor,
                product: 0,
                quantity: 3 + number,
                unit_price: 100,
                discount: 0,
            };
            let lines: Vec<Line> = (0..VENDORS.len()).zip(1..).map(line).collect();
            let refunds = lines
                .iter()
                .map(|line| {
                    let decimals = VENDORS[line.vendor].decimals;
                    Refund {
                        of: Of::Line { number: line.number, quantity: 1, decimals },
                        amount: 100,
                        at: noon + 1.minute(),
                    }
                })
                .collect();
            Order {
                id: format!("standing{days}"),
                customer: 0,
                placed: noon,
                status: "shipped",
                discount: 0,
                lines,
                refunds,
            }
        })
        .collect()
}
