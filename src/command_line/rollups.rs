use anyhow::bail;
use clap::Subcommand;
use vendorscope_cache::Cause;

use super::printing::print_line;
use crate::server::{
    cache_keys,
    db::{Db, rollups, vendors},
    services::outbox,
};

#[derive(Subcommand)]
pub enum RollupsCommand {
    /// Work every sum out again from the orders, and say where what is stored differs; changes nothing
    Verify,
    /// Work every sum out again from the orders, and store it
    Rebuild,
}

pub async fn run(db: &Db, command: &RollupsCommand) -> anyhow::Result<()> {
    match command {
        RollupsCommand::Verify => verify(db).await,
        RollupsCommand::Rebuild => rebuild(db).await,
    }
}

async fn verify(db: &Db) -> anyhow::Result<()> {
    // Never committed: what it works out goes with it.
    let differences = rollups::verify(&mut db.write().await?).await?;
    if differences.is_empty() {
        print_line!("Every sum is that of the orders.");
        return Ok(());
    }
    let tables: Vec<_> =
        differences.iter().map(|difference| format!("{} of {}", difference.rows, difference.table)).collect();
    bail!("sums differ from the orders in {} rows: run `vendorscope rollups rebuild`", tables.join(", "))
}

async fn rebuild(db: &Db) -> anyhow::Result<()> {
    let stale: Vec<_> = vendors::list_ids(db)
        .await?
        .iter()
        .map(|id| cache_keys::vendor_tag(id))
        .chain([cache_keys::marketplace_tag()])
        .collect();
    let mut tx = db.write().await?;
    let differences = rollups::verify(&mut tx).await?;
    outbox::record_without_instance(&mut tx, &stale, &Cause { who: "cli".to_owned(), why: "sums rebuilt" }).await?;
    tx.commit().await?;
    outbox::wait_until_told().await;
    match differences.iter().map(|difference| difference.rows).sum::<i64>() {
        0 => print_line!("Rebuilt: every sum was right already."),
        rows => print_line!("Rebuilt: {rows} rows were wrong, and are right now."),
    }
    Ok(())
}
