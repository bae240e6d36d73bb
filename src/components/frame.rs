use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    domain::accounts::{Role, Viewer},
    server_functions::{auth::Logout, request::left_out},
    words,
};

/// Where in the product a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Dashboard,
    Products,
    Orders,
    Returns,
    Marketplace,
    Vendors,
    Cache,
    Users,
    Audit,
    Account,
    /// Nowhere in the navigation.
    Elsewhere,
}

impl Section {
    /// Who the section is for, where nobody has said who is looking at it.
    fn role(self) -> Option<Role> {
        match self {
            Self::Dashboard | Self::Products | Self::Orders | Self::Returns => Some(Role::Vendor),
            Self::Marketplace | Self::Vendors | Self::Cache | Self::Users | Self::Audit => Some(Role::Admin),
            Self::Account | Self::Elsewhere => None,
        }
    }
}

const VENDOR_SECTIONS: &[(Section, &str, &str)] = &[
    (Section::Dashboard, "/", "Dashboard"),
    (Section::Products, "/products", "Products"),
    (Section::Orders, "/orders", "Orders"),
    (Section::Returns, "/returns", "Returns"),
];
const ADMIN_SECTIONS: &[(Section, &str, &str)] = &[
    (Section::Marketplace, "/admin", "Marketplace"),
    (Section::Vendors, "/admin/vendors", "Vendors"),
    (Section::Cache, "/admin/cache", "Cache"),
    (Section::Users, "/admin/users", "Users"),
    (Section::Audit, "/admin/audit", "Audit"),
];

/// Header, navigation and main part of a page.
#[component]
pub fn Frame(section: Section, viewer: Option<Viewer>, children: Children) -> impl IntoView {
    let role = viewer.as_ref().map(|viewer| viewer.role).or(section.role());
    let sections = match role {
        Some(Role::Vendor | Role::Accountant) => VENDOR_SECTIONS,
        Some(Role::Admin) => ADMIN_SECTIONS,
        None => &[],
    };
    let links = sections
        .iter()
        .map(|(target, href, name)| {
            let current = (*target == section).then_some("page");
            view! { <li><a href=*href aria-current=current>{*name}</a></li> }
        })
        .collect_view();
    // Pages whose range or filters can be changed in place: the islands know them by this, and whether it is still the
    // same user, in the same role, who is shown them.
    let whose = viewer.as_ref().map(|viewer| format!("{} {}", viewer.role.as_str(), viewer.email)).unwrap_or_default();
    let visit = matches!(
        section,
        Section::Dashboard
            | Section::Products
            | Section::Orders
            | Section::Returns
            | Section::Vendors
            | Section::Marketplace
            | Section::Cache
    )
    .then_some(whose);
    // Whoever is not logged in has nothing to log out of.
    let account = role.map(|_| {
        view! {
            <div class="account">
                {viewer.map(|viewer| account_link(viewer.email, section == Section::Account))}
                <form method="post" action=Logout::url()>
                    <button class="quiet" type="submit">"Log out"</button>
                </form>
            </div>
        }
    });
    let nav = (!sections.is_empty()).then(|| view! { <nav aria-label="Main"><ul>{links}</ul></nav> });
    view! {
        <a class="skip" href="#main">{words::SKIP}</a>
        <header class="top">
            <a class="brand" href="/">
                <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
                    <path d="M3 17.5 9 11l4 3.5L21 6" fill="none" stroke="currentColor" stroke-width="2.5"
                        stroke-linecap="round" stroke-linejoin="round"/>
                    <circle cx="21" cy="6" r="2.5" fill="currentColor"/>
                </svg>
                "Vendorscope"
            </a>
            {nav}
            {account}
        </header>
        <main id="main" tabindex="-1" data-visit=visit>{left_out_of_address()} {children()}</main>
    }
}

/// What of the address the page has not understood.
fn left_out_of_address() -> Option<AnyView> {
    let told = left_out();
    let texts = told.into_iter().map(|text| view! { <p>{text}</p> }).collect::<Vec<_>>();
    (!texts.is_empty()).then(|| view! { <div class="notice warn" role="status">{texts}</div> }.into_any())
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
