use jiff::civil::Date;
use leptos::{html, prelude::*};

use crate::{
    app::{
        components::query_form::QueryForm,
        format,
        ranges::{self, RangeQuery, earlier, later, preset_name, presets},
    },
    domain::period::{Comparison, DateRange, FIRST_DAY, Interval, parse_day},
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
            <details class="menu" node_ref=menu prop:open=false on:keydown=by_key>
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
    let day = |text: &Option<String>| text.clone().filter(|text| parse_day("", text).is_ok()).unwrap_or_default();
    let (from, to) = (day(&query.date_from), day(&query.date_to));
    let option = |value: &'static str, label: &'static str, chosen: &str| {
        let selected = value == chosen;
        view! { <option value=value selected=selected prop:selected=selected>{label}</option> }
    };
    let compare = query.compare.as_deref().unwrap_or(Comparison::default().as_str());
    let comparisons = Comparison::ALL.map(|kind| option(kind.as_str(), ranges::comparison_name(kind), compare)).collect_view();
    let interval = query.interval.as_deref().unwrap_or("auto");
    let automatic = option("auto", "Automatic", interval);
    let intervals = Interval::ALL
        .map(|step| {
            let label = match step {
                Interval::Hour => "Hours",
                Interval::Day => "Days",
                Interval::Week => "Weeks",
                Interval::Month => "Months",
            };
            option(step.as_str(), label, interval)
        })
        .collect_view();
    let last = today.map(|today| today.to_string());
    view! {
        <QueryForm action="/" class="range">
            <div class="field">
                <label for="dateFrom">"From"</label>
                <input id="dateFrom" name="dateFrom" type="date" required min=FIRST_DAY.to_string() max=last value=from.clone() prop:value=from/>
            </div>
            <div class="field">
                <label for="dateTo">"To"</label>
                <input id="dateTo" name="dateTo" type="date" required min=FIRST_DAY.to_string() value=to.clone() prop:value=to/>
            </div>
            <div class="field"><label for="compare">"Compare with"</label><select id="compare" name="compare">{comparisons}</select></div>
            <div class="field"><label for="interval">"Show by"</label><select id="interval" name="interval">{automatic} {intervals}</select></div>
            <button type="submit">"Apply"</button>
        </QueryForm>
    }
    .into_any()
}
