use leptos::{html, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_location;

use crate::{
    domain::accounts::{Role, Viewer},
    server_functions::auth::Logout,
};

/// Where in the product a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Dashboard,
    Products,
    Orders,
    Marketplace,
    Vendors,
    Cache,
    Account,
    /// Nowhere in the navigation.
    Elsewhere,
}

impl Section {
    /// Who the section is for, as long as nobody has said who is looking at it.
    fn role(self) -> Option<Role> {
        match self {
            Self::Dashboard | Self::Products | Self::Orders => Some(Role::Vendor),
            Self::Marketplace | Self::Vendors | Self::Cache => Some(Role::Admin),
            Self::Account | Self::Elsewhere => None,
        }
    }
}

const VENDOR_SECTIONS: &[(Section, &str, &str)] =
    &[(Section::Dashboard, "/", "Dashboard"), (Section::Products, "/products", "Products"), (Section::Orders, "/orders", "Orders")];
const ADMIN_SECTIONS: &[(Section, &str, &str)] = &[
    (Section::Marketplace, "/admin", "Marketplace"),
    (Section::Vendors, "/admin/vendors", "Vendors"),
    (Section::Cache, "/admin/cache", "Cache"),
];

/// What outlives a page while someone moves between pages in the browser.
#[derive(Clone, Copy)]
pub struct Visit {
    /// Who the last page was shown to: for the header while the next page loads.
    pub viewer: StoredValue<Option<Viewer>>,
    /// The path that the focus was last put on.
    path: StoredValue<Option<String>>,
    /// Whether scripts have taken the first page over.
    hydrated: StoredValue<bool>,
}

impl Visit {
    /// To be called once, around every page.
    pub fn begin() -> Self {
        let visit = Self { viewer: StoredValue::new(None), path: StoredValue::new(None), hydrated: StoredValue::new(false) };
        Effect::new(move |_| visit.hydrated.set_value(true));
        visit
    }

    /// False while the page that the server made is shown for the first time.
    pub fn is_hydrated(self) -> bool {
        self.hydrated.get_value()
    }
}

/// Header, navigation and main part of a page. `settled` is false while the page is only waiting for its data.
#[component]
pub fn Frame(section: Section, viewer: Option<Viewer>, #[prop(default = true)] settled: bool, children: Children) -> impl IntoView {
    let main = NodeRef::<html::Main>::new();
    if settled {
        focus_on_arrival(main);
    }
    let role = viewer.as_ref().map(|viewer| viewer.role).or(section.role());
    let sections = match role {
        Some(Role::Vendor) => VENDOR_SECTIONS,
        Some(Role::Admin) => ADMIN_SECTIONS,
        None => &[],
    };
    let links = sections
        .iter()
        .map(|(target, href, name)| view! { <li><a href=*href aria-current=(*target == section).then_some("page")>{*name}</a></li> })
        .collect_view();
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the content"</a>
        <header class="top">
            <a class="brand" href="/">
                <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
                    <path d="M3 17.5 9 11l4 3.5L21 6" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>
                    <circle cx="21" cy="6" r="2.5" fill="currentColor"/>
                </svg>
                "Vendorscope"
            </a>
            <nav aria-label="Main"><ul>{links}</ul></nav>
            <div class="account">
                {viewer.map(|viewer| account_link(viewer.email, section == Section::Account))}
                // A plain form: the whole page is loaded anew, and nothing of the session stays behind in this one.
                <form method="post" action=Logout::url()>
                    <button class="quiet" type="submit">"Log out"</button>
                </form>
            </div>
        </header>
        <main id="main" tabindex="-1" node_ref=main>{children()}</main>
    }
}

/// By the address; where there is no room for it, by what it leads to.
fn account_link(email: String, is_here: bool) -> AnyView {
    view! {
        <a class="who" href="/account" aria-current=is_here.then_some("page")>
            <span class="long">{email}</span>
            <span class="short">"Account"</span>
        </a>
    }
    .into_any()
}

/// Moves the focus to a page that was come to inside the browser, as a full load would; never on the first page.
fn focus_on_arrival(main: NodeRef<html::Main>) {
    let visit = expect_context::<Visit>();
    let location = use_location();
    Effect::new(move |_| {
        let Some(main) = main.get() else { return };
        let path = location.pathname.get_untracked();
        let before = visit.path.try_update_value(|last| last.replace(path.clone())).flatten();
        if before.is_some_and(|before| before != path) {
            // On the next frame: until then the page may not be in the document, and cannot be focused.
            request_animation_frame(move || _ = main.focus());
        }
    });
}
