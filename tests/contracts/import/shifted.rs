use jiff::{Timestamp, ToSpan};

use super::*;

const DAY: i64 = 86_400_000_000;
const SHIFTED: ImportOptions = ImportOptions { shift_to_today: true, encoding: None };

async fn shifted(bundle: &Bundle, db: &Db) -> ImportReport {
    import_bundle(db, bundle.path(), SHIFTED, &Unwatched).await.unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn shifted_to_today_everything_moves_by_the_same_days_and_nothing_lies_in_the_future() {
    let instants = "SELECT placed_us FROM orders UNION ALL SELECT refunded_us FROM refunds ORDER BY 1";
    for database in databases().await {
        for (newest, refunds) in [
            ("2026-03-29T00:00:00Z", ""),
            ("2026-03-29T23:59:59Z", ""),
            ("2026-03-29T12:00:00Z", "o-2,1,0,1.00,2026-05-30T23:59:59Z\n"),
        ] {
            let refunds = format!("order_id,line,quantity,amount,refunded_at\n{refunds}");
            let bundle =
                Bundle::small().replacing("orders", "2026-03-29T12:00:00+02:00", newest).with("refunds", &refunds);
            let (_one, db) = database_like(&database.open().await).await;
            bundle.imported(&db).await;
            let before: Vec<i64> = integers(&db, instants).await.concat();

            let (_other, db) = database_like(&db).await;
            let earliest = Timestamp::now().as_microsecond();
            shifted(&bundle, &db).await;
            let after: Vec<i64> = integers(&db, instants).await.concat();

            let last = *after.last().unwrap();
            assert!(last > earliest - DAY && last <= Timestamp::now().as_microsecond(), "{newest}: {last}");
            let by: Vec<i64> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
            assert_eq!(by[0] % DAY, 0);
            assert_eq!(by, vec![by[0]; before.len()]);
        }
    }
}

/// A bundle of which the newest refund is so many days and an hour old, with two refunds of a line a day apart.
fn days_old(days: i64) -> Bundle {
    let at = |hours: i64| (Timestamp::now() - (days * 24 + hours).hours()).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let orders = format!(
        "order_id,customer_id,placed_at,status\no-1,c-1,{},delivered\no-2,c-1,{},processing\n",
        at(24 * 9),
        at(24 * 5)
    );
    let refunds = format!(
        "order_id,line,quantity,amount,refunded_at\no-1,1,0,5.00,{}\no-1,1,1,6.00,{}\no-2,1,0,1.00,{}\n",
        at(25),
        at(1),
        at(30)
    );
    Bundle::small().with("orders", &orders).with("refunds", &refunds)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_there_by_other_dates_takes_its_refunds_along_and_has_none_of_them_twice() {
    for database in databases().await {
        // By one day, each refund comes to where another one was.
        for days in [1, 40] {
            let bundle = days_old(days);
            let (_one, db) = database_like(&database.open().await).await;
            bundle.imported(&db).await;
            let plain = everything(&db).await;
            shifted(&bundle, &db).await;
            let (_other, alone) = database_like(&db).await;
            shifted(&bundle, &alone).await;
            assert_eq!(everything(&db).await, everything(&alone).await, "{days} days, on {}", db.dialect.name());
            assert_eq!(shifted(&bundle, &db).await.changed, 0, "a second time");
            // And back again.
            bundle.imported(&db).await;
            assert_eq!(everything(&db).await, plain, "{days} days back, on {}", db.dialect.name());
            assert_eq!(bundle.imported(&db).await.changed, 0, "a second time");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shifted_order_takes_along_what_the_bundle_does_not_say_was_refunded() {
    let apart = "SELECT r.refunded_us - o.placed_us FROM refunds r JOIN orders o ON o.id = r.order_id ORDER BY r.id";
    for database in databases().await {
        let db = database.open().await;
        let bundle = days_old(40);
        bundle.imported(&db).await;
        let before = integers(&db, apart).await;
        shifted(&bundle.without("refunds"), &db).await;
        assert_eq!(integers(&db, apart).await, before);
        everything(&db).await;
    }
}
