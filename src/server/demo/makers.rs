//! Shops of the demo marketplace that make what they sell: of clay, paper and wool.

use super::{
    cast::{Category, DEFAULTS, Seller},
    seasons::{DESK, GIFTS, OFFICE, WINTER},
};

pub(super) const MAKERS: &[Seller] = &[
    Seller {
        login: "studio",
        name: "Nordlicht Keramik",
        country: "Germany",
        time_zone: "Europe/Berlin",
        commission_bps: 1200,
        low_stock_threshold: 8,
        orders_a_day: 8.4,
        growth: 0.45,
        season: &GIFTS,
        trade: &[
            Category {
                name: "Mugs",
                things: &["mug", "espresso cup", "beaker"],
                variants: &["Fog", "Ash", "Sea", "Ochre"],
                prices: (16.0, 34.0),
            },
            Category {
                name: "Bowls",
                things: &["bowl", "deep plate"],
                variants: &["Fog", "Ash", "Sea"],
                prices: (22.0, 58.0),
            },
            Category {
                name: "Vases",
                things: &["vase", "bud vase"],
                variants: &["Dune", "Birch", "Tide"],
                prices: (28.0, 140.0),
            },
            Category {
                name: "Workshop",
                things: &["starter clay set"],
                variants: &["White", "Stone"],
                prices: (32.0, 48.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "paper",
        name: "Hudson Paper Works",
        country: "United States",
        time_zone: "America/New_York",
        currency: "USD",
        per_euro: 1.1,
        commission_bps: 1000,
        low_stock_threshold: 20,
        orders_a_day: 6.6,
        growth: 0.3,
        season: &DESK,
        week: OFFICE,
        trade: &[
            Category {
                name: "Notebooks",
                things: &["notebook", "pocket notebook"],
                variants: &["Dotted", "Ruled", "Plain", "Grid"],
                prices: (9.0, 24.0),
            },
            Category {
                name: "Planners",
                things: &["weekly planner", "wall calendar"],
                variants: &["Graphite", "Moss", "Coral"],
                prices: (18.0, 42.0),
            },
            Category {
                name: "Cards",
                things: &["card set"],
                variants: &["Thank you", "Birthday", "Botanical", "Winter"],
                prices: (8.0, 18.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "loom",
        name: "Thistle and Loom",
        country: "United Kingdom",
        time_zone: "Europe/London",
        currency: "GBP",
        per_euro: 0.85,
        commission_bps: 1100,
        orders_a_day: 5.4,
        growth: 0.25,
        season: &WINTER,
        trade: &[
            Category {
                name: "Scarves",
                things: &["lambswool scarf", "wrap"],
                variants: &["Heather", "Peat", "Loch", "Bracken"],
                prices: (38.0, 110.0),
            },
            Category {
                name: "Blankets",
                things: &["throw", "blanket"],
                variants: &["Heather", "Peat", "Herringbone"],
                prices: (75.0, 190.0),
            },
            Category {
                name: "Yarn",
                things: &["yarn, 100 g"],
                variants: &["Oat", "Loch", "Bracken", "Slate"],
                prices: (12.0, 22.0),
            },
        ],
        ..DEFAULTS
    },
    Seller {
        login: "stationery",
        name: "Kaze Stationery",
        country: "Japan",
        time_zone: "Asia/Tokyo",
        currency: "JPY",
        per_euro: 165.0,
        price_step: 50,
        below: 0,
        commission_bps: 900,
        low_stock_threshold: 15,
        orders_a_day: 7.2,
        growth: 0.5,
        season: &DESK,
        week: OFFICE,
        trade: &[
            Category {
                name: "Pens",
                things: &["fountain pen", "brush pen", "gel pen"],
                variants: &["Indigo", "Pine", "Sakura"],
                prices: (6.0, 90.0),
            },
            Category {
                name: "Ink",
                things: &["ink, 30 ml"],
                variants: &["Night rain", "Persimmon", "Moss garden", "Old gold"],
                prices: (12.0, 26.0),
            },
            Category {
                name: "Washi",
                things: &["washi tape", "origami set"],
                variants: &["Wave", "Crane", "Maple"],
                prices: (4.0, 18.0),
            },
        ],
    },
];
