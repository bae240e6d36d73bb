//! Customers of a range whose last day counts up to an hour.

use vendorscope::domain::{accounts::VendorRef, period::DateRange, snapshot::CustomersUntil};

use crate::harness::{Market, TestApp, databases};

#[tokio::test(flavor = "multi_thread")]
async fn who_came_after_the_hour_on_the_last_day_is_not_counted() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let eur: VendorRef = app.state().accounts.find_vendor("eur").await.expect("a vendor");
        // Anna came on the 10th, Ren on the 12th at 13:00 in Berlin; Ren's order of the 14th does not count.
        for (from, to, hour, customers, of_last_day) in [
            ("2026-03-01", "2026-03-12", 13, 1, 0),
            ("2026-03-01", "2026-03-12", 14, 2, 1),
            ("2026-03-12", "2026-03-12", 14, 1, 1),
            ("2026-03-11", "2026-03-14", 23, 1, 0),
            ("2026-03-10", "2026-03-10", 13, 0, 0),
        ] {
            let range = DateRange::parse(from, to).expect("a range");
            let (counted, _) = app.state().analytics.customers_until(&eur, range, hour).await.expect("a count");
            let expected = CustomersUntil { customers, of_last_day, new_on_last_day: of_last_day };
            assert_eq!(counted, expected, "{from} to {to}, {hour}:00, {}", app.state().db.dialect.name());
        }
    }
}
