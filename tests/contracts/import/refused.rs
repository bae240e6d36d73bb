use super::*;

/// What is wrong: the table, the text in it, what stands there instead, and the whole message.
const BAD_ROWS: &[(&str, &str, &str, &str)] = &[
    // Fields.
    (
        "vendors",
        "v-jpy,Kaze",
        ",Kaze",
        "vendors.csv, line 3: vendor_id: must be 1 to 100 characters, without control characters",
    ),
    ("vendors", "Kaze", "  ", "vendors.csv, line 3: name: must be 1 to 200 characters, without control characters"),
    (
        "vendors",
        "Asia/Tokyo",
        "Asia/Atlantis",
        "vendors.csv, line 3: time_zone: `Asia/Atlantis` is not the IANA name of a time zone, such as Europe/Berlin",
    ),
    (
        "vendors",
        "Asia/Tokyo",
        "Etc/Unknown",
        "vendors.csv, line 3: time_zone: `Etc/Unknown` is not the IANA name of a time zone, such as Europe/Berlin",
    ),
    (
        "vendors",
        "JPY",
        "yen",
        "vendors.csv, line 3: currency: `yen` is not accepted: three capital letters of ISO 4217, such as EUR",
    ),
    ("vendors", "750", "10001", "vendors.csv, line 3: commission_bps: `10001` is not a whole number from 0 to 10000"),
    (
        "products",
        "p-jpy",
        "p\t1",
        "products.csv, line 3: product_id: must be 1 to 100 characters, without control characters",
    ),
    ("products", "1200", "-1", "products.csv, line 3: unit_price: `-1` is negative"),
    (
        "products",
        "1200,10",
        "1200,+10",
        "products.csv, line 3: stock: `+10` is not a whole number from 0 to 1000000000",
    ),
    (
        "products",
        "archived",
        "deleted",
        "products.csv, line 4: status: `deleted` is not accepted: one of active, archived",
    ),
    ("customers", "Ren", "", "customers.csv, line 3: name: must be 1 to 200 characters, without control characters"),
    (
        "orders",
        "2026-03-28T23:30:00Z",
        "28.3.2026",
        "orders.csv, line 2: placed_at: `28.3.2026` is not an instant as RFC 3339 writes it, such as \
         2026-03-01T09:30:00Z",
    ),
    (
        "orders",
        "2026-03-28T23:30:00Z",
        "2016-12-31T23:59:60Z",
        "orders.csv, line 2: placed_at: `2016-12-31T23:59:60Z` is not an instant as RFC 3339 writes it, such as \
         2026-03-01T09:30:00Z",
    ),
    (
        "orders",
        "12:00:00+02:00",
        "12:00:00+25:00",
        "orders.csv, line 3: placed_at: `2026-03-29T12:00:00+25:00` is not an instant as RFC 3339 writes it, such as \
         2026-03-01T09:30:00Z",
    ),
    (
        "orders",
        "2026-03-28T23:30:00Z",
        "2101-01-01T00:00:00Z",
        "orders.csv, line 2: placed_at: `2101-01-01T00:00:00Z` is not from 1970-01-02 to 2100-12-31",
    ),
    (
        "orders",
        "2026-03-28T23:30:00Z",
        "1970-01-01T23:59:59Z",
        "orders.csv, line 2: placed_at: `1970-01-01T23:59:59Z` is not from 1970-01-02 to 2100-12-31",
    ),
    (
        "orders",
        "processing",
        "completed",
        "orders.csv, line 3: status: `completed` is not accepted: one of pending, processing, shipped, delivered, \
         cancelled, failed",
    ),
    (
        "order_items",
        "p-eur,2",
        "p-eur,0",
        "order_items.csv, line 2: quantity: `0` is not a whole number from 1 to 1000000000",
    ),
    ("order_items", "o-1,1", "o-1,0", "order_items.csv, line 2: line: `0` is not a whole number from 1 to 1000000000"),
    ("order_items", "2.50", "25.01", "order_items.csv, line 2: discount: `25.01` is more than the line's gross, 25.00"),
    ("order_items", "2.50", "-0.00", "order_items.csv, line 2: discount: `-0.00` is negative"),
    (
        "order_items",
        "25.00",
        "1e3",
        "order_items.csv, line 2: gross: `1e3` is not an amount: digits with a point before up to three decimals, \
         such as 12.50",
    ),
    // The form of the file.
    ("orders", "o-2,c-1", "o-2", "orders.csv, line 3: has 3 fields where the header has 4"),
    (
        "orders",
        "placed_at",
        "placed",
        "orders.csv, line 1: placed_at: this column is missing: orders has order_id, customer_id, placed_at, status; \
         this file has order_id, customer_id, placed, status",
    ),
    (
        "orders",
        ",status",
        "",
        "orders.csv, line 1: status: this column is missing: orders has order_id, customer_id, placed_at, status; \
         this file has order_id, customer_id, placed_at",
    ),
    ("orders", "customer_id", "order_id", "orders.csv, line 1: order_id: this column is there twice"),
    // Between rows and files.
    ("vendors", "v-jpy,", "v-eur,", "vendors.csv, line 3: vendor_id: `v-eur` is in this file twice"),
    ("products", "p-kwd", "p-eur", "products.csv, line 4: product_id: `p-eur` is in this file twice"),
    ("customers", "c-2", "c-1", "customers.csv, line 3: customer_id: `c-1` is in this file twice"),
    ("orders", "o-2", "o-1", "orders.csv, line 3: order_id: `o-1` is in this file twice"),
    ("order_items", "o-1,3", "o-1,2", "order_items.csv, line 4: line: order `o-1` has line 2 in this file twice"),
    ("products", "v-jpy", "v-nobody", "products.csv, line 3: vendor_id: there is no vendor `v-nobody`"),
    ("orders", "o-2,c-1", "o-2,c-9", "orders.csv, line 3: customer_id: there is no customer `c-9`"),
    ("order_items", "o-2,1", "o-9,1", "order_items.csv, line 5: order_id: there is no order `o-9`"),
    ("order_items", "p-jpy", "p-9", "order_items.csv, line 3: product_id: there is no product `p-9`"),
    ("products", "12.50", "12.505", "products.csv, line 2: unit_price: `12.505` has more decimals than EUR has (2)"),
    (
        "products",
        "1200",
        "90000000001",
        "products.csv, line 3: unit_price: `90000000001` is too large: at most 90000000000 minor units",
    ),
    (
        "products",
        "12.50",
        "900000001",
        "products.csv, line 2: unit_price: is too large: at most 90000000000 minor units",
    ),
    (
        "order_items",
        "1200,0",
        "1200.50,0",
        "order_items.csv, line 3: gross: `1200.50` has more decimals than JPY has (0)",
    ),
    ("order_items", "2.50", "2.505", "order_items.csv, line 2: discount: `2.505` has more decimals than EUR has (2)"),
    // A thousandfold error for who meant thousands.
    ("products", "12.50", "1.250", "products.csv, line 2: unit_price: `1.250` has more decimals than EUR has (2)"),
    ("products", "12.50", "12.500", "products.csv, line 2: unit_price: `12.500` has more decimals than EUR has (2)"),
    ("products", "1200,10", "1.000,10", "products.csv, line 3: unit_price: `1.000` has more decimals than JPY has (0)"),
    (
        "order_items",
        "1200,0",
        "1200,0.0",
        "order_items.csv, line 3: discount: `0.0` has more decimals than JPY has (0)",
    ),
    (
        "order_items",
        "25.00",
        "900000000.01",
        "order_items.csv, line 2: gross: is too large: at most 90000000000 minor units",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_is_named_by_file_and_line_and_nothing_is_imported() {
    for database in databases().await {
        let db = database.open().await;
        for (table, from, to, message) in BAD_ROWS {
            let error = Bundle::small().replacing(table, from, to).import(&db).await.expect_err(message);
            assert_eq!(error.to_string(), *message, "{}", db.dialect.name());
            for table in ["vendors", "products", "customers", "orders", "vendor_orders", "order_lines", "sales_days"] {
                assert_eq!(count(&db, table).await, 0, "{table} after {message}");
            }
        }
        // The database is as good as ever.
        Bundle::small().imported(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_far_down_a_long_file_is_named_by_its_own_line() {
    let mut customers = String::from("customer_id,name,country\nc-1,Anna,Germany\n\"c-2\",\"Two\",Japan\n");
    for number in 3..5_000 {
        customers.push_str(&format!("c-{number},Customer {number},Germany\n"));
    }
    for database in databases().await {
        let db = database.open().await;
        let bad = format!("{customers}c-5000,,Germany\nc-5001,,Germany\n");
        let error = Bundle::small().with("customers", &bad).import(&db).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "customers.csv, line 5001: name: must be 1 to 200 characters, without control characters"
        );
        let repeated = format!("{customers}c-17,Again,Germany\n");
        let error = Bundle::small().with("customers", &repeated).import(&db).await.unwrap_err();
        assert_eq!(error.to_string(), "customers.csv, line 5001: customer_id: `c-17` is in this file twice");
        assert_eq!(Bundle::small().with("customers", &customers).imported(&db).await.customers, 4_999);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_missing_doubled_or_broken_are_named() {
    for database in databases().await {
        let db = database.open().await;
        let cases = [
            (
                Bundle::small().without("orders"),
                "orders.csv: is missing: a bundle has vendors, products, customers, orders and order_items",
            ),
            (Bundle::small().with_file("orders.csv.gz", &gzip(b"")), "orders.csv.gz: `orders.csv` lies beside it"),
            (
                Bundle::small().without("orders").with_file("orders.csv.gz", b"order_id,customer_id\n"),
                "orders.csv.gz: cannot be read",
            ),
            (
                Bundle::small().with_file("customers.csv", b"customer_id,name,country\nc-1,Jos\xe9,Spain\n"),
                "customers.csv, line 2: is not UTF-8",
            ),
            (Bundle::small().with("customers", ""), "customers.csv, line 1: customer_id: this column is missing"),
        ];
        for (bundle, message) in cases {
            let error = bundle.import(&db).await.expect_err(message).to_string();
            assert!(error.starts_with(message), "{error}");
            assert_eq!(count(&db, "vendors").await, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_contradicts_the_database_is_refused_and_the_database_stays_as_it_was() {
    for database in databases().await {
        let db = database.open().await;
        Bundle::small().with("refunds", REFUNDS).imported(&db).await;
        let before = everything(&db).await;
        let cases = [
            (
                "orders",
                "o-2,c-1",
                "o-2,c-2",
                "orders.csv, line 3: customer_id: order `o-2` belongs to another customer already",
            ),
            (
                "products",
                "p-jpy,v-jpy",
                "p-jpy,v-eur",
                "products.csv, line 3: vendor_id: product `p-jpy` belongs to another vendor already",
            ),
            ("vendors", "JPY", "USD", "vendors.csv, line 3: currency: vendor `v-jpy` has orders in JPY already"),
            (
                "order_items",
                "1,p-eur",
                "1,p-jpy",
                "order_items.csv, line 2: product_id: this line was sold by another vendor",
            ),
            (
                "order_items",
                "p-eur,2,25.00,2.50",
                "p-eur,1,10.00,0",
                "order_items.csv, line 2: gross: refunds of order `o-1`, line 1, come to more than was sold",
            ),
        ];
        for (table, from, to, message) in cases {
            let error = Bundle::small().replacing(table, from, to).import(&db).await.expect_err(message);
            assert_eq!(error.to_string(), message, "{}", db.dialect.name());
            assert_eq!(everything(&db).await, before, "after {message}");
        }
    }
}

/// Of the line of 22.50 EUR: 1 of its 2 units.
const REFUNDS: &str = "order_id,line,quantity,amount,refunded_at\no-1,1,1,11.25,2026-04-01T08:00:00Z\n";

#[tokio::test(flavor = "multi_thread")]
async fn refunds_above_what_was_sold_are_refused_over_all_refunds_of_a_line() {
    let cases = [
        ("o-9,1,1,1.00,2026-04-02T08:00:00Z", "refunds.csv, line 3: order_id: there is no order `o-9`"),
        ("o-1,4,1,1.00,2026-04-02T08:00:00Z", "refunds.csv, line 3: line: order `o-1` has no line 4"),
        ("o-1,2,0,1.50,2026-04-02T08:00:00Z", "refunds.csv, line 3: amount: `1.50` has more decimals than JPY has (0)"),
        ("o-1,2,0,0,2026-04-02T08:00:00Z", "refunds.csv, line 3: amount: must be more than 0 where quantity is 0"),
        (
            "o-1,1,1,1.00,2026-04-01T08:00:00Z",
            "refunds.csv, line 3: refunded_at: order `o-1`, line 1, has a refund of this instant twice",
        ),
        (
            "o-1,1,1,11.26,2026-04-02T08:00:00Z",
            "refunds.csv, line 3: amount: refunds of order `o-1`, line 1, come to more than was sold",
        ),
        (
            "o-1,1,2,1.00,2026-04-02T08:00:00Z",
            "refunds.csv, line 3: quantity: refunds of order `o-1`, line 1, come to more than was sold",
        ),
    ];
    for database in databases().await {
        let db = database.open().await;
        for (row, message) in cases {
            let error =
                Bundle::small().with("refunds", &format!("{REFUNDS}{row}\n")).import(&db).await.expect_err(message);
            assert_eq!(error.to_string(), message, "{}", db.dialect.name());
            assert_eq!(count(&db, "orders").await, 0);
        }
        // With one of them in the database already, the other alone is too much.
        Bundle::small().with("refunds", REFUNDS).imported(&db).await;
        let header = "order_id,line,quantity,amount,refunded_at\n";
        let second = format!("{header}o-1,1,1,11.26,2026-04-02T08:00:00Z\n");
        let error = Bundle::small().with("refunds", &second).import(&db).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "refunds.csv, line 2: amount: refunds of order `o-1`, line 1, come to more than was sold"
        );
        assert_eq!(count(&db, "refunds").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_changes_its_currency_only_with_all_of_its_prices() {
    let vendors = "vendor_id,name,country,time_zone,currency\nv-1,Ton,Germany,Europe/Berlin,EUR\n";
    let products = "product_id,vendor_id,name,category,unit_price,stock,status\n\
                    p-1,v-1,Mug,Mugs,12.50,3,active\np-2,v-1,Bowl,Bowls,20.00,3,archived\n";
    let bundle = |vendors: &str, products: &str| {
        Bundle::small()
            .with("vendors", vendors)
            .with("products", products)
            .with("orders", "order_id,customer_id,placed_at,status\n")
            .with("order_items", "order_id,line,product_id,quantity,gross,discount\n")
    };
    let in_yen = vendors.replace("EUR", "JPY");
    let price_of_one = products.lines().take(2).collect::<Vec<_>>().join("\n").replace("12.50", "1900");
    for database in databases().await {
        let db = database.open().await;
        bundle(vendors, products).imported(&db).await;
        let before = everything(&db).await;
        let header = products.lines().next().expect("a header");
        for (named, products) in [("p-1", header), ("p-2", &price_of_one)] {
            let error = bundle(&in_yen, products).import(&db).await.expect_err(named);
            assert_eq!(
                error.to_string(),
                format!(
                    "vendors.csv, line 2: currency: `JPY` is not accepted: vendor `v-1` has product `{named}` priced \
                     in EUR, and products.csv has no price in JPY for it"
                )
            );
            assert_eq!(everything(&db).await, before);
        }
        // What its vendor has deleted has no price that anybody is shown.
        let mut tx = db.write().await.unwrap();
        tx.execute(sql("UPDATE products SET status = 'deleted' WHERE external_id = 'p-2'")).await.unwrap();
        tx.commit().await.unwrap();
        bundle(&in_yen, &price_of_one).imported(&db).await;
        assert_eq!(integers(&db, "SELECT unit_price FROM products WHERE external_id = 'p-1'").await, [[1_900]]);
        assert_eq!(texts(&db, "SELECT currency FROM vendors").await, ["JPY"]);
    }
}
