//! Marketplace bundles into the database, with what they make stale.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use vendorscope_cache::Cause;

use crate::domain::text::shown;
use crate::server::{
    cache_keys,
    db::{
        Db, DbError, Tx,
        accounts::{AuditEntry, insert_audit},
    },
    import::{self, ImportError, ImportOptions, ImportReport, Progress, bundle::Bundle},
    services::outbox,
};

/// Reads a marketplace bundle (`*.csv` or `*.csv.gz`), all of it or nothing. `progress` is told the phase and how far
/// it is.
pub async fn import_bundle(
    db: &Db,
    folder: &Path,
    options: ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, ImportError> {
    let bundle = Bundle::Folder(folder.to_owned(), options.encoding);
    let mut tx = db.write().await?;
    let report = import_into(&mut tx, bundle, &folder.display().to_string(), options, progress).await?;
    tx.commit().await?;
    Ok(report)
}

/// As `import_bundle`, from wherever the bundle is, into the caller's transaction; `name`: as the audit log calls it.
pub(in crate::server) async fn import_into(
    tx: &mut Tx,
    bundle: Bundle,
    name: &str,
    options: ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, ImportError> {
    let report = import::import(tx, bundle, options, progress).await?;
    if !report.vendors_changed.is_empty() {
        // Every entry of a vendor carries its tag. Whatever instances there are, now or later, deliver it.
        let stale: Vec<_> = report
            .vendors_changed
            .iter()
            .map(|id| cache_keys::vendor_tag(id))
            .chain([cache_keys::marketplace_tag()])
            .collect();
        let cause = Cause { who: "import".to_owned(), why: "bundle imported" };
        outbox::record_without_instance(tx, &stale, &cause).await?;
    }
    if report.changed > 0 {
        note(tx, name, &report).await?;
    }
    Ok(report)
}

/// Notes an import in its transaction: whoever runs the command is no user.
async fn note(tx: &mut Tx, name: &str, report: &ImportReport) -> Result<(), DbError> {
    let ImportReport { vendors, products, customers, orders, lines, refunds, changed, .. } = report;
    let became = json!({
        "vendors": vendors, "products": products, "customers": customers, "orders": orders, "lines": lines,
        "refunds": refunds, "rowsChanged": changed,
    });
    let entry = AuditEntry {
        at_us: Timestamp::now().as_microsecond(),
        actor: "cli",
        action: "import",
        detail: &shown(name),
        address: None,
        was: None,
        became: None,
    };
    insert_audit(tx, &entry.became(&became)).await
}
