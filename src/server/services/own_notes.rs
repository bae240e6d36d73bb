//! What vendors note down of days. They are read with what happened (`movers`).

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;

use super::{
    Written,
    analytics::{Analytics, tags},
    by_vendor, write,
};
use crate::{
    domain::{
        accounts::VendorRef,
        field_error::Checks,
        own_notes::{MAX_NOTE, MOST_OWN_NOTES},
        period::{DateRange, day_number, parse_day},
        text::non_empty,
    },
    server::{
        AppError,
        db::{Tx, orders, own_notes},
        identity::sessions::WritingVendor,
    },
};

impl Analytics {
    /// Notes something down of a day (`YYYY-MM-DD`), or, with the id of a note, writes that one anew: `NotFound` where
    /// the vendor has none of this id.
    pub async fn save_note(
        &self,
        by: &WritingVendor,
        note_id: Option<&str>,
        day: &str,
        text: &str,
    ) -> Result<(), AppError> {
        let mut checks = Checks::default();
        let mut text = text.to_owned();
        checks.line("note", &mut text, MAX_NOTE);
        let day = checks.accept(parse_day("day", day).and_then(|day| {
            DateRange::new(day, day).map(|_| day).map_err(|mut error| {
                "day".clone_into(&mut error.field);
                error
            })
        }));
        checks.finish()?;
        let day = day.map(day_number).unwrap_or_default();
        let id = non_empty(note_id).map(|id| id.parse::<i64>().map_err(|_| AppError::NotFound)).transpose()?;
        self.write_note(&by.vendor, "note written", move |tx, vendor_id| {
            async move {
                match id {
                    Some(id) if own_notes::update(tx, vendor_id, id, day, &text).await? => Ok(()),
                    Some(_) => Err(AppError::NotFound),
                    None if own_notes::count(tx, vendor_id).await? >= MOST_OWN_NOTES => {
                        Err(AppError::Conflict(format!("You have {MOST_OWN_NOTES} notes. Delete one first.")))
                    }
                    None => {
                        let now = Timestamp::now().as_microsecond();
                        Ok(own_notes::insert(tx, vendor_id, day, &text, now).await?)
                    }
                }
            }
            .boxed()
        })
        .await
    }

    /// `NotFound` where the vendor has none of this id.
    pub async fn delete_note(&self, by: &WritingVendor, note_id: &str) -> Result<(), AppError> {
        let id: i64 = note_id.parse().map_err(|_| AppError::NotFound)?;
        self.write_note(&by.vendor, "note deleted", move |tx, vendor_id| {
            async move {
                let was_there = own_notes::delete(tx, vendor_id, id).await?;
                if was_there { Ok(()) } else { Err(AppError::NotFound) }
            }
            .boxed()
        })
        .await
    }

    async fn write_note<W>(&self, vendor: &VendorRef, why: &'static str, work: W) -> Result<(), AppError>
    where
        W: for<'a> FnOnce(&'a mut Tx, i64) -> BoxFuture<'a, Result<(), AppError>> + Send + 'static,
    {
        let (vendor, cause) = (vendor.clone(), by_vendor(vendor, why));
        write(&self.db, &self.cache, cause, None, move |tx| {
            async move {
                // One after the other, so that they are counted rightly.
                orders::lock_vendor(tx, vendor.id).await?;
                work(tx, vendor.id).await?;
                let [of_vendor, _] = tags(&vendor);
                Ok(Written::stale((), vec![of_vendor]))
            }
            .boxed()
        })
        .await
    }
}
