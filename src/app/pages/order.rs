use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    api::orders::{OrderView, SetOrderStatus, load_order},
    app::{
        components::{
            feedback::{Done, Refused, accepted, refusal},
            frame::Section,
            loaded::loaded,
            status::{Shown, Status},
        },
        format,
    },
    domain::{
        accounts::encode_segment,
        money::Currency,
        orders::{Order, OrderLine, OrderStatus},
    },
};

#[component]
pub fn OrderPage() -> impl IntoView {
    let set_status = ServerAction::<SetOrderStatus>::new();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    let changed = accepted(set_status);
    let data = Resource::new(move || (id.get(), changed.get()), |(id, _)| load_order(id));
    view! {
        <Title text="Order"/>
        {loaded(Section::Orders, data, |view| &view.viewer, move |view| order(view, set_status), || ().into_any())}
    }
}

pub fn order(OrderView { vendor, order, clock, .. }: OrderView, set_status: ServerAction<SetOrderStatus>) -> AnyView {
    let query = use_query_map();
    let saved = move || {
        query
            .with(|query| query.get("saved").is_some() && query.get("__err").is_none())
            .then(|| view! { <Done text="The status was changed."/> })
    };
    let lead = format!("Placed {} ({}) by {}", format::instant(&clock, order.placed_at), vendor.time_zone, order.customer_name);
    view! {
        <p class="crumb"><a href="/orders">"Orders"</a></p>
        <h1>{format!("Order {} ", order.order_id)} <Status status=order.status/></h1>
        <p class="lead">{lead}</p>
        {saved}
        <Refused error=refusal(set_status)/>
        {status_form(set_status, &order)}
        {lines(order.lines, vendor.currency)}
    }
    .into_any()
}

/// The statuses that this one may become, as a form; a sentence where there is none.
fn status_form(action: ServerAction<SetOrderStatus>, order: &Order) -> AnyView {
    let current = order.status;
    let order_id = order.order_id.clone();
    let options: Vec<_> = OrderStatus::ALL.into_iter().filter(|next| current.may_become(*next)).collect();
    if options.is_empty() {
        let text = format!("{} is where an order ends: its status cannot change any more.", Shown::from(current).name);
        return view! { <p class="hint">{text}</p> }.into_any();
    }
    let options =
        options.into_iter().map(|status| view! { <option value=status.as_str()>{Shown::from(status).name}</option> }).collect_view();
    view! {
        <ActionForm action attr:class="filter">
            <input type="hidden" name="order_id" value=order_id/>
            <div class="field"><label for="status">"Change the status to"</label><select id="status" name="status">{options}</select></div>
            <button type="submit" disabled=move || action.pending().get()>"Change"</button>
        </ActionForm>
    }
    .into_any()
}

fn lines(lines: Vec<OrderLine>, currency: Currency) -> AnyView {
    let total = |amount: fn(&OrderLine) -> i64| lines.iter().map(amount).sum::<i64>();
    let (gross, discount, refunded) = (total(|line| line.gross), total(|line| line.discount), total(|line| line.refunded_amount));
    let money = move |amount| format::money(currency, amount);
    let rows = lines
        .iter()
        .map(|line| {
            let refunded = match line.refunded_quantity {
                0 if line.refunded_amount == 0 => "—".to_owned(),
                quantity => format!("{} ({})", money(-line.refunded_amount), format::counted(quantity, "unit", "units")),
            };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/products/{}", encode_segment(&line.product_id))>{line.name.clone()}</a></th>
                    <td class="number">{format::count(line.quantity)}</td>
                    <td class="number">{money(line.gross)}</td>
                    <td class="number">{money(-line.discount)}</td>
                    <td class="number">{refunded}</td>
                    <td class="number">{money(line.gross - line.discount - line.refunded_amount)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="card scroll" role="region" aria-label="Lines of this order" tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Product"</th>
                        <th scope="col" class="number">"Quantity"</th>
                        <th scope="col" class="number">"Gross"</th>
                        <th scope="col" class="number">"Discount"</th>
                        <th scope="col" class="number">"Refunded"</th>
                        <th scope="col" class="number">"Net"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row" colspan="2">"Total"</th>
                        <td class="number">{money(gross)}</td>
                        <td class="number">{money(-discount)}</td>
                        <td class="number">{money(-refunded)}</td>
                        <td class="number">{money(gross - discount - refunded)}</td>
                    </tr>
                </tfoot>
            </table>
        </div>
    }
    .into_any()
}
