//! Giving money and goods back, and taking that back at once.

use futures::future::FutureExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Sender, Written, by_vendor, note,
    orders::{Orders, lock, stale, written},
    write,
};
use crate::{
    domain::{
        accounts::VendorRef,
        field_error::{Checks, FieldError},
        money::Currency,
        orders::Order,
        period::day_from_number,
        refund_commands::{LineRefund, NewRefund, refund_may_be_of},
        returns::{RefundReason, UNDO_SECONDS, is_undoable},
        text::shown,
    },
    server::{
        AppError,
        db::{
            Tx,
            moment::Moment,
            orders::{self, VendorTerms},
            refunds::{self, Terms},
            rollups::{self, Touched},
            stock, vendors,
        },
        identity::sessions::WritingVendor,
    },
    server_functions::orders::RefundForm,
};

/// Reads a refund's form.
pub fn read_refund(form: &RefundForm, currency: Currency) -> Result<NewRefund, Vec<FieldError>> {
    let mut checks = Checks::default();
    let amount = |field: &str, text: &str| {
        let text = text.trim();
        if text.is_empty() { Ok(None) } else { currency.parse_amount(field, text).map(Some) }
    };
    let whole = |field: &str, text: &str| match text.trim() {
        "" => Ok(0),
        text => text.parse::<i64>().map_err(|_| {
            FieldError::new(field, format!("`{text}` is not a whole number, such as 2", text = shown(text)))
        }),
    };
    let of_order = checks.accept(amount("amount", &form.amount)).flatten();
    let mut lines = Vec::new();
    for typed in &form.lines {
        let field = |name: &str| format!("line {} {name}", typed.line);
        let number = checks.accept(whole("line", &typed.line));
        let quantity = checks.accept(whole(&field("quantity"), &typed.quantity));
        let amount = checks.accept(amount(&field("amount"), &typed.amount));
        if let (Some(line), Some(quantity), Some(amount)) = (number, quantity, amount)
            && (quantity != 0 || amount.is_some())
        {
            lines.push(LineRefund { line, quantity, amount, restock: Some(typed.restock.is_some()) });
        }
    }
    let reason = checks.accept(RefundReason::parse_optional(&form.reason)).flatten();
    let is_one = of_order.is_some() == lines.is_empty();
    checks.require(is_one, "form", || {
        "Fill in either what comes back of the lines, or an amount on the whole order.".to_owned()
    });
    checks.finish()?;
    let lines = of_order.is_none().then_some(lines);
    // Each line says for itself whether its units go back into stock.
    Ok(NewRefund { lines, amount: of_order, restock: true, refunded_at: None, reason })
}

/// What a refund has given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundMade {
    /// In minor units.
    pub amount: i64,
    /// By which it is known, and can be undone.
    pub at: Timestamp,
}

impl Orders {
    /// Gives money and goods back. `Invalid` by field where it is more than is left, `Conflict` where the order counts
    /// as no sale.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "orders.refund", skip_all)]
    pub async fn refund(
        &self,
        by: &WritingVendor,
        order_id: &str,
        refund: NewRefund,
        sender: &Sender,
    ) -> Result<Order, AppError> {
        self.refund_and(by, order_id, refund, sender, |order, _| order).await
    }

    /// The same; answers what was given back, however often the form is sent.
    pub async fn refund_by_form(
        &self,
        by: &WritingVendor,
        order_id: &str,
        refund: NewRefund,
        sender: &Sender,
    ) -> Result<RefundMade, AppError> {
        self.refund_and(by, order_id, refund, sender, |_, made| made).await
    }

    /// Refunds, and answers what `answer` makes of the order as it is then and of what was given back.
    async fn refund_and<T: Serialize + DeserializeOwned + Send + Sync + 'static>(
        &self,
        by: &WritingVendor,
        order_id: &str,
        refund: NewRefund,
        sender: &Sender,
        answer: fn(Order, RefundMade) -> T,
    ) -> Result<T, AppError> {
        let vendor = &by.vendor;
        let now = Timestamp::now();
        refund.check(now)?;
        let once = sender.once("order refunded", &(&vendor.external_id, order_id, &refund))?;
        let sender = sender.clone();
        let (vendor_ref, order_id) = (vendor.clone(), order_id.to_owned());
        write(&self.db, &self.cache, by_vendor(vendor, "order refunded"), once, move |tx| {
            async move {
                let seller = lock(tx, &vendor_ref).await?;
                let before = refunded(tx, &vendor_ref, &order_id).await?;
                let made = give_back(tx, &vendor_ref, &seller, &order_id, &refund, now).await?;
                let after = refunded(tx, &vendor_ref, &order_id).await?;
                note(tx, &sender, "order_refund", &order_id, Some(before), Some(after)).await?;
                let order = orders::find_order(tx, vendor_ref.id, &order_id).await?.ok_or(AppError::NotFound)?;
                Ok(Written::stale(answer(order, made), stale(&vendor_ref)))
            }
            .boxed()
        })
        .await
    }

    /// Undoes a refund that this vendor has made at this instant: money, units, commission and stock are as they were
    /// before it. `Conflict` where it is more than a minute old, where somebody else noted it, or where what came back
    /// has been sold again.
    pub async fn undo_refund(
        &self,
        by: &WritingVendor,
        order_id: &str,
        refunded_at: Timestamp,
        sender: &Sender,
    ) -> Result<Order, AppError> {
        let vendor = &by.vendor;
        let now = Timestamp::now();
        let once = sender.once("refund undone", &(&vendor.external_id, order_id, refunded_at))?;
        let sender = sender.clone();
        let (vendor_ref, order_id) = (vendor.clone(), order_id.to_owned());
        write(&self.db, &self.cache, by_vendor(vendor, "refund undone"), once, move |tx| {
            async move {
                lock(tx, &vendor_ref).await?;
                let before = refunded(tx, &vendor_ref, &order_id).await?;
                take_again(tx, &vendor_ref, &order_id, refunded_at, now).await?;
                let after = refunded(tx, &vendor_ref, &order_id).await?;
                note(tx, &sender, "refund_undo", &order_id, Some(before), Some(after)).await?;
                written(tx, &vendor_ref, &order_id, true).await
            }
            .boxed()
        })
        .await
    }
}

/// What has been given back of an order, by line: units and amounts.
async fn refunded(tx: &mut Tx, vendor: &VendorRef, order_id: &str) -> Result<serde_json::Value, AppError> {
    let order = orders::find_order(tx, vendor.id, order_id).await?.ok_or(AppError::NotFound)?;
    let lines = order.lines.iter().map(|line| {
        serde_json::json!({ "line": line.line, "quantity": line.refunded_quantity, "amount": line.refunded_amount })
    });
    Ok(lines.collect())
}

async fn give_back(
    tx: &mut Tx,
    vendor: &VendorRef,
    seller: &VendorTerms,
    order_id: &str,
    refund: &NewRefund,
    now: Timestamp,
) -> Result<RefundMade, AppError> {
    let part = orders::find_part(tx, vendor.id, order_id).await?.ok_or(AppError::NotFound)?;
    let order = orders::find_order(tx, vendor.id, order_id).await?.ok_or(AppError::NotFound)?;
    if !part.status.is_counted() {
        return Err(AppError::Conflict(format!(
            "The order is {}: nothing of it was sold, so nothing can be refunded.",
            part.status
        )));
    }
    let lines = refund.plan(&order.lines)?;
    let zone = vendors::time_zone(&seller.time_zone)?;
    let mut at = Moment::new(refund.refunded_at.unwrap_or(now), &zone);
    if !refund_may_be_of(at.day, part.day) {
        let placed_on = day_from_number(part.day);
        return Err(
            FieldError::new("refundedAt", format!("lies before the day the order was placed on, {placed_on}")).into()
        );
    }
    // A refund is known by its line and its instant.
    loop {
        let taken = refunds::lines_refunded_at(tx, part.id, at.us).await?;
        match (taken.iter().any(|taken| lines.iter().any(|line| line.line == *taken)), refund.refunded_at) {
            (false, _) => break,
            (true, Some(_)) => {
                return Err(FieldError::new(
                    "refundedAt",
                    "a line has a refund of this instant already: send another instant",
                )
                .into());
            }
            (true, None) => at = Moment::new(Timestamp::from_microsecond(at.us + 1).unwrap_or(now), &zone),
        }
    }
    let touched = [(vendor.id, part.id)];
    rollups::retract(tx, &Touched::Orders(&touched)).await?;
    let terms = Terms { at, reason: refund.reason };
    refunds::insert_refunds(tx, vendor.id, part.id, &lines, &terms).await?;
    for line in lines.iter().filter(|line| line.restocked > 0) {
        stock::give_back_units(tx, part.id, line.line, line.restocked).await?;
    }
    rollups::add(tx, &Touched::Orders(&touched)).await?;
    let at = Timestamp::from_microsecond(terms.at.us).unwrap_or(now);
    Ok(RefundMade { amount: lines.iter().map(|line| line.amount).sum(), at })
}

async fn take_again(
    tx: &mut Tx,
    vendor: &VendorRef,
    order_id: &str,
    refunded_at: Timestamp,
    now: Timestamp,
) -> Result<(), AppError> {
    let part = orders::find_part(tx, vendor.id, order_id).await?.ok_or(AppError::NotFound)?;
    let conflict = |why: &str| Err(AppError::Conflict(why.to_owned()));
    if !is_undoable(refunded_at, now) {
        return conflict(&format!("A refund can be undone for {UNDO_SECONDS} seconds. This one stands."));
    }
    if !part.status.is_counted() {
        return conflict("The order no longer counts as a sale: its refund stands.");
    }
    let at_us = refunded_at.as_microsecond();
    let restocked = refunds::find_restocked(tx, vendor.id, part.id, at_us).await?;
    if restocked.is_empty() {
        return conflict("This refund has been undone already.");
    }
    if restocked.iter().any(|line| line.units.is_none()) {
        return conflict("The marketplace made this refund: it stands.");
    }
    let touched = [(vendor.id, part.id)];
    rollups::retract(tx, &Touched::Orders(&touched)).await?;
    refunds::delete_refunds(tx, vendor.id, part.id, at_us).await?;
    for line in restocked {
        let units = line.units.unwrap_or_default();
        if units > 0 && !stock::take_units(tx, part.id, line.line, units).await? {
            return conflict("What came back has been sold again: the refund stands.");
        }
    }
    rollups::add(tx, &Touched::Orders(&touched)).await?;
    Ok(())
}
