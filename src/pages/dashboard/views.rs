use jiff::civil::Date;
use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    components::fields::{Input, input},
    domain::{
        period::DateRange,
        views::{MAX_VIEW_NAME, SavedView},
    },
    pages::ranges::{RangeQuery, presets},
    server_functions::views::{DeleteView, SaveView},
};

/// The views that somebody has saved, as links, and a form that saves the one that is shown.
pub fn saved(views: Vec<SavedView>, query: &RangeQuery, range: DateRange, today: Date) -> AnyView {
    let items = views.into_iter().map(|view| {
        let delete = format!("Delete view {}", view.name);
        view! {
            <li>
                <a href=format!("/?{}", view.query) data-noscroll="" dir="auto">{view.name}</a>
                <form method="post" action=DeleteView::url()>
                    <input type="hidden" name="view_id" value=view.view_id/>
                    <button type="submit" class="quiet" aria-label=delete>"×"</button>
                </form>
            </li>
        }
    });
    let items = items.collect::<Vec<_>>();
    let list = (!items.is_empty()).then(|| view! { <ul aria-label="Saved views">{items}</ul> });
    let name = Input {
        id: "view-name",
        name: Some("name"),
        label: "Save this view as".to_owned(),
        required: true,
        max_length: Some(MAX_VIEW_NAME),
        autocomplete: Some("off"),
        ..Default::default()
    };
    view! {
        <div class="views">
            {list}
            <form method="post" action=SaveView::url() class="filter">
                <input type="hidden" name="query" value=address(query, range, today)/>
                {input(name)}
                <button type="submit" class="quiet">"Save view"</button>
            </form>
        </div>
    }
    .into_any()
}

/// The parameters of what is shown, its days among them: without any, the dashboard shows what was looked at last.
fn address(query: &RangeQuery, range: DateRange, today: Date) -> String {
    let query = match presets(today).into_iter().find(|preset| preset.range == range) {
        _ if !query.has_no_days() => query.clone(),
        Some(preset) => RangeQuery { interval: query.interval.clone(), ..query.with_preset(preset) },
        None => RangeQuery { interval: query.interval.clone(), ..query.with_range(range) },
    };
    query.href().split_once('?').map(|(_, parameters)| parameters.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_view_that_says_nothing_of_days_is_saved_with_those_that_are_shown() {
        let today = date(2026, 11, 26);
        let range = DateRange::parse("2026-10-30", "2026-11-26").unwrap();
        let query = RangeQuery { category: Some("Mugs".to_owned()), ..Default::default() };
        assert_eq!(address(&query, range, today), "range=last_28_days&category=Mugs");
        let named = RangeQuery { range: Some("last_month".to_owned()), ..Default::default() };
        assert_eq!(address(&named, range, today), "range=last_month");
    }
}
