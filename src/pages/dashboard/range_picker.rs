use jiff::civil::Date;
use leptos::prelude::*;

use crate::{
    components::{
        fields::{Input, input, select},
        query_form::query_form,
    },
    domain::period::{Comparison, DateRange, FIRST_DAY, Interval, parse_day},
    format,
    pages::ranges::{self, RangeQuery, all_time_name, earlier, later, preset_name, presets},
};

/// The arrows and the menu: presets as links, everything else as a form, and `views`, those that were saved. All of it
/// works without scripts.
pub fn picker(query: &RangeQuery, range: DateRange, today: Date, views: Option<AnyView>) -> AnyView {
    // The arrows keep the interval, which suits the next range as it suited this one.
    let shifted = |to: Option<DateRange>| {
        to.map(|to| RangeQuery { interval: query.interval.clone(), ..query.with_range(to) }.href())
    };
    let arrow = |href: Option<String>, name: &'static str, sign: &'static str, key: &'static str| match href {
        Some(href) => view! {
            <a class="button quiet arrow" href=href aria-label=name data-noscroll="" data-key=key>
                <span aria-hidden="true">{sign}</span>
            </a>
        }
        .into_any(),
        None => view! { <span class="button quiet arrow off" aria-hidden="true">{sign}</span> }.into_any(),
    };
    let is_all = query.is_all_time();
    let name = if is_all { Some(all_time_name(range)) } else { preset_name(range, today) };
    let links = presets(today)
        .map(|preset| {
            let current = (Some(preset.name) == name).then_some("true");
            view! {
                <li>
                    <a href=query.with_preset(preset).href() aria-current=current data-noscroll="" data-key=preset.key>
                        {preset.name} <kbd aria-hidden="true">{preset.key.to_uppercase()}</kbd>
                    </a>
                </li>
            }
        })
        .collect_view();
    let chosen =
        RangeQuery { date_from: Some(range.from.to_string()), date_to: Some(range.to.to_string()), ..query.clone() };
    view! {
        <div class="picker">
            {arrow(shifted(earlier(range).filter(|_| !is_all)), "Previous period", "‹", "arrowleft")}
            <details class="menu">
                <summary class="button quiet" data-key="c">
                    <span>{name.map_or_else(|| format::range(range), str::to_owned)}</span>
                </summary>
                <div class="panel">
                    <ul aria-label="Periods">
                        {links}
                        <li>
                            <a href=query.with_all_time().href() aria-current=is_all.then_some("true")
                                data-noscroll="" data-key="a">
                                "All time " <kbd aria-hidden="true">"A"</kbd>
                            </a>
                        </li>
                    </ul>
                    {form(&chosen, Some(today))}
                    {views}
                </div>
            </details>
            {arrow(shifted(later(range, today)), "Next period", "›", "arrowright")}
        </div>
    }
    .into_any()
}

/// Dates, comparison and interval as a form whose fields are the address's parameters, holding what the address says.
pub fn form(query: &RangeQuery, today: Option<Date>) -> AnyView {
    // A date field can hold a day and nothing else: what is none is left to the message that refuses it.
    let day = |text: &Option<String>| text.clone().filter(|text| parse_day("", text).is_ok());
    let date = |id, label: &str, value: Option<String>| Input {
        id,
        label: label.to_owned(),
        kind: "date",
        // A date field shows days as the reader's own system writes them: this is how the page does.
        hint: value.as_deref().and_then(|text| parse_day("", text).ok()).map(format::day),
        value,
        required: true,
        min: Some(FIRST_DAY.to_string()),
        max: today.map(|day| day.to_string()),
        ..Default::default()
    };
    // What is meant anyway stays out of the address.
    let of_kind = |kind: Comparison| if kind == Comparison::default() { "" } else { kind.as_str() };
    let comparisons = Comparison::ALL.map(|kind| (of_kind(kind), ranges::comparison_name(kind))).to_vec();
    let compare = query.compare.as_deref().filter(|text| *text != Comparison::default().as_str());
    let intervals =
        std::iter::once(("", "Auto")).chain(Interval::ALL.map(|step| (step.as_str(), interval_name(step)))).collect();
    // What the form does not ask for stays as it is.
    let kept = query.filters().into_iter().chain([("metric", query.metric.as_deref())]);
    let kept =
        kept.filter_map(|(name, value)| Some(view! { <input type="hidden" name=name value=value?.to_owned()/> }));
    let kept = kept.collect::<Vec<_>>();
    let fields = view! {
        {input(date("dateFrom", "From", day(&query.date_from)))}
        {input(date("dateTo", "To", day(&query.date_to)))}
        {select("compare", "compare", "Compare to", comparisons, compare.unwrap_or_default())}
        {select("interval", "interval", "Group by", intervals,
            query.interval.as_deref().filter(|text| *text != "auto").unwrap_or_default())}
        {kept}
        <button type="submit">"Apply"</button>
    };
    query_form(query.path(), "range", None, fields.into_any())
}

fn interval_name(interval: Interval) -> &'static str {
    match interval {
        Interval::Hour => "Hours",
        Interval::Day => "Days",
        Interval::Week => "Weeks",
        Interval::Month => "Months",
    }
}
