use leptos::prelude::*;

use super::definitions::{self, Definition, explained};
use crate::{
    charts::spark::Sparkline,
    components::change::Change,
    domain::{
        money::divide_rounded,
        snapshot::{Point, Snapshot, Totals},
    },
    format,
};

/// Whether more of a figure is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    IsGood,
    IsBad,
}

/// The figures at the top, each against its comparison; `compared` says with what.
pub fn cards(snapshot: &Snapshot, compared: Option<&str>) -> AnyView {
    let currency = snapshot.currency;
    let money = move |amount: Option<i64>| format::money_or_dash(currency, amount);
    let number = |value: Option<i64>| value.map(format::count).unwrap_or_default();
    let spark = |value: fn(&Point) -> i64| snapshot.series.iter().map(value).collect::<Vec<_>>();
    let card = |definition, figure: fn(&Totals) -> Option<i64>, text: &dyn Fn(Option<i64>) -> String, more, course| {
        let now = figure(&snapshot.totals);
        let before = snapshot.previous_totals.as_ref().map(figure);
        // Where there is no figure now, it has not fallen either.
        let change = before.filter(|_| now.is_some()).map(|before| (Change::between(before, now), text(before)));
        one(definition, text(now), change, compared, more, course)
    };
    view! {
        <section aria-label="Figures">
            <ul class="cards">
                {card(definitions::NET_SALES, |t| Some(t.net_sales), &money, More::IsGood, spark(|p| p.net_sales))}
                {card(definitions::ORDERS, |t| Some(t.orders), &number, More::IsGood, spark(|p| p.orders))}
                {card(definitions::AVERAGE_ORDER_VALUE, |t| t.average_order_value, &money, More::IsGood, spark(|p| divide_rounded(p.net_sales, p.orders).unwrap_or(0)))}
                {card(definitions::UNITS, |t| Some(t.units), &number, More::IsGood, spark(|p| p.units))}
                // Distinct customers of parts of a range do not add up to those of the range: no course is shown.
                {card(definitions::CUSTOMERS, |t| Some(t.customers), &number, More::IsGood, Vec::new())}
                {card(definitions::RETURNS, |t| Some(t.returns), &money, More::IsBad, spark(|p| p.returns))}
            </ul>
        </section>
    }
    .into_any()
}

fn one(
    definition: Definition,
    value: String,
    change: Option<(Change, String)>,
    compared: Option<&str>,
    more: More,
    course: Vec<i64>,
) -> AnyView {
    let change = change.map(|(change, before)| {
        let words = format!(" {} {}, where it was {before}", change.words(), compared.unwrap_or_default());
        view! {
            <p class=format!("change {}", tone(change, more))>
                <span aria-hidden="true">{change.arrow()} " " {change.text()}</span>
                <span class="unseen">{words}</span>
                <span class="base" aria-hidden="true">{format!("from {before}")}</span>
            </p>
        }
    });
    view! {
        <li class="card figure">
            <div class="name"><h2>{definition.name}</h2> {explained(definition)}</div>
            <p class="value">{value}</p>
            {change}
            <Sparkline values=course/>
        </li>
    }
    .into_any()
}

/// The colour of a change; sign, arrow and words say the same without it.
fn tone(change: Change, more: More) -> &'static str {
    match change.is_up() == (more == More::IsGood) {
        _ if change.is_level() => "",
        true => "good",
        false => "bad",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_returns_are_no_good_news() {
        assert_eq!(tone(Change::Percent(100), More::IsGood), "good");
        assert_eq!(tone(Change::Percent(100), More::IsBad), "bad");
        assert_eq!(tone(Change::Percent(-100), More::IsBad), "good");
        assert_eq!(tone(Change::New, More::IsBad), "bad");
        assert_eq!(tone(Change::Same, More::IsGood), "");
        assert_eq!(tone(Change::Percent(0), More::IsBad), "");
    }
}
