use super::*;

const AT: &str = "2026-04-03T10:00:00Z";

fn of_line(line: i64, quantity: i64, amount: i64) -> Value {
    json!({ "orderId": "x1", "line": line, "quantity": quantity, "amount": amount, "refundedAt": AT })
}

fn of_order(amount: i64) -> Value {
    json!({ "orderId": "x1", "amount": amount, "refundedAt": AT })
}

async fn refund_errors(admin: &Client, rows: Value) -> Value {
    problem(send(admin, "refunds", rows).await, 422, "invalid").await["errors"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_an_order_is_never_taken_for_one_of_a_line_that_comes_to_the_same() {
    for (app, admin) in apps().await {
        answered(send(&admin, "orders", json!([shared_order()])).await, 200).await;
        let before = contents(&app.state().db).await;
        let both = "`2026-04-03T10:00:00Z` is that of refunds[LINE] too, of line 1 of this order: \
                    a refund of the order as a whole needs an instant of its own";
        for (rows, order, line) in [
            (json!([of_line(1, 1, 500), of_order(500)]), 1, 0),
            (json!([of_order(500), of_line(1, 0, 500)]), 0, 1),
            (json!([of_order(300), of_line(1, 1, 500)]), 0, 1),
        ] {
            assert_eq!(
                refund_errors(&admin, rows).await,
                json!([{ "field": format!("refunds[{order}].refundedAt"),
                    "message": both.replace("LINE", &line.to_string()) }])
            );
        }
        assert_eq!(contents(&app.state().db).await, before);

        // One request after the other.
        answered(send(&admin, "refunds", json!([of_line(1, 1, 500)])).await, 200).await;
        let before = contents(&app.state().db).await;
        for amount in [500, 300] {
            assert_eq!(
                refund_errors(&admin, json!([of_order(amount)])).await,
                json!([{ "field": "refunds[0].refundedAt", "message": "`2026-04-03T10:00:00Z` is that of a refund of \
                    line 1 already: a refund of the order as a whole needs an instant of its own" }])
            );
        }
        assert_eq!(contents(&app.state().db).await, before);
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_an_order_sent_again_is_known_by_its_amount_and_takes_a_reason() {
    for (app, admin) in apps().await {
        let (eur, nyc) = (app.log_in_as_vendor("eur").await, app.log_in_as_vendor("nyc").await);
        answered(send(&admin, "orders", json!([shared_order()])).await, 200).await;
        assert_eq!(answered(send(&admin, "refunds", json!([of_order(340)])).await, 200).await, counts(1, 0, 0));
        assert_eq!(
            refund_errors(&admin, json!([of_order(300)])).await,
            json!([{ "field": "refunds[0].amount", "message": "`300` is not what the refund of the order at this \
                instant came to, 340 minor units: another refund needs an instant of its own" }])
        );
        let with_reason = |reason: &str| {
            let mut refund = of_order(340);
            refund["reason"] = json!(reason);
            json!([refund])
        };
        for (rows, updated) in [
            (with_reason("late"), 1),
            (json!([of_order(340)]), 0),
            (with_reason("late"), 0),
            (with_reason("damaged"), 1),
        ] {
            assert_eq!(answered(send(&admin, "refunds", rows).await, 200).await, counts(0, updated, 1 - updated));
        }
        for (vendor, amount) in [(&eur, 243), (&nyc, 97)] {
            let refunds = vendor.get_json("/api/vendor/orders/x1").await["refunds"].take();
            let told: Vec<_> =
                refunds.as_array().expect("a list").iter().map(|r| (&r["amount"], &r["reason"])).collect();
            assert_eq!(told, [(&json!(amount), &json!("damaged"))]);
        }
        sums_are_right(&app).await;
    }
}
