use vendorscope::server::db::rollups::Touched;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bundle_again_changes_nothing() {
    for database in databases().await {
        let db = database.open().await;
        let first = import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.unwrap();
        let before = everything(&db).await;
        let second = import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.unwrap();
        assert_eq!(second, ImportReport { changed: 0, vendors_changed: Vec::new(), ..first });
        assert_eq!(everything(&db).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_one_line_of_the_audit_log_and_one_that_changes_nothing_or_is_refused_is_none() {
    for database in databases().await {
        let db = database.open().await;
        for _ in 0..2 {
            import_bundle(&db, &northwind(), ImportOptions::default(), &Unwatched).await.unwrap();
        }
        let broken = Bundle::small().replacing("orders", "processing", "lost");
        import_bundle(&db, broken.path(), ImportOptions::default(), &Unwatched).await.unwrap_err();
        let mut tx = db.read().await.unwrap();
        let noted = tx.rows(sql("SELECT actor, action, detail, became FROM audit_log")).await.unwrap();
        let [line] = &noted[..] else { panic!("{} lines", noted.len()) };
        let text = |column: &str| sqlx::Row::get::<String, _>(line, column);
        assert_eq!((text("actor"), text("action")), ("cli".to_owned(), "import".to_owned()));
        assert!(text("detail").ends_with("northwind"), "{}", text("detail"));
        let became: serde_json::Value = serde_json::from_str(&text("became")).unwrap();
        assert_eq!((&became["orders"], &became["lines"]), (&830.into(), &2155.into()), "{became}");
        assert!(became["rowsChanged"].as_u64().is_some_and(|rows| rows > 3_000), "{became}");
    }
}

type Change = fn(Bundle) -> Bundle;

#[tokio::test(flavor = "multi_thread")]
async fn changes_to_a_bundle_lead_to_what_importing_the_changed_one_alone_leads_to() {
    let refunds = "order_id,line,quantity,amount,refunded_at\n\
                   o-1,1,1,11.25,2026-04-01T08:00:00Z\no-1,3,0,7.000,2026-03-31T21:30:00Z\n";
    let changes: [(&str, Change, &[&str]); 10] = [
        ("a vendor moves", |b| b.replacing("vendors", "Asia/Tokyo", "Pacific/Honolulu"), &["v-jpy"]),
        ("a vendor with refunds moves", |b| b.replacing("vendors", "Asia/Kuwait", "Pacific/Kiritimati"), &["v-kwd"]),
        ("a product is renamed", |b| b.replacing("products", "Pen,", "Brush pen,"), &["v-jpy"]),
        ("a customer marries", |b| b.replacing("customers", "Anna", "Anna Sommer"), &["v-eur", "v-jpy", "v-kwd"]),
        (
            "an order is backdated",
            |b| b.replacing("orders", "2026-03-28T23:30:00Z", "2025-12-31T22:30:00Z"),
            &["v-eur", "v-jpy", "v-kwd"],
        ),
        ("an order is cancelled", |b| b.replacing("orders", "processing", "cancelled"), &["v-eur"]),
        ("a line grows", |b| b.replacing("order_items", "p-eur,2,25.00,2.50", "p-eur,3,37.50,3.33"), &["v-eur"]),
        (
            "a vendor joins an order",
            |b| b.replacing("order_items", "o-2,1,p-eur", "o-2,2,p-jpy,1,900,0\no-2,1,p-eur"),
            &["v-jpy"],
        ),
        (
            "an order is added",
            |b| {
                b.replacing("orders", "o-2,", "o-3,c-2,2024-02-29T12:00:00Z,shipped\no-2,").replacing(
                    "order_items",
                    "o-2,1",
                    "o-3,7,p-kwd,1,7.250,0\no-2,1",
                )
            },
            &["v-kwd"],
        ),
        (
            "a refund grows and another follows",
            |b| {
                b.replacing("refunds", "11.25", "11.26").replacing(
                    "refunds",
                    "o-1,3,0",
                    "o-1,1,1,11.24,2026-04-03T00:00:00Z\no-1,3,0",
                )
            },
            &["v-eur"],
        ),
    ];
    for database in databases().await {
        for (what, change, vendors) in changes {
            let (_kept, db) = database_like(&database.open().await).await;
            Bundle::small().with("refunds", refunds).imported(&db).await;
            let changed = change(Bundle::small().with("refunds", refunds));
            let report = changed.imported(&db).await;
            assert_eq!(report.vendors_changed, vendors, "{what}");
            assert!(report.changed > 0, "{what}");

            let (_fresh, alone) = database_like(&db).await;
            changed.imported(&alone).await;
            assert_eq!(everything(&db).await, everything(&alone).await, "{what}, on {}", db.dialect.name());
            assert_eq!(changed.imported(&db).await.changed, 0, "{what}, a second time");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bundle_does_not_mention_stays() {
    for database in databases().await {
        let db = database.open().await;
        Bundle::small().imported(&db).await;
        let before = everything(&db).await;
        let empty = Bundle::new()
            .with("vendors", "vendor_id,name,country,time_zone,currency\n")
            .with("products", "product_id,vendor_id,name,category,unit_price,stock,status\n")
            .with("customers", "customer_id,name,country\n")
            .with("orders", "order_id,customer_id,placed_at,status\n")
            .with("order_items", "order_id,line,product_id,quantity,gross,discount\n");
        assert_eq!(empty.imported(&db).await, ImportReport::default());
        // A day's orders alone, for vendors, products and customers that are there.
        let refers = empty
            .with("orders", "order_id,customer_id,placed_at,status\no-7,c-2,2026-05-01T00:00:00Z,pending\n")
            .with("order_items", "order_id,line,product_id,quantity,gross,discount\no-7,1,p-jpy,1,1200,0\n");
        assert_eq!(refers.imported(&db).await.changed, 3);
        let after = everything(&db).await;
        assert!(before.iter().all(|row| after.contains(row)), "nothing is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendors_own_edit_of_a_status_survives_until_the_marketplaces_status_changes() {
    let statuses = "SELECT v.external_id || ' ' || t.status FROM vendor_orders t JOIN vendors v ON v.id = t.vendor_id
                    JOIN orders o ON o.id = t.order_id WHERE o.external_id = 'o-1' ORDER BY v.external_id";
    for database in databases().await {
        let db = database.open().await;
        Bundle::small().imported(&db).await;
        set_status(&db, "v-jpy", "o-1", "cancelled").await;
        let edited = everything(&db).await;

        assert_eq!(Bundle::small().imported(&db).await.changed, 0);
        assert_eq!(everything(&db).await, edited);
        // A change elsewhere in the same part leaves the edit alone, too.
        let grown = |bundle: Bundle| bundle.replacing("order_items", "p-jpy,1,1200", "p-jpy,2,2400");
        grown(Bundle::small()).imported(&db).await;
        assert_eq!(texts(&db, statuses).await, ["v-eur delivered", "v-jpy cancelled", "v-kwd delivered"]);

        let report = grown(Bundle::small()).replacing("orders", "delivered", "shipped").imported(&db).await;
        assert_eq!(texts(&db, statuses).await, ["v-eur shipped", "v-jpy shipped", "v-kwd shipped"]);
        assert_eq!(report.vendors_changed, ["v-eur", "v-jpy", "v-kwd"]);
        let (_fresh, alone) = database_like(&db).await;
        grown(Bundle::small()).replacing("orders", "delivered", "shipped").imported(&alone).await;
        assert_eq!(everything(&db).await, everything(&alone).await);
    }
}

/// As a vendor's request does it.
async fn set_status(db: &Db, vendor: &str, order: &str, status: &str) {
    let pair = format!(
        "SELECT v.id, o.id FROM vendors v CROSS JOIN orders o WHERE v.external_id = '{vendor}' \
         AND o.external_id = '{order}'"
    );
    let pair = integers(db, &pair).await;
    let touched = [(pair[0][0], pair[0][1])];
    let mut tx = db.write().await.unwrap();
    rollups::retract(&mut tx, &Touched::Orders(&touched)).await.unwrap();
    let update = sql("UPDATE vendor_orders SET status = $1 WHERE vendor_id = $2 AND order_id = $3");
    tx.execute(update.bind(status.to_owned()).bind(touched[0].0).bind(touched[0].1)).await.unwrap();
    rollups::add(&mut tx, &Touched::Orders(&touched)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_keeps_the_commission_it_was_sold_at() {
    let commissions = "SELECT l.commission FROM order_lines l JOIN orders o ON o.id = l.order_id
                       JOIN vendors v ON v.id = l.vendor_id WHERE v.external_id = 'v-eur'
                       ORDER BY o.external_id, l.line";
    for database in databases().await {
        let db = database.open().await;
        Bundle::small().imported(&db).await;
        let dearer = |bundle: Bundle| bundle.replacing("vendors", "EUR,1000", "EUR,2000");
        assert_eq!(dearer(Bundle::small()).imported(&db).await.vendors_changed, ["v-eur"]);
        assert_eq!(integers(&db, commissions).await.concat(), [225, 125]);
        // A correction is of what was sold, and by the rate it was sold at: 10 % of 23.00.
        dearer(Bundle::small()).replacing("order_items", "p-eur,2,25.00", "p-eur,2,25.50").imported(&db).await;
        assert_eq!(integers(&db, commissions).await.concat(), [230, 125]);
        // What is sold from then on is sold at today's.
        let another = |bundle: Bundle| bundle.replacing("order_items", "o-2,1", "o-2,2,p-eur,1,12.5,0\no-2,1");
        another(dearer(Bundle::small())).imported(&db).await;
        assert_eq!(integers(&db, commissions).await.concat(), [225, 125, 250]);
        // Where the file does not say, the rate stays.
        let silent = Bundle::small()
            .with("vendors", "vendor_id,name,country,time_zone,currency\nv-eur,Ton,Germany,Europe/Berlin,EUR\n");
        silent.imported(&db).await;
        assert_eq!(integers(&db, "SELECT commission_bps FROM vendors WHERE external_id = 'v-eur'").await, [[2_000]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_line_and_what_its_refunds_gave_back_keep_the_rate_it_was_sold_at() {
    const LARGEST: i64 = 10_800_000_000;
    let lines = "order_id,line,product_id,quantity,gross,discount\n\
                 o-1,1,p-eur,1,100.00,0\no-1,2,p-eur,1,12.50,12.50\no-1,3,p-eur,1,8.13,0\n\
                 o-1,4,p-eur,1,900000000.00,0\n";
    let refunds = "order_id,line,quantity,amount,refunded_at\no-1,1,0,50.00,2026-04-01T00:00:00Z\n";
    let commissions = "SELECT commission FROM order_lines ORDER BY line";
    let at_rate = |rate: &str, lines: &str| {
        Bundle::small().replacing("vendors", "EUR,1000", &format!("EUR,{rate}")).with("order_items", lines)
    };
    for database in databases().await {
        for (from, to, expected) in [
            ("100.00,0\n", "100.00,0.01\n", [1_200, 0, 98, LARGEST]),
            ("100.00,0\n", "100.00,20.00\n", [960, 0, 98, LARGEST]),
            ("1,8.13,0", "3,8.13,0", [1_200, 0, 98, LARGEST]),
            ("1,8.13,0", "2,16.26,0", [1_200, 0, 196, LARGEST]),
            ("900000000.00", "899999999.99", [1_200, 0, 98, LARGEST]),
            ("900000000.00", "800000000.00", [1_200, 0, 98, LARGEST / 9 * 8]),
            // Where nothing was charged that a rate could be told by, it is today's.
            ("12.50,12.50", "12.50,0", [1_200, 250, 98, LARGEST]),
        ] {
            let (_kept, db) = database_like(&database.open().await).await;
            at_rate("1200", lines).with("refunds", refunds).imported(&db).await;
            assert_eq!(integers(&db, commissions).await.concat(), [1_200, 0, 98, LARGEST]);
            at_rate("2000", &lines.replace(from, to)).imported(&db).await;
            assert_eq!(integers(&db, commissions).await.concat(), expected, "{from} {to}, {}", db.dialect.name());
            assert_eq!(integers(&db, "SELECT commission FROM refunds").await, [[600]], "half of what the line was");
            // Corrected back, as if nothing had been; and the sums are those of the lines.
            at_rate("2000", lines).imported(&db).await;
            assert_eq!(integers(&db, commissions).await.concat()[0], 1_200);
            everything(&db).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_its_vendor_has_deleted_stays_deleted() {
    for database in databases().await {
        let db = database.open().await;
        Bundle::small().imported(&db).await;
        let mut tx = db.write().await.unwrap();
        tx.execute(sql("UPDATE products SET status = 'deleted' WHERE external_id = 'p-jpy'")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(Bundle::small().imported(&db).await.changed, 0);
        Bundle::small().replacing("products", "Pen,", "Brush pen,").imported(&db).await;
        assert_eq!(
            texts(&db, "SELECT name || ' ' || status FROM products WHERE external_id = 'p-jpy'").await,
            ["Brush pen deleted"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_give_back_their_share_of_the_commission_and_never_more_than_all_of_it() {
    // 7 units of 1.00 EUR at 10 %: a commission of 70 cents is shared out, whatever order the refunds are told in.
    let sold = |bundle: Bundle| bundle.replacing("order_items", "p-eur,2,25.00,2.50", "p-eur,7,7.00,0.00");
    let header = "order_id,line,quantity,amount,refunded_at\n";
    let rows = [
        "o-1,1,1,0.33,2026-04-01T00:00:00Z\n",
        "o-1,1,1,0.34,2026-04-02T00:00:00Z\n",
        "o-1,1,5,6.33,2026-04-03T00:00:00Z\n",
    ];
    let shares = "SELECT commission FROM refunds ORDER BY refunded_us";
    for database in databases().await {
        let db = database.open().await;
        sold(Bundle::small()).with("refunds", &format!("{header}{}", rows[1])).imported(&db).await;
        assert_eq!(integers(&db, shares).await.concat(), [3]);
        sold(Bundle::small()).with("refunds", &format!("{header}{}", rows[0])).imported(&db).await;
        // 3.3 is 3, 6.7 is 7: the second takes what is left.
        assert_eq!(integers(&db, shares).await.concat(), [3, 4]);
        sold(Bundle::small()).with("refunds", &format!("{header}{}", rows[2])).imported(&db).await;
        assert_eq!(integers(&db, shares).await.concat(), [3, 4, 63]);

        let sums = "SELECT CAST(SUM(gross) AS BIGINT), CAST(SUM(returns) AS BIGINT), CAST(SUM(commission) AS BIGINT), \
             CAST(SUM(units) AS BIGINT)
                    FROM sales_days t JOIN vendors v ON v.id = t.vendor_id WHERE v.external_id = 'v-eur'";
        // The line refunded in full, and the other order's 12.50.
        assert_eq!(integers(&db, sums).await, [[700 + 1_250, 700, 125, 1]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_of_the_largest_amounts_are_exact() {
    // 900,000,000.00 EUR at 99.99 %: the product of commission and refund is far beyond 64 bits.
    let bundle = Bundle::small()
        .replacing("vendors", "EUR,1000", "EUR,9999")
        .replacing("order_items", "p-eur,2,25.00,2.50", "p-eur,2,900000000.00,0.00")
        .with(
            "refunds",
            "order_id,line,quantity,amount,refunded_at\n\
             o-1,1,1,123456789.01,2026-04-01T00:00:00Z\n\
             o-1,1,1,776543210.98,2026-04-02T00:00:00Z\n",
        );
    let (net, commission) = (90_000_000_000_i128, 89_991_000_000_i128);
    let upto = |refunded: i128| i64::try_from((2 * commission * refunded + net) / (2 * net)).unwrap();
    let (first, both) = (upto(12_345_678_901), upto(89_999_999_999));
    for database in databases().await {
        let db = database.open().await;
        bundle.imported(&db).await;
        assert_eq!(
            integers(&db, "SELECT commission FROM refunds ORDER BY refunded_us").await.concat(),
            [first, both - first]
        );
    }
}
