use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

use super::keys::{cells, columns};
use crate::{
    components::{
        feedback::{Refusal, done, refused},
        frame::Section,
        loaded::loaded,
        parameters::parameters,
        table::{Cell, Column, Row, scrolling, table},
    },
    domain::accounts::KeyOfUser,
    server_functions::people::{KeysView, RevokeUsersKey, load_keys},
    words,
};

/// Everybody's API keys.
#[component]
pub fn AdminKeysPage() -> impl IntoView {
    view! {
        <Title text="API keys"/>
        {loaded(Section::Users, load_keys(), |view| &view.viewer, list, || ().into_any())}
    }
}

fn list(KeysView { keys, .. }: KeysView) -> AnyView {
    let is_done = parameters(|query| query.get("done").is_some() && query.get("__err").is_none());
    let body = match keys.is_empty() {
        true => view! { <p class="card">{words::NO_KEYS}</p> }.into_any(),
        false => {
            let columns = [vec![Column::text("Whose")], columns(), vec![Column::text("Revoke")]].concat();
            scrolling(
                "card scroll",
                "API keys",
                table("plain stacked", columns, keys.into_iter().map(row).collect(), None),
            )
        }
    };
    view! {
        <p class="crumb"><a href="/admin/users">"Users"</a></p>
        <div class="head"><div><h1>"API keys"</h1><p class="lead">{words::ALL_KEYS}</p></div></div>
        {is_done.then(|| done(words::KEY_REVOKED))}
        {refused(&Refusal::of::<RevokeUsersKey>())}
        {body}
    }
    .into_any()
}

fn row(KeyOfUser { email, key }: KeyOfUser) -> Row {
    let revoke = view! {
        <form method="post" action=RevokeUsersKey::url()>
            <input type="hidden" name="key_id" value=key.key_id.clone()/>
            <button class="quiet" type="submit">"Revoke"</button>
        </form>
    };
    let mut all = vec![Cell::Written(email)];
    all.extend(cells(key));
    all.push(revoke.into_any().into());
    Row::from(all)
}
