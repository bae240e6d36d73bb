//! What happened in the demo marketplace: seasons and weekdays, growth, regular customers, promotions, refunds,
//! cancellations.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::domain::{money::Currency, orders::OrderStatus};

use super::{
    cast::{SELLERS, Seller},
    people::PEOPLE,
};

/// As the tables of a bundle.
mod bundle;

/// Days told of: two years.
const DAYS: i32 = 730;
const CUSTOMERS: usize = 2_600;
const SEED: u64 = 0x5EE_D0F5_A1E5;

struct Product {
    id: String,
    name: String,
    category: &'static str,
    /// Minor units.
    price: i64,
    /// When it became that, and what it was until then.
    changed: Option<(Timestamp, i64)>,
    stock: i64,
    is_active: bool,
    /// How often it is picked, against the vendor's others.
    weight: f64,
}

impl Product {
    /// Minor units.
    fn price_at(&self, at: Timestamp) -> i64 {
        self.changed.filter(|(changed_at, _)| at < *changed_at).map_or(self.price, |(_, was)| was)
    }
}

/// A price that changed, which a bundle has no table for.
pub(super) struct PriceChange {
    pub product_id: String,
    pub at: Timestamp,
    /// Minor units.
    pub was: i64,
}

struct Order {
    placed_at: Timestamp,
    customer: usize,
    status: OrderStatus,
    lines: Vec<Line>,
}

struct Line {
    seller: usize,
    product: usize,
    quantity: i64,
    /// Minor units, as the two below.
    gross: i64,
    discount: i64,
    refunds: Vec<Refund>,
}

struct Refund {
    quantity: i64,
    amount: i64,
    at: Timestamp,
}

/// The tables of a bundle, as CSV, with everything that had happened by `end`, and which prices had changed. What
/// happened before does not depend on `end`.
pub(super) fn tell(end: Timestamp) -> (Vec<(&'static str, Vec<u8>)>, Vec<PriceChange>) {
    let today = end.to_zoned(TimeZone::UTC).date();
    let mut random = StdRng::seed_from_u64(SEED);
    let customers = customers(&mut random);
    let mut stock: Vec<Vec<Product>> = SELLERS.iter().map(|seller| products(seller, &mut random)).collect();
    for (seller, products) in SELLERS.iter().zip(&mut stock) {
        change_prices(seller, products, today);
    }
    let mut orders: Vec<Order> =
        (0..SELLERS.len()).flat_map(|seller| Sales::new(seller, &stock, &customers).tell(today, end)).collect();
    orders.retain(|order| order.placed_at <= end);
    orders.sort_by_key(|order| (order.placed_at, order.customer));
    let changes = stock.iter().flatten().filter_map(|product| {
        let (at, was) = product.changed?;
        Some(PriceChange { product_id: product.id.clone(), at, was })
    });
    (bundle::write(&customers, &stock, &orders, end), changes.collect())
}

struct Customer {
    name: String,
    country: &'static str,
}

fn customers(random: &mut StdRng) -> Vec<Customer> {
    let total: u32 = PEOPLE.iter().map(|(_, share, ..)| share).sum();
    (0..CUSTOMERS)
        .map(|_| {
            let mut at = random.random_range(0..total);
            let (country, _, first_names, last_names) = PEOPLE
                .iter()
                .find(|(_, share, ..)| at.checked_sub(*share).map(|rest| at = rest).is_none())
                .unwrap_or(&PEOPLE[0]);
            let pick = |random: &mut StdRng, names: &[&'static str]| names.choose(random).copied().unwrap_or_default();
            Customer { name: format!("{} {}", pick(random, first_names), pick(random, last_names)), country }
        })
        .collect()
}

fn products(seller: &Seller, random: &mut StdRng) -> Vec<Product> {
    let minor_units = Currency::parse(seller.currency).map_or(100, |currency| currency.minor_units()) as f64;
    let mut products: Vec<Product> = Vec::new();
    for category in seller.trade {
        for thing in category.things {
            // Variants of a thing cost the same.
            let euros = random.random_range(category.prices.0..category.prices.1);
            let steps = (euros * seller.per_euro * minor_units / seller.price_step as f64).round().max(1.0) as i64;
            for variant in category.variants {
                let stock = match random.random_range(0..100) {
                    0..4 => 0,
                    4..14 => random.random_range(1..=seller.low_stock_threshold),
                    _ => random.random_range(seller.low_stock_threshold + 1..220),
                };
                products.push(Product {
                    id: format!("{}-{:03}", seller.login, products.len() + 1),
                    name: format!("{variant} {thing}"),
                    category: category.name,
                    price: steps * seller.price_step - seller.below,
                    changed: None,
                    stock,
                    is_active: random.random_range(0..100) >= 5,
                    // A few sell well, most do not.
                    weight: 1.0 / (1.0 + random.random_range(0.0..12.0_f64)),
                });
            }
        }
    }
    products
}

/// One product in eight has had another price within the last four months: mostly a lower one, now and then a higher.
/// The randomness is its own, so that nothing else of the story depends on it.
fn change_prices(seller: &Seller, products: &mut [Product], today: Date) {
    let mut random = StdRng::seed_from_u64(
        seller.login.bytes().fold(SEED, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte))),
    );
    for product in products {
        let (is_changed, days, minutes) =
            (random.random_bool(0.125), random.random_range(3..120), random.random_range(8 * 60..18 * 60));
        let steps = (product.price + seller.below) / seller.price_step;
        let by = (steps * random.random_range(4..13) / 100).max(1) * if random.random_bool(0.7) { -1 } else { 1 };
        let was = (steps + by) * seller.price_step - seller.below;
        let morning = today.saturating_sub(days.days()).to_zoned(TimeZone::UTC);
        if let Ok(morning) = morning
            && is_changed
            && was > 0
        {
            product.changed = Some((morning.timestamp() + minutes.minutes(), was));
        }
    }
}

/// The sales of one vendor. Its randomness is its own, so that another vendor's story does not change this one's.
struct Sales<'a> {
    seller: usize,
    stock: &'a [Vec<Product>],
    neighbours: Vec<usize>,
    regulars: Vec<usize>,
    random: StdRng,
}

impl<'a> Sales<'a> {
    fn new(seller: usize, stock: &'a [Vec<Product>], customers: &[Customer]) -> Self {
        let neighbours = (0..customers.len()).filter(|at| customers[*at].country == SELLERS[seller].country).collect();
        Self {
            seller,
            stock,
            neighbours,
            regulars: Vec::new(),
            random: StdRng::seed_from_u64(SEED + 1 + seller as u64),
        }
    }

    fn tell(mut self, today: Date, end: Timestamp) -> Vec<Order> {
        let zone = TimeZone::get(SELLERS[self.seller].time_zone).unwrap_or(TimeZone::UTC);
        let mut orders = Vec::new();
        // East of Greenwich tomorrow may have begun; what lies after the end is left out later.
        for back in (-1..DAYS).rev() {
            let day = today.saturating_sub(back.days());
            let expected = self.expected_orders(day, back);
            for _ in 0..poisson(&mut self.random, expected) {
                let placed_at = self.moment(day, &zone);
                let order = self.order(placed_at, end);
                orders.push(order);
            }
        }
        orders
    }

    fn expected_orders(&mut self, day: Date, back: i32) -> f64 {
        let seller = &SELLERS[self.seller];
        let growth = 1.0 - seller.growth * f64::from(back.max(0)) / f64::from(DAYS);
        // From mid-month to mid-month, so that demand does not jump on the first.
        let (month, into) = (day.month() as usize - 1, (f64::from(day.day()) - 15.5) / 30.0);
        let neighbour = if into < 0.0 { (month + 11) % 12 } else { (month + 1) % 12 };
        let season = seller.season[month] * (1.0 - into.abs()) + seller.season[neighbour] * into.abs();
        let weekday = seller.week[day.weekday().to_monday_zero_offset() as usize];
        let promotion = if is_promotion(day) { 1.6 } else { 1.0 };
        let luck = self.random.random_range(0.8..1.2);
        seller.orders_a_day * growth * season * weekday * promotion * luck
    }

    /// People buy at noon and in the evening, and now and then at night.
    fn moment(&mut self, day: Date, zone: &TimeZone) -> Timestamp {
        const HOURS: [u32; 24] = [2, 1, 1, 0, 0, 1, 2, 4, 6, 8, 9, 10, 12, 10, 8, 8, 8, 9, 11, 14, 16, 15, 10, 5];
        let mut at = self.random.random_range(0..HOURS.iter().sum());
        let hour =
            HOURS.iter().position(|weight| at.checked_sub(*weight).map(|rest| at = rest).is_none()).unwrap_or(12);
        let (minute, second) = (self.random.random_range(0..60), self.random.random_range(0..60));
        let clock = day.at(hour as i8, minute, second, 0);
        // Where clocks skip this hour, the moment after; the calendar of the demo does not reach the ends of time.
        zone.to_ambiguous_timestamp(clock).compatible().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn order(&mut self, placed_at: Timestamp, end: Timestamp) -> Order {
        let customer = self.customer();
        let days_old =
            placed_at.until(end).map_or(0, |age| age.total(jiff::Unit::Second).unwrap_or(0.0) as i64 / 86_400);
        let status = self.status(days_old);
        let mut lines: Vec<Line> = Vec::new();
        for _ in 0..[1, 1, 1, 2, 2, 3, 4][self.random.random_range(0..7)] {
            self.add_line(&mut lines, self.seller, placed_at);
        }
        if self.random.random_bool(0.12) {
            // Of another vendor, in the same basket.
            let other = (self.seller + self.random.random_range(1..SELLERS.len())) % SELLERS.len();
            self.add_line(&mut lines, other, placed_at);
        }
        // Drawn for every order, so that an order's luck does not depend on when the story ends.
        for line in &mut lines {
            let refunds = self.refunds(line, placed_at);
            if status == OrderStatus::Delivered {
                line.refunds = refunds;
            }
        }
        Order { placed_at, customer, status, lines }
    }

    /// About half of all orders are by people who have bought here before.
    fn customer(&mut self) -> usize {
        if self.random.random_bool(0.5)
            && let Some(regular) = self.regulars.choose(&mut self.random)
        {
            return *regular;
        }
        let near = self.random.random_bool(0.6);
        let customer = match self.neighbours.choose(&mut self.random) {
            Some(neighbour) if near => *neighbour,
            _ => self.random.random_range(0..CUSTOMERS),
        };
        self.regulars.push(customer);
        customer
    }

    fn status(&mut self, days_old: i64) -> OrderStatus {
        use OrderStatus::*;
        let luck = self.random.random_range(0..100);
        match (days_old, luck) {
            (_, 0..4) => Cancelled,
            (_, 4..6) => Failed,
            (10.., _) => Delivered,
            (4..10, 6..60) => Delivered,
            (4..10, _) => Shipped,
            (1..4, 6..14) => Pending,
            (1..4, 14..55) => Processing,
            (1..4, _) => Shipped,
            (_, 6..30) => Pending,
            _ => Processing,
        }
    }

    fn add_line(&mut self, lines: &mut Vec<Line>, seller: usize, placed_at: Timestamp) {
        let products = &self.stock[seller];
        let Ok(weighted) = products.choose_weighted(&mut self.random, |product| product.weight) else { return };
        let Some(product) = products.iter().position(|product| std::ptr::eq(product, weighted)) else { return };
        // Whoever wants more of it orders more of it.
        if lines.iter().any(|line| line.seller == seller && line.product == product) {
            return;
        }
        let quantity = [1, 1, 1, 1, 2, 2, 3, 6][self.random.random_range(0..8)];
        let gross = quantity * products[product].price_at(placed_at);
        let chance = if is_promotion(placed_at.to_zoned(TimeZone::UTC).date()) { 0.6 } else { 0.16 };
        let percent =
            if self.random.random_bool(chance) { [5, 10, 10, 15, 20, 25][self.random.random_range(0..6)] } else { 0 };
        lines.push(Line { seller, product, quantity, gross, discount: gross * percent / 100, refunds: Vec::new() });
    }

    /// One line in eighteen comes back: all of it, a part, or a part and then the rest.
    fn refunds(&mut self, line: &Line, placed_at: Timestamp) -> Vec<Refund> {
        let is_refunded = self.random.random_bool(1.0 / 18.0);
        let after = |random: &mut StdRng, at: Timestamp| at + random.random_range(2 * 24 * 60..21 * 24 * 60).minutes();
        let kind = self.random.random_range(0..10);
        let first = after(&mut self.random, placed_at);
        let second = after(&mut self.random, first);
        let paid = line.gross - line.discount;
        let half = (line.quantity / 2, paid * (line.quantity / 2) / line.quantity);
        match kind {
            _ if !is_refunded => Vec::new(),
            // For a flaw: money back, nothing returned.
            0..2 if paid >= 5 => vec![Refund { quantity: 0, amount: paid / 5, at: first }],
            2..5 if half.0 > 0 => vec![Refund { quantity: half.0, amount: half.1, at: first }],
            5..6 if half.0 > 0 => vec![
                Refund { quantity: half.0, amount: half.1, at: first },
                Refund { quantity: line.quantity - half.0, amount: paid - half.1, at: second },
            ],
            _ => vec![Refund { quantity: line.quantity, amount: paid, at: first }],
        }
    }
}

/// The last days of November, and three days of sales in late May.
fn is_promotion(day: Date) -> bool {
    matches!((day.month(), day.day()), (11, 24..=30) | (5, 25..=27))
}

/// How often something happens that is expected `mean` times (Knuth, The Art of Computer Programming, 3.4.1, algorithm
/// Q).
fn poisson(random: &mut StdRng, mean: f64) -> u32 {
    let limit = (-mean).exp();
    let (mut count, mut product) = (0, random.random::<f64>());
    while product > limit {
        count += 1;
        product *= random.random::<f64>();
    }
    count
}
