//! Vendors, products and customers of a bundle: checked against each other and against what is there, then written.

use crate::{domain::money::MAX_AMOUNT, server::db::search};

use super::{
    ImportError,
    tables::{has_too_many_decimals, too_many_decimals},
    work::Work,
};

/// Vendors whose figures, products or profile the bundle changes, by the marketplace's own id.
const CHANGED_VENDORS: &str = "import_changed_vendors";

pub(super) async fn write(work: &mut Work<'_>) -> Result<(), ImportError> {
    work.create_keyed(CHANGED_VENDORS, "vendor_id TEXT PRIMARY KEY").await?;
    write_vendors(work).await?;
    write_products(work).await?;
    write_customers(work).await?;
    search::fill(work.tx).await?;
    Ok(())
}

/// The marketplace ids of the vendors that changed: those noted here, and those of `touched` orders.
pub(super) async fn changed_vendors(work: &mut Work<'_>, touched: &str) -> Result<Vec<String>, ImportError> {
    let mut vendors = work
        .texts(&format!(
            "SELECT vendor_id FROM {CHANGED_VENDORS}
             UNION SELECT external_id FROM vendors WHERE id IN (SELECT vendor_id FROM {touched})"
        ))
        .await?;
    vendors.sort();
    Ok(vendors)
}

async fn note_changed(work: &mut Work<'_>, query: &str) -> Result<(), ImportError> {
    work.run(&format!("INSERT INTO {CHANGED_VENDORS} {query} ON CONFLICT DO NOTHING")).await?;
    Ok(())
}

async fn write_vendors(work: &mut Work<'_>) -> Result<(), ImportError> {
    work.refuse_duplicates(
        "vendors",
        "bundle_vendors",
        "vendor_id",
        "'vendor_id: `' || vendor_id || '` is in this file twice'",
    )
    .await?;
    work.refuse(
        "vendors",
        "SELECT b.csv_line, 'currency: vendor `' || b.vendor_id || '` has orders in ' || v.currency || ' already' AS \
         message
         FROM bundle_vendors b JOIN vendors v ON v.external_id = b.vendor_id
         WHERE v.currency <> b.currency AND EXISTS (SELECT 1 FROM vendor_orders o WHERE o.vendor_id = v.id)",
    )
    .await?;
    // Prices are in minor units: one that stayed would be read in those of the new currency, and 12.50 EUR be 1250 JPY.
    work.refuse(
        "vendors",
        "SELECT b.csv_line, 'currency: `' || b.currency || '` is not accepted: vendor `' || b.vendor_id || \
         '` has product `' || MIN(p.external_id) || '` priced in ' || v.currency || \
         ', and products.csv has no price in ' || b.currency || ' for it' AS message
         FROM bundle_vendors b JOIN vendors v ON v.external_id = b.vendor_id JOIN products p ON p.vendor_id = v.id
         WHERE v.currency <> b.currency AND p.status <> 'deleted'
           AND p.external_id NOT IN (SELECT product_id FROM bundle_products)
         GROUP BY b.csv_line, b.vendor_id, b.currency, v.currency",
    )
    .await?;
    note_changed(
        work,
        "SELECT b.vendor_id FROM bundle_vendors b LEFT JOIN vendors v ON v.external_id = b.vendor_id
         WHERE v.id IS NULL OR (v.name, v.country, v.time_zone, v.currency) <> (b.name, b.country, b.time_zone, \
         b.currency)
            OR v.commission_bps <> b.commission_bps OR v.low_stock_threshold <> b.low_stock_threshold",
    )
    .await?;
    work.create_keyed("import_rezoned", "vendor_id BIGINT PRIMARY KEY").await?;
    work.run(
        "INSERT INTO import_rezoned
         SELECT v.id FROM bundle_vendors b JOIN vendors v ON v.external_id = b.vendor_id \
         WHERE v.time_zone <> b.time_zone",
    )
    .await?;
    // Where the file has no commission and no threshold: what is there, else the defaults of the table.
    work.write(
        "INSERT INTO vendors (external_id, name, country, time_zone, currency, minor_thousandths, commission_bps, \
         low_stock_threshold)
         SELECT b.vendor_id, b.name, b.country, b.time_zone, b.currency, b.minor_thousandths,
                COALESCE(b.commission_bps, v.commission_bps, 0), COALESCE(b.low_stock_threshold, \
                v.low_stock_threshold, 5)
         FROM bundle_vendors b LEFT JOIN vendors v ON v.external_id = b.vendor_id
         WHERE true ORDER BY b.csv_line
         ON CONFLICT (external_id) DO UPDATE SET search_text = CASE \
         WHEN vendors.name = excluded.name THEN vendors.search_text END,
                name = excluded.name, country = excluded.country, time_zone = excluded.time_zone,
                currency = excluded.currency, minor_thousandths = excluded.minor_thousandths,
                commission_bps = excluded.commission_bps, low_stock_threshold = excluded.low_stock_threshold
         WHERE (vendors.name, vendors.country, vendors.time_zone, vendors.currency, vendors.commission_bps, \
         vendors.low_stock_threshold)
            <> (excluded.name, excluded.country, excluded.time_zone, excluded.currency, excluded.commission_bps, \
            excluded.low_stock_threshold)",
    )
    .await?;
    Ok(())
}

async fn write_products(work: &mut Work<'_>) -> Result<(), ImportError> {
    work.refuse_duplicates(
        "products",
        "bundle_products",
        "product_id",
        "'product_id: `' || product_id || '` is in this file twice'",
    )
    .await?;
    let (too_many, message) =
        (has_too_many_decimals("unit_price", "price_step"), too_many_decimals("unit_price", "price_step"));
    work.refuse(
        "products",
        &format!(
            "SELECT b.csv_line, CASE
                WHEN v.id IS NULL THEN 'vendor_id: there is no vendor `' || b.vendor_id || '`'
                WHEN p.vendor_id <> v.id THEN 'vendor_id: product `' || b.product_id || '` belongs to another vendor \
                already'
                WHEN {too_many} THEN {message}
                ELSE 'unit_price: is too large: at most {MAX_AMOUNT} minor units' END AS message
             FROM bundle_products b
             LEFT JOIN vendors v ON v.external_id = b.vendor_id
             LEFT JOIN products p ON p.external_id = b.product_id
             WHERE v.id IS NULL OR p.vendor_id <> v.id OR {too_many} OR b.unit_price / v.minor_thousandths > \
             {MAX_AMOUNT}"
        ),
    )
    .await?;
    // What its vendor has deleted stays deleted, whatever the bundle says of it.
    let prices = "b.unit_price / v.minor_thousandths";
    note_changed(
        work,
        &format!(
            "SELECT DISTINCT b.vendor_id FROM bundle_products b
             JOIN vendors v ON v.external_id = b.vendor_id
             LEFT JOIN products p ON p.external_id = b.product_id
             WHERE p.id IS NULL OR (p.name, p.category, p.unit_price, p.stock) <> (b.name, b.category, {prices}, \
             b.stock)
                OR (p.status <> b.status AND p.status <> 'deleted')"
        ),
    )
    .await?;
    work.write(&format!(
        "INSERT INTO products (external_id, vendor_id, name, category, unit_price, stock, status)
         SELECT b.product_id, v.id, b.name, b.category, {prices}, b.stock, b.status
         FROM bundle_products b JOIN vendors v ON v.external_id = b.vendor_id
         WHERE true ORDER BY b.csv_line
         ON CONFLICT (external_id) DO UPDATE SET search_text = CASE \
         WHEN products.name = excluded.name THEN products.search_text END,
                name = excluded.name, category = excluded.category,
                unit_price = excluded.unit_price, stock = excluded.stock,
                status = CASE WHEN products.status = 'deleted' THEN products.status ELSE excluded.status END
         WHERE (products.name, products.category, products.unit_price, products.stock)
            <> (excluded.name, excluded.category, excluded.unit_price, excluded.stock)
            OR (products.status <> excluded.status AND products.status <> 'deleted')"
    ))
    .await?;
    Ok(())
}

async fn write_customers(work: &mut Work<'_>) -> Result<(), ImportError> {
    work.refuse_duplicates(
        "customers",
        "bundle_customers",
        "customer_id",
        "'customer_id: `' || customer_id || '` is in this file twice'",
    )
    .await?;
    let renamed = "bundle_customers b JOIN customers c ON c.external_id = b.customer_id \
        WHERE (c.name, c.country) <> (b.name, b.country)";
    // Orders are listed with the customer's name. Asked first, because no index leads from customers to their vendors.
    if work.integer(&format!("SELECT COUNT(*) FROM {renamed}")).await? > Some(0) {
        note_changed(
            work,
            &format!(
                "SELECT DISTINCT v.external_id FROM vendor_orders o JOIN vendors v ON v.id = o.vendor_id
                 WHERE o.customer_id IN (SELECT c.id FROM {renamed})"
            ),
        )
        .await?;
    }
    work.write(
        "INSERT INTO customers (external_id, name, country)
         SELECT b.customer_id, b.name, b.country FROM bundle_customers b
         WHERE true ORDER BY b.csv_line
         ON CONFLICT (external_id) DO UPDATE SET search_text = CASE \
         WHEN customers.name = excluded.name THEN customers.search_text END,
                name = excluded.name, country = excluded.country
         WHERE (customers.name, customers.country) <> (excluded.name, excluded.country)",
    )
    .await?;
    Ok(())
}
