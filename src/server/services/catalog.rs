use crate::{
    api::products::ProductForm,
    domain::{
        catalog::{BulkChange, Product, ProductInput, ProductPage, ProductQuery},
        invalid::Invalid,
        money::Currency,
    },
    server::{
        AppError, VendorRef,
        cache::{Cache, Served},
        db::Db,
    },
};

/// A vendor's products. Every write invalidates the vendor's analytics and listings before it is answered.
pub struct Catalog {
    db: Db,
    cache: Cache,
}

/// Reads the parameters of a listing.
pub fn parse_query(
    search: Option<String>,
    status: Option<&str>,
    sort: Option<&str>,
    after: Option<String>,
) -> Result<ProductQuery, Invalid> {
    let _ = (search, status, sort, after);
    todo!()
}

/// Reads a product's form: the id of the product to change (none for a new one) and what to write.
pub fn read_form(form: &ProductForm, currency: Currency) -> Result<(Option<String>, ProductInput), Vec<Invalid>> {
    let _ = (form, currency);
    todo!()
}

impl Catalog {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// A page of 50, through the cache.
    pub async fn list(&self, vendor: &VendorRef, query: &ProductQuery) -> Result<Served<ProductPage>, AppError> {
        let _ = (&self.db, &self.cache, vendor, query);
        todo!()
    }

    pub async fn find(&self, vendor: &VendorRef, product_id: &str) -> Result<Product, AppError> {
        let _ = (vendor, product_id);
        todo!()
    }

    pub async fn create(&self, vendor: &VendorRef, input: &ProductInput) -> Result<Product, AppError> {
        let _ = (vendor, input);
        todo!()
    }

    pub async fn update(&self, vendor: &VendorRef, product_id: &str, input: &ProductInput) -> Result<Product, AppError> {
        let _ = (vendor, product_id, input);
        todo!()
    }

    pub async fn delete(&self, vendor: &VendorRef, product_id: &str) -> Result<(), AppError> {
        let _ = (vendor, product_id);
        todo!()
    }

    /// All of the named products, or none: `NotFound` when one of them is not this vendor's. Returns how many were changed.
    pub async fn change_many(&self, vendor: &VendorRef, change: &BulkChange) -> Result<u64, AppError> {
        let _ = (vendor, change);
        todo!()
    }
}
