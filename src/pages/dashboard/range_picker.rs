use jiff::civil::Date;
use leptos::{html, prelude::*};

use crate::{
    components::{
        fields::{Input, input, select},
        query_form::QueryForm,
    },
    domain::period::{Comparison, DateRange, FIRST_DAY, Interval, parse_day},
    format,
    pages::ranges::{self, RangeQuery, earlier, later, preset_name, presets},
};

/// The arrows and the menu: presets as links, everything else as a form. All of it works without scripts.
pub fn picker(query: &RangeQuery, range: DateRange, today: Date) -> AnyView {
    // The arrows keep the interval, which suits the next range as it suited this one.
    let shifted = |to: Option<DateRange>| to.map(|to| RangeQuery { interval: query.interval.clone(), ..query.with_range(to) }.href());
    let arrow = |href: Option<String>, name: &'static str, sign: &'static str| match href {
        Some(href) => {
            view! { <a class="button quiet arrow" href=href aria-label=name data-noscroll=""><span aria-hidden="true">{sign}</span></a> }
                .into_any()
        }
        None => view! { <span class="button quiet arrow off" aria-hidden="true">{sign}</span> }.into_any(),
    };
    let name = preset_name(range, today);
    let links = presets(today)
        .map(|preset| {
            let current = (Some(preset.name) == name).then_some("true");
            view! { <li><a href=query.with_range(preset.range).href() aria-current=current data-noscroll="">{preset.name}</a></li> }
        })
        .collect_view();
    // Once something is chosen, or not to be, the menu closes and the focus is where it was opened.
    let (menu, opener) = (NodeRef::<html::Details>::new(), NodeRef::<html::Summary>::new());
    let close = move || {
        if let (Some(menu), Some(opener)) = (menu.get_untracked(), opener.get_untracked()) {
            menu.set_open(false);
            // Fails only where the element is not in a document.
            _ = opener.focus();
        }
    };
    let by_key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" {
            close();
        }
    };
    let by_link = move |event: leptos::ev::MouseEvent| {
        if event_target::<leptos::web_sys::Element>(&event).tag_name() == "A" {
            close();
        }
    };
    let chosen = RangeQuery { date_from: Some(range.from.to_string()), date_to: Some(range.to.to_string()), ..query.clone() };
    view! {
        <div class="picker">
            {arrow(shifted(earlier(range)), "Earlier range", "‹")}
            <details class="menu" node_ref=menu on:keydown=by_key>
                <summary class="button quiet" node_ref=opener>{name.map_or_else(|| format::range(range), str::to_owned)}</summary>
                <div
                    class="panel"
                    on:click=by_link
                    on:submit=move |_| close()
                >
                    <ul aria-label="Ranges">{links}</ul>
                    {form(&chosen, Some(today))}
                </div>
            </details>
            {arrow(shifted(later(range, today)), "Later range", "›")}
        </div>
    }
    .into_any()
}

/// Dates, comparison and interval as a form whose fields are the address's parameters, holding what the address says.
pub fn form(query: &RangeQuery, today: Option<Date>) -> AnyView {
    // A date field can hold a day and nothing else: what is none is left to the message that refuses it.
    let day = |text: &Option<String>| text.clone().filter(|text| parse_day("", text).is_ok());
    let date = |id, label: &str, value, max: Option<Date>| Input {
        id,
        label: label.to_owned(),
        kind: "date",
        value,
        required: true,
        min: Some(FIRST_DAY.to_string()),
        max: max.map(|day| day.to_string()),
        ..Default::default()
    };
    let comparisons = Comparison::ALL.map(|kind| (kind.as_str(), ranges::comparison_name(kind))).to_vec();
    let intervals = std::iter::once(("auto", "Automatic")).chain(Interval::ALL.map(|step| (step.as_str(), interval_name(step)))).collect();
    let fields = vec![
        input(date("dateFrom", "From", day(&query.date_from), today)),
        input(date("dateTo", "To", day(&query.date_to), None)),
        select("compare", "compare", "Compare with", comparisons, query.compare.as_deref().unwrap_or(Comparison::default().as_str())),
        select("interval", "interval", "Show by", intervals, query.interval.as_deref().unwrap_or("auto")),
    ];
    view! {
        <QueryForm action=query.path() class="range">
            {fields}
            <button type="submit">"Apply"</button>
        </QueryForm>
    }
    .into_any()
}

fn interval_name(interval: Interval) -> &'static str {
    match interval {
        Interval::Hour => "Hours",
        Interval::Day => "Days",
        Interval::Week => "Weeks",
        Interval::Month => "Months",
    }
}
