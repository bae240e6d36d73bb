//! Letters that users of vendors wish to get: what a week brought, and what runs low. Each is sent once, by whichever
//! instance comes first, in the morning of the vendor's day; one that the mail server does not take is tried again.

use std::{fmt::Write, time::Duration};

use jiff::{Timestamp, ToSpan, Zoned, civil::Weekday};
use sha2::{Digest, Sha256};

use super::{
    AppError, AppState,
    db::{
        letters::{self, Reader},
        low_stock, vendors,
    },
    identity::signing::Signing,
    services::analytics::SnapshotQuery,
};
use crate::{
    domain::{
        accounts::{VendorRef, encode_segment},
        period::day_number,
        snapshot::Snapshot,
    },
    format::counted,
};

/// How often an instance looks for letters that are due.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// The hour of the vendor's day from which on letters are sent.
const MORNING: i8 = 7;
const WEEKLY: &str = "weekly";
const LOW_STOCK: &str = "low_stock";

/// A letter before it is known whether it is to be sent.
struct Letter {
    kind: &'static str,
    day: i64,
    subject: String,
    text: String,
    digest: String,
}

/// Sends what is due, again and again. Returns at once where there is no server for mail.
pub async fn keep_sending(state: &AppState) {
    if state.mail.is_none() {
        return;
    }
    loop {
        match send_due(state, Timestamp::now()).await {
            Ok(0) => {}
            Ok(sent) => tracing::info!(sent, "letters sent"),
            Err(error) => tracing::warn!(%error, "letters that are due were not sent: tried again"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Sends what is due at `now` and was not sent. Returns how many letters.
pub async fn send_due(state: &AppState, now: Timestamp) -> Result<usize, AppError> {
    let mut sent = 0;
    for reader in letters::readers(&state.db).await? {
        let Some(vendor) = reader.user.vendor.clone() else { continue };
        let zone = vendors::time_zone(&reader.time_zone)?;
        let local = now.to_zoned(zone);
        if local.hour() < MORNING {
            continue;
        }
        if reader.wishes.weekly_report && local.weekday() == Weekday::Monday {
            let letter = weekly(state, &vendor, &local).await?;
            sent += usize::from(send(state, &reader, letter, now).await?);
        }
        if reader.wishes.low_stock
            && let Some(letter) = running_low(state, &reader, &vendor, &local).await?
        {
            sent += usize::from(send(state, &reader, letter, now).await?);
        }
    }
    Ok(sent)
}

/// Whether it was sent now.
async fn send(state: &AppState, reader: &Reader, letter: Letter, now: Timestamp) -> Result<bool, AppError> {
    let Some(mail) = &state.mail else { return Ok(false) };
    let Letter { kind, day, subject, text, digest } = letter;
    let user = &reader.user;
    if !letters::claim(&state.db, user.id, kind, day, &digest, now.as_microsecond()).await? {
        return Ok(false);
    }
    let stop = stop_address(state, user.id);
    let text = format!("{text}\n--\nYou asked for this letter on your account page. Stop all letters:\n{stop}\n");
    let one_click = stop.replacen("/letters/stop", "/api/letters/stop", 1);
    let is_sent = mail.send_with_stop(&user.email, &subject, text, &one_click).await;
    if !is_sent {
        letters::give_back(&state.db, user.id, kind, day).await?;
    }
    Ok(is_sent)
}

/// What last week, Monday to Sunday, brought.
async fn weekly(state: &AppState, vendor: &VendorRef, local: &Zoned) -> Result<Letter, AppError> {
    let monday = local.date();
    let (from, to) = (monday.saturating_sub(7.days()), monday.saturating_sub(1.days()));
    let snapshot = figures(state, vendor, from.to_string(), to.to_string()).await?;
    let (currency, totals) = (snapshot.currency, snapshot.totals);
    let money = |amount| format!("{} {}", currency.to_decimal(amount), currency.code());
    let mut text = format!("{}, {from} to {to}\n\n", snapshot.vendor_name);
    let before = snapshot.previous_totals;
    let mut line = |name: &str, now: String, before: Option<String>| {
        let before = before.map(|before| format!("  (week before: {before})")).unwrap_or_default();
        // Writing to a text does not fail.
        let _ = writeln!(text, "{name}: {now}{before}");
    };
    line("Net sales", money(totals.net_sales), before.as_ref().map(|before| money(before.net_sales)));
    line("Orders", totals.orders.to_string(), before.as_ref().map(|before| before.orders.to_string()));
    line("Units", totals.units.to_string(), before.as_ref().map(|before| before.units.to_string()));
    line(
        "New customers",
        totals.new_customers.to_string(),
        before.as_ref().map(|before| before.new_customers.to_string()),
    );
    if !snapshot.top_products.is_empty() {
        text.push_str("\nBest sellers\n");
        for product in snapshot.top_products.iter().take(5) {
            let sold = counted(product.units, "unit", "units");
            let _ = writeln!(text, "- {}: {}, {sold}", product.name, money(product.net_sales));
        }
    }
    if snapshot.low_stock_total > 0 {
        let _ = writeln!(text, "\nRunning low: {}", counted(snapshot.low_stock_total, "product", "products"));
    }
    let _ = writeln!(text, "\n{}/?dateFrom={from}&dateTo={to}", state.config.http.public_url);
    let subject = format!("Your week: {}", money(totals.net_sales));
    let digest = digest(&text);
    Ok(Letter { kind: WEEKLY, day: day_number(monday), subject, text, digest })
}

/// What runs low; `None` where nothing does, or it is what the letter before told. That nothing does is noted, so that
/// the same products are told of again when they run low again.
async fn running_low(
    state: &AppState,
    reader: &Reader,
    vendor: &VendorRef,
    local: &Zoned,
) -> Result<Option<Letter>, AppError> {
    let today = local.date();
    let snapshot = figures(state, vendor, today.to_string(), today.to_string()).await?;
    let mut tx = state.db.read().await?;
    let told = letters::last_digest(&mut tx, reader.user.id, LOW_STOCK).await?;
    let mut ids: Vec<_> = snapshot.low_stock.iter().map(|product| product.product_id.clone()).collect();
    if snapshot.low_stock_total > ids.len() as i64 {
        ids = low_stock::list_ids(&mut tx, vendor.id, today).await?;
    }
    drop(tx);
    ids.sort();
    let digest = digest(&ids.join("\n"));
    if told.as_ref() == Some(&digest) || (told.is_none() && ids.is_empty()) {
        return Ok(None);
    }
    if ids.is_empty() {
        let now_us = local.timestamp().as_microsecond();
        letters::claim(&state.db, reader.user.id, LOW_STOCK, day_number(today), &digest, now_us).await?;
        return Ok(None);
    }
    let subject = match snapshot.low_stock_total {
        1 => "1 product is running low".to_owned(),
        many => format!("{many} products are running low"),
    };
    let mut text = format!("{}: {subject}\n\n", snapshot.vendor_name);
    for product in &snapshot.low_stock {
        let cover = product.days_of_cover.map(|days| format!(", {days} days")).unwrap_or_default();
        let _ = writeln!(text, "- {}: {} left{cover}", product.name, product.stock);
    }
    let _ = writeln!(text, "\n{}/products?stock=low", state.config.http.public_url);
    Ok(Some(Letter { kind: LOW_STOCK, day: day_number(today), subject, text, digest }))
}

async fn figures(state: &AppState, vendor: &VendorRef, from: String, to: String) -> Result<Snapshot, AppError> {
    let query = SnapshotQuery::parse(Some(&from), Some(&to), None, Some("day"), None)?;
    Ok(state.analytics.snapshot(vendor, &query).await?.value)
}

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}

/// Where a reader stops all letters. It names the user, signed, and can do nothing else.
fn stop_address(state: &AppState, user: i64) -> String {
    let token = signing(state).sign(&user.to_string());
    format!("{}/letters/stop?reader={}", state.config.http.public_url, encode_segment(&token))
}

/// The user whom an address to stop letters names.
pub fn reader_of(state: &AppState, token: &str) -> Option<i64> {
    signing(state).verify(token)?.parse().ok()
}

fn signing(state: &AppState) -> Signing {
    Signing::new("letters", &state.config.sessions)
}
