use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    domain::{
        allocation::share,
        field_error::FieldError,
        ingest::{Ingested, RefundBatch, SentRefund},
        returns::RefundReason,
    },
    server::{
        db::{Tx, sql},
        import::{
            ImportError, lock_out_others, staging,
            tables::{self, Cell},
            work::Work,
            write_staged,
        },
    },
};

use super::{IngestResult, begin, distinct, fill, lock_vendors, named, own, place};

const VENDORS: &str = "SELECT l.vendor_id FROM import_named n CROSS JOIN orders o CROSS JOIN order_lines l
                       WHERE o.external_id = n.order_id AND l.order_id = o.id";

/// New refunds, and known ones as they are now. Never more than was sold. They leave stock alone, as orders do. `only`:
/// the one vendor that may be written for.
pub async fn take_refunds(tx: &mut Tx, batch: &RefundBatch, only: Option<&str>) -> Result<IngestResult, ImportError> {
    let sent = &batch.refunds;
    let key = |refund: &SentRefund| (refund.order_id.clone(), refund.line, refund.refunded_at.as_microsecond());
    let kept = distinct(sent, key, |at, first| {
        FieldError::new(
            format!("refunds[{at}].refundedAt"),
            format!("is that of refunds[{first}] too, of the same line, which differs"),
        )
    })?;
    lock_out_others(tx).await?;
    let mut work = begin(tx).await?;
    stage_names(&mut work, sent).await?;
    own::check_refunds(&mut work, sent, only).await?;
    lock_vendors(&mut work, VENDORS).await?;
    let shares = share_out(&mut work, sent, &kept).await?;
    let mut cells = Vec::new();
    for at in &kept {
        let refund = &sent[*at];
        let lines: Vec<(i64, i64)> = match refund.line {
            Some(line) => vec![(line, refund.amount)],
            None => shares.get(at).cloned().unwrap_or_default(),
        };
        for (line, amount) in lines {
            cells.extend([
                place(*at),
                Cell::Text(refund.order_id.clone()),
                Cell::Integer(line),
                Cell::Integer(refund.quantity),
                Cell::Integer(amount),
                tables::NO_STEP,
                Cell::Integer(refund.refunded_at.as_microsecond()),
                Cell::Text(refund.reason.map_or("", RefundReason::as_str).to_owned()),
            ]);
        }
    }
    let rows = fill(&mut work, &tables::REFUNDS, cells).await?;
    // An import counts in thousandths, for files do not know the currency.
    work.run(
        "UPDATE bundle_refunds SET amount = amount * v.minor_thousandths
         FROM orders AS o JOIN order_lines AS l ON l.order_id = o.id JOIN vendors AS v ON v.id = l.vendor_id
         WHERE o.external_id = bundle_refunds.order_id AND l.line = bundle_refunds.line",
    )
    .await?;
    let vendors_changed = write_staged(&mut work, 0, rows, VENDORS)
        .await
        .map_err(|error| named(error, |_, line| format!("refunds[{}]", line - 1)))?;
    let states = "SELECT csv_line, MAX(state) AS state FROM import_refunds GROUP BY csv_line";
    let created = work.count(&format!("SELECT COUNT(*) FROM ({states}) AS places WHERE state = 1")).await?;
    let updated = work.count(&format!("SELECT COUNT(*) FROM ({states}) AS places WHERE state = 2")).await?;
    work.finish().await?;
    Ok(IngestResult {
        ingested: Ingested { created, updated, unchanged: sent.len() as u64 - created - updated },
        vendors_changed,
    })
}

/// The orders that are named, each once, into `import_named`.
async fn stage_names(work: &mut Work<'_>, sent: &[SentRefund]) -> Result<(), ImportError> {
    work.create_keyed("import_named", "order_id TEXT PRIMARY KEY").await?;
    let named: HashSet<&str> = sent.iter().map(|refund| refund.order_id.as_str()).collect();
    staging::insert(work, "import_named", 1, named.into_iter().map(|id| Cell::Text(id.to_owned())).collect()).await?;
    work.analyze("import_named").await?;
    Ok(())
}

/// One order as it stands, and as this request leaves it.
#[derive(Default)]
struct Standing {
    /// What each line came to.
    nets: BTreeMap<i64, i64>,
    currencies: HashSet<String>,
    /// By line and instant.
    refunds: BTreeMap<(i64, i64), LineRefund>,
}

struct LineRefund {
    quantity: i64,
    amount: i64,
    /// Where this request names it by its line.
    named_at: Option<usize>,
}

/// For every refund of an order as a whole, by its place: lines and amounts; of one that is there already, as it is
/// there.
async fn share_out(
    work: &mut Work<'_>,
    sent: &[SentRefund],
    kept: &[usize],
) -> Result<HashMap<usize, Vec<(i64, i64)>>, ImportError> {
    let mut shares = HashMap::new();
    let whole: Vec<usize> = kept.iter().copied().filter(|at| sent[*at].line.is_none()).collect();
    if whole.is_empty() {
        return Ok(shares);
    }
    let mut orders = load_standing(work).await?;
    for at in kept {
        let refund = &sent[*at];
        if let (Some(line), Some(order)) = (refund.line, orders.get_mut(&refund.order_id)) {
            let SentRefund { quantity, amount, .. } = *refund;
            let of_line = LineRefund { quantity, amount, named_at: Some(*at) };
            order.refunds.insert((line, refund.refunded_at.as_microsecond()), of_line);
        }
    }
    let mut refused = Vec::new();
    for at in whole {
        let refund = &sent[at];
        match orders.get_mut(&refund.order_id) {
            None => refused.push(FieldError::new(
                format!("refunds[{at}].orderId"),
                format!("there is no order `{}`", refund.order_id),
            )),
            Some(order) => match order.share(refund) {
                Ok(lines) => _ = shares.insert(at, lines),
                Err(invalid) => {
                    refused.push(FieldError::new(format!("refunds[{at}].{}", invalid.field), invalid.message))
                }
            },
        }
    }
    if refused.is_empty() { Ok(shares) } else { Err(ImportError::Invalid(refused)) }
}

impl Standing {
    fn share(&mut self, refund: &SentRefund) -> Result<Vec<(i64, i64)>, FieldError> {
        let instant = refund.refunded_at.as_microsecond();
        if self.currencies.len() > 1 {
            return Err(FieldError::new("line", "is required: the order's lines are of several currencies"));
        }
        let there = self.find_shared(refund)?;
        if !there.is_empty() {
            return Ok(there);
        }
        let refunded = |line: i64| {
            self.refunds.range((line, i64::MIN)..=(line, i64::MAX)).map(|(_, refund)| refund.amount).sum::<i64>()
        };
        let left: Vec<i64> = self.nets.iter().map(|(line, net)| (net - refunded(*line)).max(0)).collect();
        let whole: i64 = left.iter().sum();
        if refund.amount > whole {
            return Err(FieldError::new("amount", format!("is more than is left of the order: {whole} minor units")));
        }
        let shared = self.nets.keys().copied().zip(share(refund.amount, &left)).filter(|(_, amount)| *amount > 0);
        let lines: Vec<(i64, i64)> = shared.collect();
        for (line, amount) in &lines {
            let of_line = LineRefund { quantity: 0, amount: *amount, named_at: None };
            self.refunds.insert((*line, instant), of_line);
        }
        Ok(lines)
    }

    /// The lines and amounts of this refund of the order where it is there already; none where nothing is of its
    /// instant. Its lines are known by their instant as other refunds are, so no other may be of the same: shares are
    /// amounts without units, which no request has named by a line.
    fn find_shared(&self, refund: &SentRefund) -> Result<Vec<(i64, i64)>, FieldError> {
        const OF_ITS_OWN: &str = "a refund of the order as a whole needs an instant of its own";
        let instant = refund.refunded_at.as_microsecond();
        let mut there = Vec::new();
        for ((line, _), of_line) in self.refunds.iter().filter(|((_, at), _)| *at == instant) {
            let of = match of_line {
                LineRefund { named_at: Some(at), .. } => format!("of refunds[{at}] too, of line {line} of this order"),
                LineRefund { quantity: 1.., .. } => format!("of a refund of line {line} already"),
                LineRefund { amount, .. } => {
                    there.push((*line, *amount));
                    continue;
                }
            };
            let message = format!("`{}` is that {of}: {OF_ITS_OWN}", refund.refunded_at);
            return Err(FieldError::new("refundedAt", message));
        }
        match there.iter().map(|(_, amount)| amount).sum::<i64>() {
            sum if there.is_empty() || sum == refund.amount => Ok(there),
            sum => Err(FieldError::new(
                "amount",
                format!(
                    "`{}` is not what the refund of the order at this instant came to, {sum} minor units: another \
                     refund needs an instant of its own",
                    refund.amount
                ),
            )),
        }
    }
}

async fn load_standing(work: &mut Work<'_>) -> Result<HashMap<String, Standing>, ImportError> {
    use crate::server::db::rows::{int, text};
    let mut orders: HashMap<String, Standing> = HashMap::new();
    let lines = "SELECT o.external_id, l.line, l.gross - l.discount AS net, v.currency
                 FROM import_named n CROSS JOIN orders o CROSS JOIN order_lines l CROSS JOIN vendors v
                 WHERE o.external_id = n.order_id AND l.order_id = o.id AND v.id = l.vendor_id";
    for row in work.tx.rows(sql(lines)).await? {
        let order = orders.entry(text(&row, "external_id")?).or_default();
        order.nets.insert(int(&row, "line")?, int(&row, "net")?);
        order.currencies.insert(text(&row, "currency")?);
    }
    let refunds = "SELECT o.external_id, r.line, r.refunded_us, r.quantity, r.amount
                   FROM import_named n CROSS JOIN orders o CROSS JOIN refunds r
                   WHERE o.external_id = n.order_id AND r.order_id = o.id";
    for row in work.tx.rows(sql(refunds)).await? {
        let order = orders.entry(text(&row, "external_id")?).or_default();
        let of_line = LineRefund { quantity: int(&row, "quantity")?, amount: int(&row, "amount")?, named_at: None };
        order.refunds.insert((int(&row, "line")?, int(&row, "refunded_us")?), of_line);
    }
    Ok(orders)
}
