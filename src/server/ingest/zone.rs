use super::{begin, lock_vendors};
use crate::server::{
    db::{Tx, sql},
    import::{ImportError, tables, write_staged},
};

/// Gives a vendor another zone, an IANA name, and dates all of its orders and refunds anew, with the sums over them:
/// what an import of this one vendor does, with nothing else in it. Reads and writes every order of the vendor.
pub async fn move_to_zone(tx: &mut Tx, vendor_id: i64, time_zone: &str) -> Result<(), ImportError> {
    let mut work = begin(tx).await?;
    let vendor = format!("SELECT id FROM vendors WHERE id = {vendor_id}");
    // Before its row is copied: what it holds must not change in between.
    lock_vendors(&mut work, &vendor).await?;
    let staging = tables::VENDORS.staging;
    let as_it_is = sql(format!(
        "INSERT INTO {staging} (csv_line, vendor_id, name, country, time_zone, currency, minor_thousandths)
         SELECT 1, external_id, name, country, $2, currency, minor_thousandths FROM vendors WHERE id = $1"
    ));
    work.tx.execute(as_it_is.bind(vendor_id).bind(time_zone.to_owned())).await?;
    write_staged(&mut work, 0, 0, &vendor).await?;
    work.finish().await?;
    Ok(())
}
