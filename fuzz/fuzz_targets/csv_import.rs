#![no_main]
//! One file of a bundle.

use std::sync::LazyLock;

use tokio::runtime::Runtime;
use vendorscope::server::db::Db;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));

libfuzzer_sys::fuzz_target!(|input: (u8, Vec<u8>)| {
    let folder = tempfile::tempdir().expect("a folder");
    RUNTIME.block_on(async {
        let db =
            Db::connect(&format!("sqlite://{}", folder.path().join("fuzz.db").display()), 1).await.expect("a database");
        db.migrate().await.expect("tables");
        vendorscope_fuzz::csv_import(&db, usize::from(input.0), &input.1).await;
    });
});
