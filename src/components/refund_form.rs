use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    feedback::Messages,
    fields::{Input, input, once, select},
    table::{Cell, Column, Row, scrolling, table},
    written::{clipped, written},
};
use crate::{
    domain::{
        accounts::path_segment,
        field_error::FieldError,
        money::Currency,
        orders::{Order, OrderLine},
        refund_commands::RefundedLine,
        returns::RefundReason,
    },
    format,
    islands::RefundTotal,
    server_functions::orders::{RefundForm, RefundOrder, RefundReview},
    words,
};

/// The form that money and goods are given back with. It leads to the same page, which says what would be refunded
/// before it is. `typed` is what it holds.
pub fn refund_form(order: &Order, currency: Currency, typed: Option<&RefundForm>, messages: &Messages) -> AnyView {
    let left: i64 = order.lines.iter().map(OrderLine::amount_left).sum();
    let rows = order.lines.iter().enumerate().map(|(at, line)| row(at, line, currency, typed, messages)).collect();
    let columns = vec![
        Column::text("Product"),
        Column::classed("Refundable", "number left").named(),
        Column::text("Units to return").named(),
        Column::text("Amount (if different)").named(),
    ];
    let whole = Input {
        id: "refund-amount",
        name: Some("form[amount]"),
        label: format!("Or refund a fixed amount ({currency})"),
        kind: "number",
        value: typed.map(|typed| typed.amount.clone()),
        min: Some(currency.to_decimal(1)),
        max: Some(currency.to_decimal(left)),
        step: Some(currency.to_decimal(1)),
        hint: Some(words::split_across(&format::money(currency, left))),
        ..Default::default()
    };
    let reasons = std::iter::once(("", words::NO_REASON))
        .chain(RefundReason::ALL.map(|reason| (reason.as_str(), words::reason(Some(reason)))))
        .collect();
    let reason = typed.map(|typed| typed.reason.clone()).unwrap_or_default();
    // Without `#refund`: what comes then has the focus somewhere in it, which browsers leave out where an address has a
    // place of its own.
    let action = format!("/orders/{}", path_segment(&order.order_id));
    view! {
        <section class="card" id="refund">
            <h2>"Refund"</h2>
            <form method="get" action=action class="stack" data-guard="">
                {messages.summary()}
                <input type="hidden" name="review" value="1"/>
                {scrolling("scroll", "Items to refund", table("plain stacked", columns, rows, None))}
                {input(messages.mark(whole))}
                {select("reason", "form[reason]", "Reason", reasons, &reason)}
                // An island writes what it comes to as it is typed.
                <div class="actions">
                    <button type="submit" data-own="">"Review refund"<span class="total"></span></button>
                    <a class="button quiet" href=everything(order, currency)>{words::refund_everything(&format::money(currency, left))}</a>
                </div>
                <p id="announce" class="unseen" aria-live="polite" data-own=""></p>
            </form>
            <RefundTotal/>
        </section>
    }
    .into_any()
}

/// The same page, asking whether all that is left goes back, and into stock.
fn everything(order: &Order, currency: Currency) -> String {
    let lines = order.lines.iter().filter(|line| line.amount_left() > 0 || line.units_left() > 0);
    let fields = lines.enumerate().map(|(at, line)| {
        let field = |name: &str, value: String| format!("&form[lines][{at}][{name}]={value}");
        let mut fields = field("line", line.line.to_string());
        if line.units_left() > 0 {
            fields += &(field("quantity", line.units_left().to_string()) + &field("restock", "yes".to_owned()));
        } else {
            fields += &field("amount", currency.to_decimal(line.amount_left()));
        }
        fields
    });
    format!("/orders/{}?review=1{}#refund", path_segment(&order.order_id), fields.collect::<String>())
}

fn row(at: usize, line: &OrderLine, currency: Currency, typed: Option<&RefundForm>, messages: &Messages) -> Row {
    let field = |name: &str| format!("form[lines][{at}][{name}]");
    let typed = typed.and_then(|typed| typed.lines.iter().find(|typed| typed.line == line.line.to_string()));
    let number = |name: &str, label: String, value: Option<String>, max: String, step: String| {
        let id = format!("refund-{name}-{}", line.line);
        let (invalid, first) = (messages.at(&id).is_some(), messages.is_first(&id));
        view! {
            <input
                id=id name=field(name) type="number" min="0" max=max step=step value=value aria-label=label
                aria-invalid=invalid.then_some("true") autofocus=first
            />
        }
        .into_any()
    };
    let units = number(
        "quantity",
        format!("Units of {} to return", line.name),
        typed.map(|typed| typed.quantity.clone()),
        line.units_left().to_string(),
        "1".to_owned(),
    );
    let amount = number(
        "amount",
        format!("Amount to refund for {}", line.name),
        typed.map(|typed| typed.amount.clone()),
        currency.to_decimal(line.amount_left()),
        currency.to_decimal(1),
    );
    let is_restocked = typed.is_none_or(|typed| typed.restock.is_some());
    let units = view! {
        {units}
        <label class="pick-row">
            <input type="checkbox" name=field("restock") value="yes" checked=is_restocked
                aria-label=format!("{} {}", words::RESTOCK, line.name)/>
            {words::RESTOCK}
        </label>
    }
    .into_any();
    let product =
        view! { <input type="hidden" name=field("line") value=line.line.to_string()/> {clipped(line.name.clone())} }
            .into_any();
    let left = format!(
        "{} ({})",
        format::money(currency, line.amount_left()),
        format::counted(line.units_left(), "unit", "units")
    );
    Row::from(vec![Cell::View(product), left.into(), units.into(), amount.into()])
}

/// What would be refunded, to be said yes to.
pub fn refund_review(order: &Order, currency: Currency, review: &RefundReview) -> AnyView {
    let amount = format::money(currency, review.amount);
    let rows = review.lines.iter().map(|refunded| {
        let name = order
            .lines
            .iter()
            .find(|line| line.line == refunded.line)
            .map(|line| line.name.clone())
            .unwrap_or_default();
        let dash_or = |count: i64| if refunded.quantity == 0 { "—".to_owned() } else { format::count(count) };
        Row::from(vec![
            clipped(name).into(),
            dash_or(refunded.quantity).into(),
            dash_or(refunded.restocked).into(),
            format::money(currency, refunded.amount).into(),
        ])
    });
    let columns = vec![
        Column::text("Product"),
        Column::classed("Units", "number left").named(),
        Column::number("Restocked").named(),
        Column::classed("Refund", "number chief"),
    ];
    let sum = |of: fn(&RefundedLine) -> i64| review.lines.iter().map(of).sum::<i64>();
    let (units, restocked) = (sum(|line| line.quantity), sum(|line| line.restocked));
    let foot = vec![
        Cell::Text("Total".to_owned()),
        format::count(units).into(),
        format::count(restocked).into(),
        amount.clone().into(),
    ];
    let stock = words::back_into_stock(units, restocked);
    let reason = RefundReason::parse_optional(&review.form.reason).ok().flatten();
    let reason = format!("Reason: {}.", words::reason(reason));
    let back = format!("/orders/{}#refund", path_segment(&order.order_id));
    let hidden = |form: &RefundForm| {
        let mut fields = vec![("form[amount]".to_owned(), form.amount.clone())];
        fields.push(("form[reason]".to_owned(), form.reason.clone()));
        for (at, line) in form.lines.iter().enumerate() {
            for (name, value) in [("line", &line.line), ("quantity", &line.quantity), ("amount", &line.amount)] {
                fields.push((format!("form[lines][{at}][{name}]"), value.clone()));
            }
            fields.extend(line.restock.clone().map(|yes| (format!("form[lines][{at}][restock]"), yes)));
        }
        fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()
    };
    view! {
        <section class="card" id="refund" role="status">
            // Not the button: Enter in a field of the form leads here, and pressed twice it would refund unread.
            <h2 tabindex="-1" autofocus=true>
                {format!("Refund {amount} to ")} {written(order.customer_name.clone())} "?"
            </h2>
            {scrolling("scroll", "What is refunded", table("plain stacked", columns, rows.collect(), Some(foot.into())))}
            <p data-total=amount.clone()>{stock} " " {reason}</p>
            <div class="actions">
                <form method="post" action=RefundOrder::url()>
                    <input type="hidden" name="form[order_id]" value=order.order_id.clone()/>
                    {hidden(&review.form)}
                    {once()}
                    <button type="submit">{format!("Refund {amount}")}</button>
                </form>
                <form method="get" action=back>
                    {hidden(&review.form)}
                    <button class="quiet" type="submit">"Go back"</button>
                </form>
            </div>
        </section>
    }
    .into_any()
}

/// What is wrong with a refund, in the words of whoever typed it: field ids on the page, amounts in the order's
/// currency.
pub fn say(field: &FieldError, form: &RefundForm, order: &Order, currency: Currency) -> Option<(String, String)> {
    let left: i64 = order.lines.iter().map(OrderLine::amount_left).sum();
    let found = |number: &str| order.lines.iter().find(|line| line.line.to_string() == number);
    let of_line = |line: &OrderLine, part: &str| {
        let text = match part {
            "quantity" => words::units_up_to(&line.name, line.units_left()),
            _ => format!("{}: {}", line.name, words::refund_up_to(&format::money(currency, line.amount_left()))),
        };
        Some((format!("refund-{part}-{}", line.line), text))
    };
    match field.field.as_str() {
        "amount" => Some(("refund-amount".to_owned(), words::refund_up_to(&format::money(currency, left)))),
        "form" | "lines" => {
            let has_both = !form.amount.trim().is_empty();
            let text = if has_both { words::NOT_BOTH } else { words::NOTHING_TO_REFUND };
            Some((if has_both { "refund-amount".to_owned() } else { String::new() }, text.to_owned()))
        }
        // `line 2 quantity`, of what was typed: it is no number.
        text if text.starts_with("line ") => {
            let (number, part) = text.trim_start_matches("line ").split_once(' ')?;
            of_line(found(number)?, part)
        }
        // `lines[0].quantity`, counted among the lines that something was typed for.
        text => {
            let (at, part) = text.strip_prefix("lines[")?.split_once("].")?;
            let mut filled = form
                .lines
                .iter()
                .filter(|line| !matches!(line.quantity.trim(), "" | "0") || !line.amount.trim().is_empty());
            of_line(found(&filled.nth(at.parse().ok()?)?.line)?, part)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::orders::OrderStatus, server_functions::orders::RefundFormLine};

    fn order() -> Order {
        let line = |line, name: &str| OrderLine {
            line,
            product_id: "p".to_owned(),
            name: name.to_owned(),
            quantity: 1,
            gross: 1_000,
            discount: 0,
            refunded_quantity: 0,
            refunded_amount: 0,
        };
        Order {
            order_id: "o".to_owned(),
            placed_at: "2026-03-01T10:00:00Z".parse().unwrap(),
            status: OrderStatus::Delivered,
            customer_id: "c".to_owned(),
            customer_name: "Anna".to_owned(),
            lines: vec![line(1, "Clay pot"), line(2, "Peat throw")],
            refunds: Vec::new(),
        }
    }

    #[test]
    fn what_is_refused_is_told_by_product_and_in_its_currency() {
        let euro = Currency::parse("EUR").unwrap();
        let typed = |line: &str, quantity: &str| RefundFormLine {
            line: line.to_owned(),
            quantity: quantity.to_owned(),
            amount: String::new(),
            restock: None,
        };
        let form = RefundForm {
            order_id: "o".to_owned(),
            lines: vec![typed("1", ""), typed("2", "2")],
            amount: String::new(),
            reason: String::new(),
        };
        for (field, id, text) in [
            ("lines[0].quantity", "refund-quantity-2", "Peat throw: only 1 unit can be returned."),
            ("line 1 amount", "refund-amount-1", "Clay pot: You can refund up to €10.00."),
            ("amount", "refund-amount", "You can refund up to €20.00."),
            ("form", "", "Enter units to return or an amount to refund."),
        ] {
            assert_eq!(
                say(&FieldError::new(field, "…"), &form, &order(), euro),
                Some((id.to_owned(), text.to_owned()))
            );
        }
        assert_eq!(say(&FieldError::new("status", "…"), &form, &order(), euro), None);
    }
}
