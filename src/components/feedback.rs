use leptos::{
    prelude::*,
    server_fn::{ServerFn, error::ServerFnUrlError},
};
use leptos_router::params::ParamsMap;

use super::{fields::Input, parameters::parameters};
use crate::{
    ApiError,
    domain::field_error::FieldError,
    typed::{LEFT_OUT, unpack},
    words,
};

/// How the last submission of a form was refused, from the address that it was sent back to: why, and what had been
/// typed.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    pub error: Option<ApiError>,
    typed: Vec<(String, String)>,
}

impl Refusal {
    /// Of what is shown on the page that was asked for.
    pub fn because(error: ApiError) -> Self {
        Self { error: Some(error), typed: Vec::new() }
    }

    /// Of the form that is sent to `F`.
    pub fn of<F: ServerFn<Error = ApiError>>() -> Self {
        parameters(|query| {
            let error = query.get("__err").filter(|_| query.get("__path").as_deref() == Some(F::PATH));
            let Some(error) = error else { return Self::default() };
            Self { error: Some(ServerFnUrlError::<ApiError>::decode_err(&error)), typed: all_typed(query) }
        })
    }

    /// What had been typed into the field that is sent under `name`.
    pub fn typed(&self, name: &str) -> Option<String> {
        self.typed.iter().find(|(typed, _)| typed == name).map(|(_, text)| text.clone())
    }

    /// What to say of it. `say` gives a field's id on the page (empty: the form as a whole) and what is accepted there,
    /// in the words of whoever typed it; `None` where only the server has words.
    pub fn messages(&self, say: impl Fn(&FieldError) -> Option<(String, String)>) -> Messages {
        let of_form = |text: String| vec![(String::new(), text)];
        let mut list = match &self.error {
            None => Vec::new(),
            Some(ApiError::Invalid(fields)) => {
                fields.iter().map(|field| say(field).unwrap_or_else(|| (String::new(), label_of(field)))).collect()
            }
            Some(ApiError::Unauthenticated) => of_form(words::SESSION_ENDED.to_owned()),
            Some(other) => of_form(other.to_string()),
        };
        if self.typed(LEFT_OUT).is_some() {
            list.push((String::new(), words::LEFT_OUT.to_owned()));
        }
        Messages { list, needs_login: self.error == Some(ApiError::Unauthenticated) }
    }
}

fn all_typed(query: &ParamsMap) -> Vec<(String, String)> {
    query.get("__typed").map(|typed| unpack(&typed)).unwrap_or_default()
}

/// What had been typed into a field of a form that says by itself how it was refused.
pub fn typed(name: &str) -> Option<String> {
    let typed = parameters(all_typed);
    typed.into_iter().find(|(typed, _)| typed == name).map(|(_, text)| text)
}

/// What a refused form is told, field by field: the field's id (empty: the form as a whole), and the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Messages {
    list: Vec<(String, String)>,
    needs_login: bool,
}

impl Messages {
    pub fn at(&self, id: &str) -> Option<String> {
        self.list.iter().find(|(at, _)| at == id).map(|(_, text)| text.clone())
    }

    /// Whether the page opens with the focus on this field: the first that was refused.
    pub fn is_first(&self, id: &str) -> bool {
        self.list.iter().find(|(at, _)| !at.is_empty()).is_some_and(|(at, _)| at == id)
    }

    /// The same field, with what is wrong with it.
    pub fn mark(&self, input: Input) -> Input {
        Input { error: self.at(input.id), autofocus: self.is_first(input.id), ..input }
    }

    /// All of it, to stand above the form; each message leads to its field. Nothing where nothing was refused.
    pub fn summary(&self) -> Option<AnyView> {
        if self.list.is_empty() {
            return None;
        }
        let reasons = self.list.iter().map(|(id, text)| {
            let text = text.clone();
            match id.is_empty() {
                true => view! { <li>{text}</li> }.into_any(),
                false => view! { <li><a href=format!("#{id}")>{text}</a></li> }.into_any(),
            }
        });
        let login = self
            .needs_login
            .then(|| view! { <p><a href="/login" target="_blank">{words::LOG_IN_IN_A_NEW_TAB}</a></p> });
        let view = view! {
            <div class="notice bad" role="alert">
                <p>{words::NOT_SAVED}</p>
                <ul>{reasons.collect::<Vec<_>>()}</ul>
                {login}
            </div>
        };
        Some(view.into_any())
    }
}

/// What to say of a form without fields of its own.
pub fn refused(refusal: &Refusal) -> Option<AnyView> {
    refusal.messages(|_| None).summary()
}

/// Says that what was asked for has been done.
pub fn done(text: impl Into<String>) -> AnyView {
    let text = text.into();
    view! { <p class="notice good" role="status">{text}</p> }.into_any()
}

/// The server's words for a field, under the name that pages give it.
fn label_of(invalid: &FieldError) -> String {
    let label = match invalid.field.as_str() {
        "form" | "token" | "request" => return invalid.message.clone(),
        "dateFrom" | "dateTo" | "compare" | "interval" | "sort" | "after" => {
            return words::range_refused(&invalid.field, &invalid.message);
        }
        "search" => "Search",
        "day" => "Day",
        "note" => "Note",
        "status" => "Status",
        "theme" => "Theme",
        "tags" => "Tags",
        other => other,
    };
    format!("{label}: {}", invalid.message)
}

/// A refused address, in words.
pub fn address_refused(fields: &[FieldError]) -> Vec<String> {
    fields.iter().map(label_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Refusal {
        Refusal {
            error: Some(ApiError::Invalid(vec![
                FieldError::new("form", "Not both."),
                FieldError::new("unitPrice", "must be 0 to 9 minor units"),
            ])),
            typed: vec![("form[unit_price]".to_owned(), "-1".to_owned())],
        }
    }

    #[test]
    fn a_refused_field_says_what_is_accepted_and_takes_the_focus() {
        let messages = refusal()
            .messages(|field| (field.field == "unitPrice").then(|| ("price".to_owned(), "Enter a price.".to_owned())));
        assert_eq!(messages.at("price").as_deref(), Some("Enter a price."));
        assert!(messages.is_first("price") && !messages.is_first(""), "what belongs to no field cannot take the focus");
        let html = Owner::new().with(|| crate::components::html(messages.summary().expect("a summary")));
        assert!(
            html.contains("<li>Not both.</li>") && html.contains("<a href=\"#price\">Enter a price.</a>"),
            "{html}"
        );
    }

    #[test]
    fn what_was_typed_is_kept_under_its_name() {
        assert_eq!(refusal().typed("form[unit_price]").as_deref(), Some("-1"));
        assert_eq!(refusal().typed("form[name]"), None);
    }
}
