use jiff::Timestamp;
use vendorscope::server::demo;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_lively_ends_today_is_the_same_everywhere_and_is_not_told_twice() {
    let mut all = Vec::new();
    let now = Timestamp::now();
    for database in databases().await {
        let db = database.open().await;
        let logins = demo::demo(&db, now, &Unwatched).await.unwrap();
        let before = everything(&db).await;

        assert_eq!(logins[0].email, "admin@demo.example");
        assert_eq!(logins.len() as i64, 1 + count(&db, "vendors").await);
        assert_eq!(logins.len() as i64, count(&db, "users").await);
        for (what, query) in [
            ("currencies", "SELECT COUNT(DISTINCT currency) - 4 FROM vendors"),
            ("time zones", "SELECT COUNT(DISTINCT time_zone) - 6 FROM vendors"),
            ("statuses", "SELECT COUNT(DISTINCT status) - 5 FROM orders"),
            (
                "full refunds",
                "SELECT COUNT(*) FROM refunds r JOIN order_lines l ON l.order_id = r.order_id \
                 AND l.line = r.line WHERE r.quantity = l.quantity",
            ),
            (
                "partial refunds",
                "SELECT COUNT(*) FROM refunds r JOIN order_lines l ON l.order_id = r.order_id \
                 AND l.line = r.line WHERE r.amount < l.gross - l.discount",
            ),
            (
                "orders of several vendors",
                "SELECT COUNT(*) FROM (SELECT order_id FROM vendor_orders GROUP BY order_id \
                 HAVING COUNT(*) > 1) AS several",
            ),
            ("reasons of refunds", "SELECT COUNT(DISTINCT reason) - 4 FROM refunds"),
            ("refunds without one", "SELECT COUNT(*) FROM refunds WHERE reason IS NULL"),
            ("prices that changed", "SELECT COUNT(*) - 20 FROM notes WHERE kind = 'price'"),
            (
                "lines at a price that was",
                "SELECT COUNT(*) FROM order_lines l JOIN products p ON p.id = l.product_id \
                 WHERE l.gross <> l.quantity * p.unit_price",
            ),
            ("discounts", "SELECT COUNT(*) FROM order_lines WHERE discount > 0"),
            ("commission", "SELECT COUNT(*) FROM order_lines WHERE commission > 0"),
            (
                "low stock",
                "SELECT COUNT(*) FROM products p JOIN vendors v ON v.id = p.vendor_id WHERE p.status = 'active' \
                 AND p.stock <= v.low_stock_threshold",
            ),
            (
                "customers who come back",
                "SELECT COUNT(*) FROM (SELECT customer_id FROM vendor_orders GROUP BY vendor_id, customer_id \
                 HAVING COUNT(*) > 3) AS loyal",
            ),
        ] {
            assert!(integers(&db, query).await[0][0] > 0, "{what}");
        }
        let twice = "SELECT COUNT(*) FROM (SELECT order_id FROM order_lines GROUP BY order_id, product_id \
            HAVING COUNT(*) > 1) AS twice";
        assert_eq!(integers(&db, twice).await[0][0], 0, "no order has two lines of one product");
        let wrong = "SELECT COUNT(*) FROM order_lines l JOIN orders o ON o.id = l.order_id \
            JOIN products p ON p.id = l.product_id LEFT JOIN notes n ON n.product_id = p.id AND n.kind = 'price' \
            AND n.noted_us > o.placed_us \
            WHERE l.gross <> l.quantity * COALESCE(CAST(n.was AS BIGINT), p.unit_price)";
        assert_eq!(integers(&db, wrong).await[0][0], 0, "each line was sold at the price of its day");
        let span = integers(&db, "SELECT MIN(placed_us), MAX(placed_us) FROM orders").await;
        let now_us = now.as_microsecond();
        assert!(span[0][1] <= now_us && span[0][1] > now_us - 2 * 86_400_000_000, "the newest order is fresh");
        assert!(span[0][0] < now_us - 400 * 86_400_000_000, "the oldest is more than a year old");

        assert_eq!(demo::demo(&db, Timestamp::now(), &Unwatched).await.unwrap(), logins);
        assert_eq!(everything(&db).await, before);
        assert_eq!(logins.len() as i64, count(&db, "users").await);
        all.push(before);
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_refuses_a_database_with_other_vendors() {
    for database in databases().await {
        let db = database.open().await;
        Bundle::small().imported(&db).await;
        let before = everything(&db).await;
        let error = demo::demo(&db, Timestamp::now(), &Unwatched).await.unwrap_err();
        assert!(matches!(error, ImportError::Occupied), "{error}");
        assert_eq!(everything(&db).await, before);
        assert_eq!(count(&db, "users").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_refuses_vendors_that_are_called_as_its_own_are_and_makes_no_logins() {
    for database in databases().await {
        let db = database.open().await;
        let mut bundle = Bundle::small();
        for (vendor, demo) in [("v-eur", "demo-eur"), ("v-jpy", "demo-jpy"), ("v-kwd", "demo-kwd")] {
            bundle = bundle.replacing("vendors", vendor, demo).replacing("products", vendor, demo);
        }
        bundle.imported(&db).await;
        let error = demo::demo(&db, Timestamp::now(), &Unwatched).await.unwrap_err();
        assert!(matches!(error, ImportError::Occupied), "{error}");
        assert_eq!(count(&db, "users").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_ends_in_the_middle_leaves_nothing_so_that_the_next_one_is_whole() {
    use vendorscope::server::db::Dialect;
    for database in databases().await {
        let db = database.open().await;
        // Prices that change are the last that it notes of its marketplace.
        let full = match db.dialect {
            Dialect::Postgres => "ALTER TABLE notes ADD CONSTRAINT is_full CHECK (id < 0)",
            Dialect::Sqlite => "CREATE TRIGGER is_full BEFORE INSERT ON notes BEGIN SELECT RAISE(ABORT, 'full'); END",
        };
        let mut tx = db.write().await.unwrap();
        tx.execute(sql(full)).await.unwrap();
        tx.commit().await.unwrap();
        demo::demo(&db, Timestamp::now(), &Unwatched).await.unwrap_err();
        assert_eq!((count(&db, "vendors").await, count(&db, "users").await), (0, 0));
    }
}
