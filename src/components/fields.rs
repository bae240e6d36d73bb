//! Form fields, each with its label.

use leptos::prelude::*;

/// An input and what stands around it. Everything but `id` and `label` may be left out.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Also the name that the field is sent under, unless `name` says otherwise.
    pub id: &'static str,
    pub name: Option<&'static str>,
    pub label: String,
    /// `text` where empty.
    pub kind: &'static str,
    /// What the field begins with.
    pub value: Option<String>,
    /// Extra classes of the field as a whole.
    pub class: &'static str,
    pub required: bool,
    pub min: Option<String>,
    pub max: Option<String>,
    pub step: Option<String>,
    pub max_length: Option<usize>,
    pub autocomplete: Option<&'static str>,
    pub placeholder: Option<&'static str>,
    pub hint: Option<String>,
    /// The id of a `datalist` to choose from.
    pub list: Option<&'static str>,
    /// What is wrong with what was sent.
    pub error: Option<String>,
    /// Whether that is announced by itself: there is no summary above the form.
    pub announces: bool,
    /// Whether the page opens with the focus here.
    pub autofocus: bool,
}

pub fn input(input: Input) -> AnyView {
    let (hint_id, error_id) = (format!("{}-hint", input.id), format!("{}-error", input.id));
    let described_by: Vec<&str> =
        [input.error.as_ref().map(|_| error_id.as_str()), input.hint.as_ref().map(|_| hint_id.as_str())]
            .into_iter()
            .flatten()
            .collect();
    let described_by = (!described_by.is_empty()).then(|| described_by.join(" "));
    let is_invalid = input.error.is_some();
    let hint = input.hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> });
    let role = input.announces.then_some("alert");
    let error = input.error.map(|error| view! { <p class="wrong" id=error_id role=role>{error}</p> });
    view! {
        <div class=format!("field {}", input.class)>
            <label for=input.id>{input.label}</label>
            <input
                id=input.id
                name=input.name.unwrap_or(input.id)
                type=if input.kind.is_empty() { "text" } else { input.kind }
                dir=matches!(input.kind, "" | "search").then_some("auto")
                value=input.value
                required=input.required
                min=input.min
                max=input.max
                step=input.step
                maxlength=input.max_length.map(|most| most.to_string())
                autocomplete=input.autocomplete
                placeholder=input.placeholder
                list=input.list
                aria-describedby=described_by
                aria-invalid=is_invalid.then_some("true")
                autofocus=input.autofocus
            />
            {error}
            {hint}
        </div>
    }
    .into_any()
}

/// What tells a second click from a second wish: with it, what a form asks for is done once, however often the form is
/// sent, and answered each time as it was the first time. A page that is gone back to may send something else with it.
pub fn once() -> AnyView {
    let random = format!("{:032x}", rand::random::<u128>());
    // Not as a browser remembers it from the page before.
    view! { <input type="hidden" name="once" value=random autocomplete="off"/> }.into_any()
}

/// A choice; each option is what is sent and what is shown.
pub fn select(
    id: &'static str,
    name: &'static str,
    label: &'static str,
    options: Vec<(&'static str, &'static str)>,
    chosen: &str,
) -> AnyView {
    let options = options
        .into_iter()
        .map(|(value, label)| view! { <option value=value selected=value == chosen>{label}</option> })
        .collect::<Vec<_>>();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id name=name>{options}</select>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::html;

    #[test]
    fn a_field_is_named_by_its_label_and_described_by_its_hint() {
        let html = Owner::new().with(|| {
            let field = Input {
                id: "stock",
                label: "Stock".to_owned(),
                hint: Some("Units".to_owned()),
                value: Some("\"7".to_owned()),
                ..Default::default()
            };
            html(input(field))
        });
        assert!(html.contains("<label for=\"stock\">Stock</label>"), "{html}");
        assert!(html.contains("aria-describedby=\"stock-hint\"") && html.contains("id=\"stock-hint\""), "{html}");
        assert!(html.contains("name=\"stock\"") && html.contains("value=\"&quot;7\""), "{html}");
    }

    #[test]
    fn the_option_chosen_is_the_one_selected() {
        let html = Owner::new()
            .with(|| html(select("sort", "sort", "Sort by", vec![("name", "Name"), ("price", "Price")], "price")));
        assert_eq!(html.matches("selected").count(), 1, "{html}");
        assert!(html.contains("<option value=\"price\" selected>Price</option>"), "{html}");
    }
}
