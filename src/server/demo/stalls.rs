//! The smaller vendors of the demo marketplace, of a few trades.

use super::{
    cast::{Category, Seller},
    seasons::{DESK, GIFTS, GULF, LEISURE, OFFICE, SOUTHERN_SUMMER, STEADY, SUMMER, Season, WINTER},
};

/// A currency, and how prices are made in it.
struct Money {
    code: &'static str,
    per_euro: f64,
    price_step: i64,
    below: i64,
}

const EUR: Money = Money { code: "EUR", per_euro: 1.0, price_step: 100, below: 10 };
const USD: Money = Money { code: "USD", per_euro: 1.1, price_step: 100, below: 1 };
const GBP: Money = Money { code: "GBP", per_euro: 0.85, price_step: 50, below: 1 };
const CHF: Money = Money { code: "CHF", per_euro: 0.95, price_step: 50, below: 0 };
const SEK: Money = Money { code: "SEK", per_euro: 11.2, price_step: 1000, below: 100 };
const JPY: Money = Money { code: "JPY", per_euro: 165.0, price_step: 50, below: 0 };
const KWD: Money = Money { code: "KWD", per_euro: 0.33, price_step: 250, below: 0 };
const BHD: Money = Money { code: "BHD", per_euro: 0.41, price_step: 250, below: 0 };
const INR: Money = Money { code: "INR", per_euro: 95.0, price_step: 1000, below: 100 };
const BRL: Money = Money { code: "BRL", per_euro: 6.2, price_step: 100, below: 10 };

/// A few categories that are sold together, and when.
struct Trade {
    season: &'static Season,
    week: [f64; 7],
    categories: &'static [Category],
}

const fn category(
    name: &'static str,
    things: &'static [&'static str],
    variants: &'static [&'static str],
    prices: (f64, f64),
) -> Category {
    Category { name, things, variants, prices }
}

const JEWELLERY: Trade = Trade {
    season: &GIFTS,
    week: LEISURE,
    categories: &[
        category("Rings", &["ring", "signet ring"], &["Silver", "Brass", "Gold-plated"], (35.0, 160.0)),
        category("Earrings", &["hoops", "studs"], &["Silver", "Pearl", "Enamel"], (22.0, 90.0)),
    ],
};
const TOYS: Trade = Trade {
    season: &GIFTS,
    week: LEISURE,
    categories: &[
        category("Wooden toys", &["train", "stacking tower", "pull-along duck"], &["Natural", "Bright"], (14.0, 58.0)),
        category("Puzzles", &["puzzle, 500 pieces", "floor puzzle"], &["Harbour", "Forest", "Night sky"], (12.0, 32.0)),
    ],
};
const GARDEN: Trade = Trade {
    season: &SUMMER,
    week: LEISURE,
    categories: &[
        category("Seeds", &["seed tin", "wildflower mix"], &["Meadow", "Shade", "Kitchen"], (4.0, 14.0)),
        category("Tools", &["hand trowel", "pruning knife", "watering can"], &["Ash", "Copper"], (16.0, 75.0)),
    ],
};
const BATH: Trade = Trade {
    season: &STEADY,
    week: LEISURE,
    categories: &[
        category("Soap", &["soap", "shaving soap"], &["Lavender", "Cedar", "Unscented"], (5.0, 14.0)),
        category("Care", &["hand balm", "bath salt"], &["Rose", "Citrus"], (9.0, 28.0)),
    ],
};
const PANTRY: Trade = Trade {
    season: &STEADY,
    week: LEISURE,
    categories: &[
        category("Preserves", &["jam", "chutney", "honey, 500 g"], &["Spring", "Orchard", "Heather"], (5.0, 16.0)),
        category("Oils", &["olive oil, 500 ml", "vinegar"], &["Mild", "Bold"], (8.0, 29.0)),
    ],
};
const PRINTS: Trade = Trade {
    season: &DESK,
    week: OFFICE,
    categories: &[
        category("Prints", &["print, A3", "print, A2"], &["Coast", "City", "Botanical", "Abstract"], (22.0, 80.0)),
        category("Frames", &["frame, A3", "frame, A2"], &["Oak", "Black"], (28.0, 65.0)),
    ],
};
const KNITWEAR: Trade = Trade {
    season: &WINTER,
    week: LEISURE,
    categories: &[
        category("Knitwear", &["beanie", "mittens", "jumper"], &["Oat", "Moss", "Navy"], (24.0, 145.0)),
        category("Socks", &["wool socks", "house socks"], &["Fleck", "Stripe"], (12.0, 26.0)),
    ],
};
const SURF: Trade = Trade {
    season: &SOUTHERN_SUMMER,
    week: LEISURE,
    categories: &[
        category("Boards", &["handplane", "skimboard"], &["Paulownia", "Cork"], (60.0, 240.0)),
        category("Wax", &["surf wax", "zinc stick"], &["Cool", "Tropical"], (4.0, 12.0)),
    ],
};
const PERFUME: Trade = Trade {
    season: &GIFTS,
    week: GULF,
    categories: &[
        category("Perfume", &["attar", "body oil"], &["Musk", "Saffron", "Lemon"], (18.0, 120.0)),
        category("Home", &["incense", "tray"], &["Small", "Large"], (9.0, 70.0)),
    ],
};

/// Thresholds, rates and growth vary by where a vendor stands in the list.
const fn stall(
    nth: i64,
    names: (&'static str, &'static str),
    place: (&'static str, &'static str),
    money: &Money,
    orders_a_day: f64,
    trade: &Trade,
) -> Seller {
    Seller {
        login: names.0,
        name: names.1,
        country: place.0,
        time_zone: place.1,
        currency: money.code,
        per_euro: money.per_euro,
        price_step: money.price_step,
        below: money.below,
        commission_bps: 800 + nth % 7 * 100,
        low_stock_threshold: 3 + nth % 5 * 3,
        orders_a_day,
        growth: 0.1 + (nth % 6) as f64 * 0.1,
        season: trade.season,
        week: trade.week,
        trade: trade.categories,
    }
}

pub(super) const STALLS: &[Seller] = &[
    stall(1, ("silver", "Silberfaden"), ("Germany", "Europe/Berlin"), &EUR, 1.4, &JEWELLERY),
    stall(2, ("toybox", "Het Houten Paard"), ("Netherlands", "Europe/Amsterdam"), &EUR, 1.8, &TOYS),
    stall(3, ("seeds", "Meadow & Row"), ("United Kingdom", "Europe/London"), &GBP, 1.2, &GARDEN),
    stall(4, ("soap", "Savonnerie du Port"), ("France", "Europe/Paris"), &EUR, 1.1, &BATH),
    stall(5, ("honey", "Bieszczady Honey"), ("Poland", "Europe/Warsaw"), &EUR, 1.5, &PANTRY),
    stall(6, ("prints", "Pressroom Nine"), ("United States", "America/Chicago"), &USD, 1.3, &PRINTS),
    stall(7, ("wool", "Nordan Wool"), ("Sweden", "Europe/Stockholm"), &SEK, 1.0, &KNITWEAR),
    stall(8, ("surf", "Piha Boardworks"), ("New Zealand", "Pacific/Auckland"), &USD, 0.8, &SURF),
    stall(9, ("musk", "Bayt Al Musk"), ("Kuwait", "Asia/Kuwait"), &KWD, 1.2, &PERFUME),
    stall(10, ("pearl", "Dilmun Pearl"), ("Bahrain", "Asia/Bahrain"), &BHD, 0.7, &JEWELLERY),
    stall(11, ("kokeshi", "Yama Toys"), ("Japan", "Asia/Tokyo"), &JPY, 1.6, &TOYS),
    stall(12, ("niwa", "Niwa Tools"), ("Japan", "Asia/Tokyo"), &JPY, 0.9, &GARDEN),
    stall(13, ("pickle", "Nani's Pantry"), ("India", "Asia/Kolkata"), &INR, 1.9, &PANTRY),
    stall(14, ("block", "Jaipur Block Prints"), ("India", "Asia/Kolkata"), &INR, 1.2, &PRINTS),
    stall(15, ("alpine", "Alpenseife"), ("Switzerland", "Europe/Zurich"), &CHF, 0.9, &BATH),
    stall(16, ("fiddle", "Fiddlehead Farm"), ("Canada", "America/Halifax"), &USD, 1.0, &PANTRY),
    stall(17, ("ipanema", "Onda Carioca"), ("Brazil", "America/Sao_Paulo"), &BRL, 1.3, &SURF),
    stall(18, ("andes", "Lana Andina"), ("Chile", "America/Santiago"), &USD, 0.8, &KNITWEAR),
    stall(19, ("desert", "Mesa Silver"), ("United States", "America/Phoenix"), &USD, 1.1, &JEWELLERY),
    stall(20, ("orchard", "Orchard Lane"), ("United Kingdom", "Europe/London"), &GBP, 1.3, &PANTRY),
    stall(21, ("azulejo", "Papel e Tinta"), ("Portugal", "Atlantic/Azores"), &EUR, 0.7, &PRINTS),
    stall(22, ("himal", "Himal Knits"), ("Nepal", "Asia/Kathmandu"), &USD, 0.9, &KNITWEAR),
    stall(23, ("harbour", "Harbour Toys"), ("Australia", "Australia/Sydney"), &USD, 1.0, &TOYS),
    stall(24, ("olive", "Elaiona"), ("Greece", "Europe/Athens"), &EUR, 1.2, &PANTRY),
    stall(25, ("rose", "Isparta Rose"), ("Türkiye", "Europe/Istanbul"), &EUR, 1.1, &BATH),
    stall(26, ("loft", "Loft Frames"), ("United States", "America/Denver"), &USD, 0.8, &PRINTS),
    stall(27, ("fjordknit", "Lofoten Strikk"), ("Norway", "Europe/Oslo"), &EUR, 0.9, &KNITWEAR),
    stall(28, ("verde", "Orto Verde"), ("Italy", "Europe/Rome"), &EUR, 1.0, &GARDEN),
];
