//! Who sells what in the demo marketplace. Vendors and products are made up.

use std::sync::LazyLock;

use super::{
    makers::MAKERS,
    seasons::{GIFTS, GULF, LEISURE, SOUTHERN_SUMMER, STEADY, SUMMER, Season, WINTER},
    stalls::STALLS,
};

/// Every vendor of the demo: shops, and the stalls beside them.
pub(super) static SELLERS: LazyLock<Vec<Seller>> =
    LazyLock::new(|| MAKERS.iter().chain(SHOPS).chain(STALLS).copied().collect());

/// A vendor of the demo.
#[derive(Clone, Copy)]
pub(super) struct Seller {
    /// Its marketplace id without the prefix, and the name of its login.
    pub login: &'static str,
    pub name: &'static str,
    pub country: &'static str,
    pub time_zone: &'static str,
    pub currency: &'static str,
    /// What a euro's worth costs in the currency.
    pub per_euro: f64,
    /// Prices are multiples of this many minor units, less `below`.
    pub price_step: i64,
    pub below: i64,
    pub commission_bps: i64,
    pub low_stock_threshold: i64,
    /// Orders on an ordinary day at the end of the story.
    pub orders_a_day: f64,
    /// How much of that came in the time told of: 0.4 means that it began at 60 %.
    pub growth: f64,
    pub season: &'static Season,
    /// Monday to Sunday.
    pub week: [f64; 7],
    pub trade: &'static [Category],
}

pub(super) struct Category {
    pub name: &'static str,
    pub things: &'static [&'static str],
    /// A product is a variant of a thing: `Ash` `mug`.
    pub variants: &'static [&'static str],
    /// Euros.
    pub prices: (f64, f64),
}

/// Ordinary prices end in 90 or 50 hundredths.
pub(super) const DEFAULTS: Seller = Seller {
    login: "",
    name: "",
    country: "",
    time_zone: "",
    currency: "EUR",
    per_euro: 1.0,
    price_step: 100,
    below: 10,
    commission_bps: 1200,
    low_stock_threshold: 5,
    orders_a_day: 5.0,
    growth: 0.4,
    season: &STEADY,
    week: LEISURE,
    trade: &[],
};

const SHOPS: &[Seller] = &[
    Seller {
        login: "oud",
        name: "Dar Al Yasmin",
        country: "Kuwait",
        time_zone: "Asia/Kuwait",
        currency: "KWD",
        per_euro: 0.33,
        price_step: 250,
        below: 0,
        commission_bps: 1500,
        low_stock_threshold: 4,
        orders_a_day: 3.6,
        growth: 0.35,
        season: &GIFTS,
        week: GULF,
        trade: &[
            Category {
                name: "Perfume",
                things: &["eau de parfum", "attar"],
                variants: &["Jasmine", "Amber", "Oud", "Rose"],
                prices: (35.0, 190.0),
            },
            Category {
                name: "Incense",
                things: &["bakhoor", "burner"],
                variants: &["Amber", "Sandalwood", "Saffron"],
                prices: (14.0, 80.0),
            },
            Category {
                name: "Gift boxes",
                things: &["gift box"],
                variants: &["Small", "Large", "Eid"],
                prices: (60.0, 240.0),
            },
        ],
    },
    Seller {
        login: "spice",
        name: "Monsoon Spice House",
        country: "India",
        time_zone: "Asia/Kolkata",
        currency: "INR",
        per_euro: 95.0,
        price_step: 1000,
        below: 100,
        commission_bps: 800,
        low_stock_threshold: 30,
        orders_a_day: 7.8,
        growth: 0.55,
        trade: &[
            Category {
                name: "Spices",
                things: &["cardamom", "pepper", "turmeric", "cinnamon"],
                variants: &["Whole", "Ground"],
                prices: (3.0, 12.0),
            },
            Category {
                name: "Blends",
                things: &["masala"],
                variants: &["Garam", "Chai", "Coastal", "Tandoor"],
                prices: (3.5, 9.0),
            },
            Category {
                name: "Teas",
                things: &["tea, 250 g"],
                variants: &["Assam", "Nilgiri", "First flush"],
                prices: (6.0, 24.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "lagoon",
        name: "Lagoon Outfitters",
        country: "Australia",
        time_zone: "Australia/Lord_Howe",
        currency: "AUD",
        per_euro: 1.65,
        commission_bps: 1100,
        orders_a_day: 3.0,
        growth: 0.2,
        season: &SOUTHERN_SUMMER,
        trade: &[
            Category {
                name: "Swim",
                things: &["rash vest", "board shorts"],
                variants: &["Reef", "Kelp", "Coral"],
                prices: (38.0, 85.0),
            },
            Category {
                name: "Snorkelling",
                things: &["mask", "snorkel", "fins"],
                variants: &["Junior", "Adult"],
                prices: (18.0, 70.0),
            },
            Category {
                name: "Shade",
                things: &["sun hat", "beach tent"],
                variants: &["Sand", "Navy"],
                prices: (24.0, 120.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "leather",
        name: "Atelier Garance",
        country: "France",
        time_zone: "Europe/Paris",
        commission_bps: 1400,
        low_stock_threshold: 3,
        orders_a_day: 2.4,
        growth: 0.3,
        season: &GIFTS,
        trade: &[
            Category {
                name: "Bags",
                things: &["tote", "satchel", "clutch"],
                variants: &["Cognac", "Noir", "Olive"],
                prices: (95.0, 320.0),
            },
            Category {
                name: "Small leather",
                things: &["card holder", "belt", "key ring"],
                variants: &["Cognac", "Noir"],
                prices: (18.0, 85.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "coffee",
        name: "Ridgeline Coffee Roasters",
        country: "United States",
        time_zone: "America/Los_Angeles",
        currency: "USD",
        per_euro: 1.1,
        commission_bps: 950,
        low_stock_threshold: 25,
        orders_a_day: 9.0,
        growth: 0.5,
        trade: &[
            Category {
                name: "Beans",
                things: &["beans, 340 g", "beans, 1 kg"],
                variants: &["House", "Decaf", "Dark Harbor", "Sunrise"],
                prices: (14.0, 46.0),
            },
            Category {
                name: "Brewing",
                things: &["dripper", "filters, 100", "kettle"],
                variants: &["Small", "Large"],
                prices: (7.0, 85.0),
            },
            Category {
                name: "Subscriptions",
                things: &["three-month subscription"],
                variants: &["Light", "Dark"],
                prices: (48.0, 66.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "fjord",
        name: "Fjell og Fjord",
        country: "Norway",
        time_zone: "Europe/Oslo",
        currency: "NOK",
        per_euro: 11.6,
        price_step: 1000,
        below: 100,
        commission_bps: 1200,
        orders_a_day: 3.0,
        growth: 0.3,
        season: &SUMMER,
        trade: &[
            Category {
                name: "Camping",
                things: &["tarp", "sleeping mat", "lantern"],
                variants: &["Light", "Expedition"],
                prices: (35.0, 180.0),
            },
            Category {
                name: "Kitchen",
                things: &["camp pot", "spork set", "wood stove"],
                variants: &["Solo", "Duo"],
                prices: (12.0, 95.0),
            },
            Category {
                name: "Clothing",
                things: &["wool base layer", "cap"],
                variants: &["Granite", "Spruce", "Ember"],
                prices: (25.0, 90.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "candles",
        name: "Signal Hill Candles",
        country: "Canada",
        time_zone: "America/St_Johns",
        currency: "CAD",
        per_euro: 1.5,
        commission_bps: 1000,
        low_stock_threshold: 10,
        orders_a_day: 3.6,
        growth: 0.6,
        season: &WINTER,
        trade: &[
            Category {
                name: "Candles",
                things: &["soy candle", "pillar candle"],
                variants: &["Spruce", "Fog bank", "Partridgeberry", "Driftwood"],
                prices: (14.0, 42.0),
            },
            Category {
                name: "Diffusers",
                things: &["reed diffuser"],
                variants: &["Spruce", "Salt air"],
                prices: (24.0, 38.0),
            },
            Category {
                name: "Soap",
                things: &["soap bar"],
                variants: &["Oat", "Juniper", "Kelp"],
                prices: (6.0, 12.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "tiles",
        name: "Casa Maré",
        country: "Portugal",
        time_zone: "Europe/Lisbon",
        commission_bps: 1300,
        low_stock_threshold: 6,
        orders_a_day: 2.7,
        growth: 0.15,
        season: &SUMMER,
        trade: &[
            Category {
                name: "Tiles",
                things: &["hand-painted tile", "tile panel"],
                variants: &["Sardine", "Lemon", "Caravel"],
                prices: (12.0, 160.0),
            },
            Category {
                name: "Table",
                things: &["serving board", "olive dish"],
                variants: &["Cork", "Acacia"],
                prices: (15.0, 55.0),
            },
            Category {
                name: "Linen",
                things: &["tablecloth", "tea towel"],
                variants: &["Azure", "Natural"],
                prices: (11.0, 78.0),
            },
        ],
        ..DEFAULTS
    },
];
