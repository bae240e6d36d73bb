use leptos::{html, prelude::*};

use super::{
    feedback::{Refused, refusal},
    fields::{Input, input, reset_when_shown_anew},
    table::{Cell, Column, Row, scrolling, table},
    written::written,
};
use crate::{
    domain::{
        money::Currency,
        orders::{Order, OrderLine},
    },
    format,
    server_functions::orders::RefundOrder,
};

/// The form that money and goods are given back with. Field names are those of the server function's one argument, `form`.
#[component]
pub fn RefundForm(action: ServerAction<RefundOrder>, order: Order, currency: Currency) -> impl IntoView {
    let left: i64 = order.lines.iter().map(OrderLine::amount_left).sum();
    let form = NodeRef::<html::Form>::new();
    reset_when_shown_anew(form);
    let rows = order.lines.iter().enumerate().map(|(at, line)| row(at, line, currency)).collect();
    let columns =
        vec![Column::text("Product"), Column::number("Left"), Column::text("Units that come back"), Column::text("Amount, if it differs")];
    let whole = Input {
        id: "refund-amount",
        name: Some("form[amount]"),
        label: format!("Or an amount on the whole order, in {currency}"),
        kind: "number",
        min: Some(currency.to_decimal(1)),
        max: Some(currency.to_decimal(left)),
        step: Some(currency.to_decimal(1)),
        hint: Some(format!("Shared out over the lines; no units come back. At most {}.", format::money(currency, left))),
        ..Default::default()
    };
    view! {
        <section class="card">
            <h2>"Refund"</h2>
            <ActionForm action node_ref=form attr:class="stack">
                <Refused error=refusal(action)/>
                <input type="hidden" name="form[order_id]" value=order.order_id/>
                {scrolling("scroll", "What comes back of each line", table("plain", columns, rows, None))}
                <label class="check"><input type="checkbox" name="form[restock]" value="yes" checked=true/> " Put the units back into stock"</label>
                {input(whole)}
                <div class="actions">
                    <button type="submit" disabled=move || action.pending().get()>"Refund"</button>
                </div>
            </ActionForm>
        </section>
    }
}

fn row(at: usize, line: &OrderLine, currency: Currency) -> Row {
    let field = |name: &str| format!("form[lines][{at}][{name}]");
    let number = |name: &str, label: String, max: String, step: String| {
        let id = format!("refund-{name}-{}", line.line);
        view! { <input id=id name=field(name) type="number" min="0" max=max step=step aria-label=label/> }.into_any()
    };
    let units = number("quantity", format!("Units of {} that come back", line.name), line.units_left().to_string(), "1".to_owned());
    let amount =
        number("amount", format!("Amount to refund for {}", line.name), currency.to_decimal(line.amount_left()), currency.to_decimal(1));
    let product = view! { <input type="hidden" name=field("line") value=line.line.to_string()/> {written(line.name.clone())} }.into_any();
    let left = format!("{} ({})", format::money(currency, line.amount_left()), format::counted(line.units_left(), "unit", "units"));
    Row::from(vec![Cell::View(product), left.into(), units.into(), amount.into()])
}
