use leptos::prelude::*;

use super::{
    definitions::{Definition, explained},
    metric::Metric,
    rows::{orders_href, returns_href},
};
use crate::{
    charts::{line::Unit, spark::sparkline},
    components::change::{self, Change, More, tone},
    domain::snapshot::Snapshot,
    format,
    pages::ranges::RangeQuery,
    server_functions::dashboard::Unfinished,
    words,
};

/// How a figure of up to so many characters is set: as large as it fits on its card, in one piece.
const SIZES: [(usize, &str); 3] = [(10, "value"), (13, "value long"), (usize::MAX, "value vast")];

/// A card: a figure, its comparison and its course.
pub struct Card {
    pub definition: Definition,
    pub unit: Unit,
    pub now: Option<i64>,
    /// `None` where there is nothing to compare with.
    pub before: Option<Option<i64>>,
    pub more: More,
    pub course: Vec<Option<i64>>,
    /// What a click on it shows in the chart, and whether that is shown.
    pub metric: Option<(String, bool)>,
    /// Where what it is made of is listed, and what that is called.
    pub rows: Option<(String, &'static str)>,
    /// Whether the days it is of are not over.
    pub is_so_far: bool,
    /// How it comes about, in its own numbers.
    pub sum: Option<String>,
    pub is_headline: bool,
}

/// The figures at the top, each against its comparison; `compared` says with what.
pub fn cards(
    snapshot: &Snapshot,
    unfinished: Option<Unfinished>,
    customers_are_fair: bool,
    query: &RangeQuery,
    compared: Option<&str>,
) -> AnyView {
    let of_metric = |metric| card(metric, snapshot, unfinished, customers_are_fair, query);
    strip("cards strip", Metric::ALL.map(of_metric).into(), compared)
}

/// A figure of a vendor; `query` is of the dashboard whose chart can show it.
pub fn card(
    metric: Metric,
    snapshot: &Snapshot,
    unfinished: Option<Unfinished>,
    customers_are_fair: bool,
    query: &RangeQuery,
) -> Card {
    let before = snapshot.previous_totals.as_ref();
    let rows = match metric {
        Metric::Returns => returns_href(snapshot, query),
        _ => orders_href(snapshot, query, None).map(|href| (href, "orders")),
    };
    let is_shown = metric == Metric::of(query.metric.as_deref());
    Card {
        definition: metric.definition(),
        unit: metric.unit(snapshot.currency),
        now: metric.total(&snapshot.totals),
        before: before.filter(|_| metric != Metric::Customers || customers_are_fair).map(|before| metric.total(before)),
        more: if metric == Metric::Returns { More::IsBad } else { More::IsGood },
        course: course(snapshot, unfinished, metric),
        metric: Some((RangeQuery { metric: Some(metric.slug().to_owned()), ..query.clone() }.href(), is_shown)),
        rows,
        is_so_far: unfinished.is_some(),
        sum: sum_of(metric, snapshot),
        is_headline: matches!(metric, Metric::NetSales | Metric::Payable),
    }
}

/// A figure's own sum, such as `€885.40 gross − €17.06 discounts − €76.72 returns = €791.62`; `None` where it is a
/// count.
fn sum_of(metric: Metric, snapshot: &Snapshot) -> Option<String> {
    let totals = &snapshot.totals;
    let money = |amount| format::money(snapshot.currency, amount);
    match metric {
        Metric::NetSales => Some(format!(
            "{} gross − {} discounts − {} returns = {}",
            money(totals.gross_sales),
            money(totals.discounts),
            money(totals.returns),
            money(totals.net_sales)
        )),
        Metric::Payable if !totals.is_paid() => Some(words::nothing_is_paid(&money(totals.net_sales))),
        Metric::Payable => Some(format!(
            "{} net − {} commission = {}",
            money(totals.net_sales),
            money(totals.commission),
            money(totals.payable)
        )),
        Metric::Average => totals.average_order_value.map(|average| {
            format!("{} ÷ {} = {}", money(totals.net_sales), format::count(totals.orders), money(average))
        }),
        Metric::Orders | Metric::Units | Metric::Customers | Metric::Returns => None,
    }
}

/// Cards side by side; `compared` says with what.
pub fn strip(class: &'static str, cards: Vec<Card>, compared: Option<&str>) -> AnyView {
    let cards = cards.into_iter().map(|card| one(card, compared)).collect::<Vec<_>>();
    view! { <section aria-label="Figures"><ul class=class>{cards}</ul></section> }.into_any()
}

/// A figure's values over time, without what is not over.
fn course(snapshot: &Snapshot, unfinished: Option<Unfinished>, metric: Metric) -> Vec<Option<i64>> {
    let ended = snapshot.series.len() - usize::from(unfinished.is_some()).min(snapshot.series.len());
    let has_begun = |start: &str| match (unfinished, start.parse::<jiff::Timestamp>()) {
        (Some(unfinished), Ok(start)) => start <= unfinished.now,
        _ => true,
    };
    snapshot.series[..ended].iter().filter(|point| has_begun(&point.start)).map(|point| metric.at(point)).collect()
}

fn one(card: Card, compared: Option<&str>) -> AnyView {
    let Card { definition, unit, now, before, more, course, metric, rows, is_so_far, sum, is_headline } = card;
    let so_far = is_so_far.then_some(words::SO_FAR);
    // Where there is no figure now, it has not fallen either.
    let change = before.filter(|_| now.is_some()).map(|before| {
        let change = Change::between(before, now);
        let (text, words) = match (unit, before, now) {
            // A share of a share is nobody's figure.
            (Unit::Percent, Some(before), Some(now)) => change::points(now - before),
            _ => (change.text(), change.words()),
        };
        let before = unit.text(before);
        let so_far = so_far.map(|so_far| format!(", {so_far}")).unwrap_or_default();
        let words = format!(" {words} {before} ({}){so_far}", compared.unwrap_or_default());
        view! {
            <p class=format!("change {}", tone(change, more))>
                <span aria-hidden="true">{change.arrow()} " " {text}</span>
                <span class="unseen">{words}</span>
                <span class="base" aria-hidden="true">{format!("from {before}{so_far}")}</span>
            </p>
        }
        .into_any()
    });
    // Where nothing is compared it stands alone.
    let change = change
        .or_else(|| so_far.map(|so_far| view! { <p class="change"><span class="base">{so_far}</span></p> }.into_any()));
    let is_shown = metric.as_ref().is_some_and(|(_, is_shown)| *is_shown);
    let name = match metric {
        Some((href, is_shown)) => view! {
            <h2>
                <a class="pick" href=href data-noscroll="" aria-current=is_shown.then_some("true")>{definition.name}</a>
            </h2>
        }
        .into_any(),
        None => view! { <h2>{definition.name}</h2> }.into_any(),
    };
    let class = match (is_headline, is_shown) {
        (true, true) => "card figure headline shown",
        (true, false) => "card figure headline",
        (false, true) => "card figure shown",
        (false, false) => "card figure",
    };
    let value = unit.text(now);
    let length = value.chars().count();
    let size = SIZES.into_iter().find(|(most, _)| length <= *most).map_or("value vast", |(_, size)| size);
    let figure = match rows {
        Some((href, what)) => {
            view! { <a class="rows" href=href>{value} <span class="unseen">{format!(": show {what}")}</span></a> }
                .into_any()
        }
        None => view! { <span>{value}</span> }.into_any(),
    };
    view! {
        <li class=class>
            <div class="name">{name} {explained(definition, sum)}</div>
            <p class=size>{figure}</p>
            {change}
            {sparkline(&course)}
        </li>
    }
    .into_any()
}
