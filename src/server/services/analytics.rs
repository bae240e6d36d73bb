use bytes::Bytes;
use jiff::civil::Date;

use crate::{
    domain::{
        accounts::Vendor,
        invalid::Invalid,
        period::{Comparison, DateRange, Interval},
        report::Snapshot,
    },
    server::{
        AppError, VendorRef,
        cache::{Cache, Served},
        db::Db,
    },
};

/// The figures.
pub struct Analytics {
    db: Db,
    cache: Cache,
}

/// Which snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SnapshotQuery {
    pub range: DateRange,
    pub comparison: Comparison,
    pub interval: Interval,
}

impl SnapshotQuery {
    /// Reads the parameters of the API. Without `today` both dates are required; with it, none of them means the 28 days that end
    /// today, and one of them without the other is refused.
    pub fn parse(
        from: Option<&str>,
        to: Option<&str>,
        compare: Option<&str>,
        interval: Option<&str>,
        today: Option<Date>,
    ) -> Result<Self, Vec<Invalid>> {
        let _ = (from, to, compare, interval, today);
        todo!()
    }
}

/// Today in the vendor's time zone.
pub fn today(vendor: &Vendor) -> Date {
    let _ = vendor;
    todo!()
}

impl Analytics {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// A snapshot's JSON, as the API serves it.
    pub async fn snapshot_json(&self, vendor: &VendorRef, query: &SnapshotQuery) -> Result<Served<Bytes>, AppError> {
        let _ = (&self.db, &self.cache, vendor, query);
        todo!()
    }

    /// The same snapshot for a page.
    pub async fn snapshot(&self, vendor: &VendorRef, query: &SnapshotQuery) -> Result<Served<Snapshot>, AppError> {
        let _ = (vendor, query);
        todo!()
    }
}
