//! Marketplace bundles into the database, with what they make stale.

use std::path::Path;

use vendorscope_cache::Cause;

use crate::server::{
    cache_keys,
    db::Db,
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
    import(db, Bundle::Folder(folder.to_owned(), options.encoding), options, progress).await
}

/// As `import_bundle`, from wherever the bundle is.
pub(in crate::server) async fn import(
    db: &Db,
    bundle: Bundle,
    options: ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, ImportError> {
    let mut tx = db.write().await?;
    let report = import::import(&mut tx, bundle, options, progress).await?;
    if !report.vendors_changed.is_empty() {
        // Every entry of a vendor carries its tag. Whatever instances there are, now or later, deliver it.
        let stale: Vec<_> = report
            .vendors_changed
            .iter()
            .map(|id| cache_keys::vendor_tag(id))
            .chain([cache_keys::marketplace_tag()])
            .collect();
        let cause = Cause { who: "import".to_owned(), why: "bundle imported" };
        outbox::record_without_instance(&mut tx, &stale, &cause).await?;
    }
    tx.commit().await?;
    Ok(report)
}
