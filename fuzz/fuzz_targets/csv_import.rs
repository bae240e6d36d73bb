#![no_main]
//! One file of a bundle, the rest of it intact: imported as a whole, or refused with nothing changed.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use vendorscope::server::{
    db::Db,
    import::{ImportOptions, Progress, import_bundle},
};

struct Unwatched;

impl Progress for Unwatched {
    fn phase(&self, _: &str, _: u64) {}
    fn done(&self, _: u64) {}
}

const FILES: [(&str, &str); 5] = [
    ("vendors.csv", "vendor_id,name,country,time_zone,currency\nv-1,One,DE,Europe/Berlin,EUR\n"),
    ("products.csv", "product_id,vendor_id,name,category,unit_price,stock,status\np-1,v-1,Tea,Drinks,2.50,10,active\n"),
    ("customers.csv", "customer_id,name,country\nc-1,Ann,DE\n"),
    ("orders.csv", "order_id,customer_id,placed_at,status\no-1,c-1,2026-03-01T09:30:00Z,delivered\n"),
    ("order_items.csv", "order_id,line,product_id,quantity,gross,discount\no-1,1,p-1,2,5.00,0.50\n"),
];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));

fuzz_target!(|input: (u8, Vec<u8>)| {
    let folder = tempfile::tempdir().expect("a folder");
    let changed = usize::from(input.0) % FILES.len();
    for (number, (name, text)) in FILES.iter().enumerate() {
        let bytes = if number == changed { &input.1[..] } else { text.as_bytes() };
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    RUNTIME.block_on(async {
        let db = Db::connect(&format!("sqlite://{}", folder.path().join("fuzz.db").display()), 1).await.expect("a database");
        db.migrate().await.expect("tables");
        let _ = import_bundle(&db, folder.path(), ImportOptions::default(), &Unwatched).await;
    });
});
