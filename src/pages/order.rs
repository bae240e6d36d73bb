use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::id_in;

use crate::{
    components::{
        feedback::{Refusal, done, refused},
        fields::{once, select},
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        refund_form::{refund_form, refund_review, say},
        scripts::{scripts, unsaved},
        status::{Shown, status},
        table::{Cell, Column, Row, scrolling, table},
        title::title,
        written::{clipped, written},
    },
    domain::{
        accounts::path_segment,
        clock::WallClock,
        money::Currency,
        orders::{Order, OrderLine, OrderStatus},
        returns::is_undoable,
    },
    format,
    server_functions::{
        lists::list_left,
        orders::{OrderView, RefundForm, RefundOrder, SetOrderStatus, UndoRefund, load_order},
    },
    words,
};

#[component]
pub fn OrderPage() -> impl IntoView {
    let id = use_params_map().with_untracked(id_in);
    let (typed, is_review) =
        parameters(|query| (RefundForm::of_query(|name| query.get(name)), query.get("review").is_some()));
    view! {
        <Title text="Order"/>
        {loaded(Section::Orders, load_order(id, typed, is_review), |view| &view.viewer, order, || ().into_any())}
    }
}

fn order(view: OrderView) -> AnyView {
    let OrderView { viewer, vendor, order, clock, typed, review } = view;
    let may_write = viewer.role.may_write();
    let currency = vendor.currency;
    let (status_refused, refund_refused) = (Refusal::of::<SetOrderStatus>(), Refusal::of::<RefundOrder>());
    let undo_refused = Refusal::of::<UndoRefund>();
    let is_refused = [&status_refused, &refund_refused, &undo_refused].iter().any(|refusal| refusal.error.is_some());
    let done = parameters(|query| {
        let refunded_at = query.get("refundedAt").and_then(|at| at.parse().ok());
        match (query.get("saved"), refunded_at) {
            _ if is_refused => None,
            (Some(_), _) => Some(done(words::status_updated(Shown::from(order.status).name))),
            (_, Some(at)) => refunded(&order, currency, at),
            _ if query.get("undone").is_some() => Some(done(words::REFUND_UNDONE)),
            _ => None,
        }
    });
    let placed = format!("Placed {} ({}) by ", format::instant(&clock, order.placed_at), vendor.time_zone);
    let is_refundable =
        order.status.is_counted() && order.lines.iter().any(|line| line.amount_left() > 0 || line.units_left() > 0);
    // Sent back by the review, where what it said was out of date, or by a form that leads nowhere else.
    let typed = typed.or_else(|| RefundForm::of_query(|name| refund_refused.typed(name)));
    let refusal = match &review {
        Some(Err(error)) => Refusal::because(error.clone()),
        _ => refund_refused,
    };
    let of_nothing = RefundForm::default();
    let messages = refusal.messages(|field| say(field, typed.as_ref().unwrap_or(&of_nothing), &order, currency));
    let refund = match (is_refundable, &review) {
        (true, Some(Ok(review))) => refund_review(&order, currency, review),
        (true, _) => refund_form(&order, currency, typed.as_ref(), &messages),
        // The form was sent from a page that is out of date: why it was refused stands in its place.
        (false, _) => messages.summary().into_any(),
    };
    view! {
        {title(&format!("Order {}", order.order_id))}
        <p class="crumb"><a href=list_left("/orders")>"Orders"</a></p>
        <h1>"Order " {written(order.order_id.clone())} " " {status(order.status)}</h1>
        <p class="lead">{placed} {written(order.customer_name.clone())}</p>
        {done}
        {refused(&status_refused)}
        {refused(&undo_refused)}
        {may_write.then(|| status_form(&order, currency))}
        {lines(order.lines.clone(), currency)}
        {refunds(&order, currency, &clock)}
        {may_write.then_some(refund)}
        {(may_write && is_refundable).then(|| view! { {unsaved()} {scripts()} })}
    }
    .into_any()
}

/// That a refund was made, and for as long as it can be undone the way to do that; nothing where there is none of that
/// instant, as it is after it was undone.
fn refunded(order: &Order, currency: Currency, at: jiff::Timestamp) -> Option<AnyView> {
    let amounts = order.refunds.iter().filter(|refund| refund.refunded_at == at).map(|refund| refund.amount);
    let amount = format::money(currency, amounts.reduce(|sum, amount| sum + amount)?);
    let undo = is_undoable(at, jiff::Timestamp::now()).then(|| {
        view! {
            <form method="post" action=UndoRefund::url()>
                <input type="hidden" name="order_id" value=order.order_id.clone()/>
                <input type="hidden" name="refunded_at" value=at.to_string()/>
                {once()}
                <button class="quiet" type="submit">"Undo"</button> " " <span class="hint">{words::UNDO_HINT}</span>
            </form>
        }
    });
    Some(
        view! { <div class="notice good undo"><p role="status">{words::refunded(&amount)}</p> {undo}</div> }.into_any(),
    )
}

/// When what was given back, and why; nothing where nothing was.
fn refunds(order: &Order, currency: Currency, clock: &WallClock) -> Option<AnyView> {
    let rows = order.refunds.iter().map(|refund| {
        let line = order.lines.iter().find(|line| line.line == refund.line);
        let units = if refund.quantity == 0 { "—".to_owned() } else { format::count(refund.quantity) };
        Row::from(vec![
            format::instant(clock, refund.refunded_at).into(),
            clipped(line.map(|line| line.name.clone()).unwrap_or_default()).into(),
            Cell::Text(words::reason(refund.reason).to_owned()),
            units.into(),
            format::money(currency, refund.amount).into(),
        ])
    });
    let columns = vec![
        Column::text("Refunded"),
        Column::text("Product"),
        Column::text("Reason"),
        Column::number("Units").named(),
        Column::classed("Amount", "number chief"),
    ];
    let has_some = !order.refunds.is_empty();
    has_some.then(|| scrolling("card scroll", "Refunds", table("plain stacked", columns, rows.collect(), None)))
}

/// The statuses that this one may become: those that an order goes through as a form, those that end it each behind a
/// question.
fn status_form(order: &Order, currency: Currency) -> AnyView {
    let options: Vec<_> = OrderStatus::ALL.into_iter().filter(|next| order.status.may_become(*next)).collect();
    if options.is_empty() {
        return view! { <p class="hint">{words::final_status(Shown::from(order.status).name)}</p> }.into_any();
    }
    let (onward, ends): (Vec<_>, Vec<_>) = options.into_iter().partition(|status| status.is_counted());
    let onward = onward.into_iter().map(|status| (status.as_str(), Shown::from(status).name)).collect();
    let ends = ends.into_iter().map(|status| end_form(order, currency, status)).collect_view();
    view! {
        <div class="steps">
            <form method="post" action=SetOrderStatus::url() class="filter">
                <input type="hidden" name="order_id" value=order.order_id.clone()/>
                <input type="hidden" name="shown" value=order.status.as_str()/>
                {once()}
                {select("status", "status", "Next status", onward, "")}
                <button type="submit">"Update status"</button>
            </form>
            {ends}
        </div>
    }
    .into_any()
}

/// Cancels or fails the order, after a question that says what that means.
fn end_form(order: &Order, currency: Currency, status: OrderStatus) -> AnyView {
    let verb = if status == OrderStatus::Cancelled { "Cancel order" } else { "Mark as failed" };
    let total = format::money(currency, order.lines.iter().map(|line| line.gross - line.discount).sum());
    let means = words::ending_an_order(&total, order.status.is_counted());
    view! {
        <details class="confirm" name="end">
            <summary class="button quiet">{verb} "…"</summary>
            <form method="post" action=SetOrderStatus::url() class="card">
                <p><strong>{format!("{verb} {}?", order.order_id)}</strong> " " {means}</p>
                <input type="hidden" name="order_id" value=order.order_id.clone()/>
                <input type="hidden" name="status" value=status.as_str()/>
                <input type="hidden" name="shown" value=order.status.as_str()/>
                {once()}
                <div class="actions">
                    <button class="bad" type="submit">{verb}</button>
                    <a class="button quiet" href=format!("/orders/{}", path_segment(&order.order_id))>"Keep order"</a>
                </div>
            </form>
        </details>
    }
    .into_any()
}

fn lines(lines: Vec<OrderLine>, currency: Currency) -> AnyView {
    let total = |amount: fn(&OrderLine) -> i64| lines.iter().map(amount).sum::<i64>();
    let (gross, discount, refunded) =
        (total(|line| line.gross), total(|line| line.discount), total(|line| line.refunded_amount));
    let money = move |amount| Cell::Text(format::money(currency, amount));
    let foot = vec![
        Cell::Text("Total".to_owned()),
        format::count(total(|line| line.quantity)).into(),
        money(gross),
        money(-discount),
        money(-refunded),
        money(gross - discount - refunded),
    ];
    let rows = lines.into_iter().map(|line| {
        let refunded = match line.refunded_quantity {
            0 if line.refunded_amount == 0 => "—".to_owned(),
            quantity => format!(
                "{} ({})",
                format::money(currency, -line.refunded_amount),
                format::counted(quantity, "unit", "units")
            ),
        };
        Row::from(vec![
            Cell::Link { href: format!("/products/{}", path_segment(&line.product_id)), text: line.name },
            format::count(line.quantity).into(),
            money(line.gross),
            money(-line.discount),
            refunded.into(),
            money(line.gross - line.discount - line.refunded_amount),
        ])
    });
    let columns = vec![
        Column::text("Product"),
        Column::number("Quantity").named(),
        Column::classed("Gross", "number left").named(),
        Column::number("Discount").named(),
        Column::classed("Refunded", "number left").named(),
        Column::classed("Net", "number chief"),
    ];
    scrolling("card scroll", "Items in this order", table("plain stacked", columns, rows.collect(), Some(foot.into())))
}
