//! The document around every page, and which page stands at which address.

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, Meta, MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

use crate::{domain::accounts::Theme, pages};

/// The HTML document around every page. Server only.
pub fn shell(options: LeptosOptions, theme: Theme) -> impl IntoView {
    // Nothing but islands comes alive in the browser: no data and no marks for anything else.
    if let Some(shared) = Owner::current_shared_context() {
        shared.set_is_hydrating(false);
    }
    provide_context(options.clone());
    let chosen = (theme != Theme::System).then(|| theme.as_str());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content=theme.color_scheme()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <HashedStylesheet id="leptos" options=options.clone()/>
                <AutoReload options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Every page renders in one piece (`SsrMode::Async`): the first paint is the answer, with or without scripts.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        // Titles hold fixed texts only: Leptos does not escape them on the server.
        <Title formatter=|page: String| format!("{page} · Vendorscope")/>
        <Meta name="robots" content="noindex"/>
        <Router>
            <FlatRoutes fallback=pages::not_found::NotFoundPage>
                <Route path=path!("/") view=pages::dashboard::DashboardPage ssr=SsrMode::Async/>
                <Route path=path!("/login") view=pages::login::LoginPage ssr=SsrMode::Async/>
                <Route path=path!("/login/code") view=pages::login_code::LoginCodePage ssr=SsrMode::Async/>
                <Route path=path!("/forgot") view=pages::forgot::ForgotPage ssr=SsrMode::Async/>
                <Route path=path!("/letters/stop") view=pages::letters_stop::LettersStopPage ssr=SsrMode::Async/>
                <Route path=path!("/reset") view=pages::reset::ResetPage ssr=SsrMode::Async/>
                <Route path=path!("/account") view=pages::account::AccountPage ssr=SsrMode::Async/>
                <Route path=path!("/products") view=pages::products::ProductsPage ssr=SsrMode::Async/>
                <Route path=path!("/products/new") view=pages::new_product::NewProductPage ssr=SsrMode::Async/>
                <Route path=path!("/products/change") view=pages::change_products::ChangeProductsPage
                    ssr=SsrMode::Async/>
                <Route path=path!("/products/:id") view=pages::product::ProductPage ssr=SsrMode::Async/>
                <Route path=path!("/orders") view=pages::orders::OrdersPage ssr=SsrMode::Async/>
                <Route path=path!("/orders/change") view=pages::change_orders::ChangeOrdersPage ssr=SsrMode::Async/>
                <Route path=path!("/orders/:id") view=pages::order::OrderPage ssr=SsrMode::Async/>
                <Route path=path!("/returns") view=pages::returns::ReturnsPage ssr=SsrMode::Async/>
                <Route path=path!("/admin") view=pages::admin::AdminPage ssr=SsrMode::Async/>
                <Route path=path!("/admin/vendors") view=pages::admin_vendors::AdminVendorsPage ssr=SsrMode::Async/>
                <Route path=path!("/admin/vendors/:id") view=pages::admin_vendor::AdminVendorPage ssr=SsrMode::Async/>
                <Route path=path!("/admin/vendors/:id/dashboard") view=pages::dashboard::DashboardPage
                    ssr=SsrMode::Async/>
                <Route path=path!("/admin/users") view=pages::admin_users::AdminUsersPage ssr=SsrMode::Async/>
                <Route path=path!("/admin/users/:id") view=pages::admin_user::AdminUserPage ssr=SsrMode::Async/>
                <Route path=path!("/admin/keys") view=pages::admin_keys::AdminKeysPage ssr=SsrMode::Async/>
                <Route path=path!("/admin/audit") view=pages::admin_audit::AdminAuditPage ssr=SsrMode::Async/>
                <Route path=path!("/admin/cache") view=pages::admin_cache::AdminCachePage ssr=SsrMode::Async/>
                <Route path=path!("/admin/cache/entry") view=pages::admin_cache::CacheEntryPage ssr=SsrMode::Async/>
            </FlatRoutes>
        </Router>
    }
}
