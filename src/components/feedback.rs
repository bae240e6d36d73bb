use leptos::{
    prelude::*,
    server_fn::{ServerFn, error::ServerFnUrlError},
};
use leptos_router::hooks::use_query_map;

use crate::{ApiError, domain::field_error::FieldError};

/// Why the last submission of a form was refused: from the action where scripts run, from the address where they do not. Read the
/// same way on the server and in the browser, so that both write the same page.
pub fn refusal<F>(action: ServerAction<F>) -> Signal<Option<ApiError>>
where
    F: ServerFn<Output = (), Error = ApiError> + Clone + Send + Sync + 'static,
{
    let query = use_query_map();
    let value = action.value();
    Signal::derive(move || match value.get() {
        Some(result) => result.err(),
        None => query.with(|query| {
            let error = query.get("__err").filter(|_| query.get("__path").as_deref() == Some(F::PATH))?;
            Some(ServerFnUrlError::<ApiError>::decode_err(&error))
        }),
    })
}

/// Counts the submissions that were accepted: what a page loads its data anew for. A refused one must not, or the page would be
/// written over what was typed.
pub fn accepted<F>(action: ServerAction<F>) -> Memo<usize>
where
    F: ServerFn<Output = (), Error = ApiError> + Clone + Send + Sync + 'static,
{
    let (version, value) = (action.version(), action.value());
    Memo::new(move |before: Option<&usize>| match value.get() {
        Some(Ok(())) => version.get(),
        _ => before.copied().unwrap_or_default(),
    })
}

/// Says why a form was refused, field by field.
#[component]
pub fn Refused(#[prop(into)] error: Signal<Option<ApiError>>) -> impl IntoView {
    move || {
        error.get().map(|error| {
            let reasons = match error {
                ApiError::Invalid(fields) => {
                    fields.into_iter().map(|field| view! { <li>{field_text(&field)}</li> }).collect_view().into_any()
                }
                other => view! { <li>{other.to_string()}</li> }.into_any(),
            };
            view! { <div class="notice bad" role="alert"><p>"Nothing was changed."</p><ul>{reasons}</ul></div> }
        })
    }
}

/// Says that what was asked for has been done.
#[component]
pub fn Done(#[prop(into)] text: String) -> impl IntoView {
    view! { <p class="notice good" role="status">{text}</p> }
}

/// A field's refusal, under the name that the form gives the field.
fn field_text(invalid: &FieldError) -> String {
    let label = match invalid.field.as_str() {
        "name" => "Name",
        "description" => "Description",
        "category" => "Category",
        "unitPrice" | "unit_price" => "Price",
        "stock" => "Stock",
        "lowStockThreshold" | "low_stock_threshold" => "Low-stock threshold",
        "status" => "Status",
        "tags" => "Tags",
        "amount" => "Amount",
        "dateFrom" => "From",
        "dateTo" => "To",
        "search" => "Search",
        "current" => "Present password",
        "password" => "New password",
        "theme" => "Theme",
        "timeZone" => "Time zone",
        "form" | "token" => return invalid.message.clone(),
        other => other,
    };
    format!("{label}: {}", invalid.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_field_goes_by_the_name_on_its_label() {
        assert_eq!(field_text(&FieldError::new("unitPrice", "must be 0 or more")), "Price: must be 0 or more");
        assert_eq!(field_text(&FieldError::new("colour", "is unknown")), "colour: is unknown");
    }
}
