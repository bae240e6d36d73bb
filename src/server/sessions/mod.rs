//! Sessions: store, cookie, who is logged in.

use crate::{
    domain::accounts::Viewer,
    server::{VendorRef, services::accounts::User},
};

/// A logged-in vendor user. To have one is to be entitled to that vendor's data, and no other's.
#[derive(Debug, Clone)]
pub struct CurrentVendor {
    pub user: User,
    pub vendor: VendorRef,
}

impl CurrentVendor {
    pub fn viewer(&self) -> Viewer {
        viewer(&self.user)
    }
}

/// A logged-in admin.
#[derive(Debug, Clone)]
pub struct CurrentAdmin {
    pub user: User,
}

impl CurrentAdmin {
    pub fn viewer(&self) -> Viewer {
        viewer(&self.user)
    }
}

fn viewer(user: &User) -> Viewer {
    Viewer { email: user.email.clone(), role: user.role, vendor_id: user.vendor.as_ref().map(|vendor| vendor.external_id.clone()) }
}
