//! What vendors note down of days. They are read with what happened (`movers`).

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Once, Sender, Written,
    analytics::{Analytics, tags},
    by_vendor, write,
};
use crate::{
    domain::{
        accounts::VendorRef,
        field_error::Checks,
        own_notes::{MAX_NOTE, MOST_OWN_NOTES, OwnNote, OwnNoteInput},
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
    /// Notes something down of a day, or, with the id of a note, writes that one anew: `NotFound` where the vendor has
    /// none of this id. `Conflict` where it has as many as it may.
    pub async fn save_note(
        &self,
        by: &WritingVendor,
        note_id: Option<&str>,
        input: OwnNoteInput,
        sender: &Sender,
    ) -> Result<OwnNote, AppError> {
        let once = sender.once("note written", &(&by.vendor.external_id, note_id, &input))?;
        let OwnNoteInput { day, mut text } = input;
        let mut checks = Checks::default();
        checks.line("text", &mut text, MAX_NOTE);
        let day = checks.accept(parse_day("day", &day).and_then(|day| {
            DateRange::new(day, day).map(|_| day).map_err(|mut error| {
                "day".clone_into(&mut error.field);
                error
            })
        }));
        checks.finish()?;
        let day = day.unwrap_or_default();
        let number = day_number(day);
        let id = non_empty(note_id).map(|id| id.parse::<i64>().map_err(|_| AppError::NotFound)).transpose()?;
        self.write_note(&by.vendor, "note written", once, move |tx, vendor_id| {
            async move {
                let id = match id {
                    Some(id) if own_notes::update(tx, vendor_id, id, number, &text).await? => id,
                    Some(_) => return Err(AppError::NotFound),
                    None if own_notes::count(tx, vendor_id).await? >= MOST_OWN_NOTES => {
                        return Err(AppError::Conflict(format!("You have {MOST_OWN_NOTES} notes. Delete one first.")));
                    }
                    None => {
                        let now = Timestamp::now().as_microsecond();
                        own_notes::insert(tx, vendor_id, number, &text, now).await?
                    }
                };
                Ok(OwnNote { note_id: id.to_string(), day, text })
            }
            .boxed()
        })
        .await
    }

    /// `NotFound` where the vendor has none of this id.
    pub async fn delete_note(&self, by: &WritingVendor, note_id: &str, sender: &Sender) -> Result<(), AppError> {
        let once = sender.once("note deleted", &(&by.vendor.external_id, note_id))?;
        let id: i64 = note_id.parse().map_err(|_| AppError::NotFound)?;
        self.write_note(&by.vendor, "note deleted", once, move |tx, vendor_id| {
            async move {
                let was_there = own_notes::delete(tx, vendor_id, id).await?;
                if was_there { Ok(()) } else { Err(AppError::NotFound) }
            }
            .boxed()
        })
        .await
    }

    async fn write_note<T, W>(
        &self,
        vendor: &VendorRef,
        why: &'static str,
        once: Option<Once>,
        work: W,
    ) -> Result<T, AppError>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        W: for<'a> FnOnce(&'a mut Tx, i64) -> BoxFuture<'a, Result<T, AppError>> + Send + 'static,
    {
        let (vendor, cause) = (vendor.clone(), by_vendor(vendor, why));
        write(&self.db, &self.cache, cause, once, move |tx| {
            async move {
                // One after the other, so that they are counted rightly.
                orders::lock_vendor(tx, vendor.id).await?;
                let answer = work(tx, vendor.id).await?;
                let [of_vendor, _] = tags(&vendor);
                Ok(Written::stale(answer, vec![of_vendor]))
            }
            .boxed()
        })
        .await
    }
}
