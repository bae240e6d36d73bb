use std::sync::Arc;

use anyhow::bail;
use clap::Subcommand;
use vendorscope_cache::{Cache, Cause, Tag, stats::Counter};

use super::printing::print_line;
use crate::server::{
    AppError, StartError,
    config::{Config, redact},
    db::{Db, outbox::installation, vendors},
    identity::accounts::Accounts,
    open_cache,
    services::{
        DatabaseOutbox,
        analytics::Analytics,
        cache_stats::cache_stats,
        health::{Carriers, find_carriers},
        outbox,
        tags::known_tags,
        warming,
    },
};

#[derive(Subcommand)]
pub enum CacheCommand {
    /// Say what all instances counted and what Redis holds
    Stats,
    /// Have every instance drop what is cached under these tags
    Invalidate {
        /// vendor:ID, products:ID, orders:ID, analytics (every snapshot) or marketplace
        #[arg(required = true, value_name = "TAG")]
        tags: Vec<String>,
    },
    /// Load dashboards, as they open, into Redis before anyone asks
    Warm {
        /// The marketplace's id of a vendor; can be given again [all vendors]
        #[arg(long = "vendor", value_name = "ID")]
        vendors: Vec<String>,
    },
}

pub async fn execute(command: CacheCommand, config: &Config, db: &Db) -> anyhow::Result<()> {
    match command {
        CacheCommand::Stats => stats(config, db).await,
        CacheCommand::Invalidate { tags } => invalidate(config, db, &tags).await,
        CacheCommand::Warm { vendors } => warm(config, db, vendors).await,
    }
}

async fn stats(config: &Config, db: &Db) -> anyhow::Result<()> {
    let cache = open_redis(config, db).await?;
    let (stats, counts) = (cache_stats(&cache).await, cache.counts().await);
    print_line!(
        "{:28}{}",
        "hit rate",
        stats.hit_rate.map_or_else(|| "no lookup yet".to_owned(), |percent| format!("{percent:.2} %"))
    );
    print_line!("{:28}{}", "entries", stats.total_keys);
    print_line!("{:28}{} bytes", "memory of Redis", stats.memory_usage);
    let families = counts.families();
    for (name, count) in Counter::ALL.iter().map(|counter| (counter.name(), counts.get(*counter))).chain(families) {
        print_line!("{:28}{count}", name.replace('_', " "));
    }
    for (timing, times) in [("load time", stats.load_time), ("hit time", stats.hit_time)] {
        let said = times
            .map_or_else(|| "none yet".to_owned(), |t| format!("p50 {} ms, p95 {} ms, p99 {} ms", t.p50, t.p95, t.p99));
        print_line!("{timing:28}{said}");
    }
    Ok(())
}

async fn invalidate(config: &Config, db: &Db, names: &[String]) -> anyhow::Result<()> {
    let accounts = Accounts::new(db.clone(), Cache::memory(), &config.sessions);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let tags = known_tags(&accounts, &names).await.map_err(in_words)?;
    // Without Redis what is cached is inside of the instances, and they say how much on their page.
    let carriers = match config.cache.redis_url {
        Some(_) => find_carriers(&open_cache(config, &installation(db).await?).await?, &tags).await,
        None => None,
    };
    accounts.audit("cli", "cache_invalidate", &tags.iter().map(Tag::name).collect::<Vec<_>>().join(" "), None).await?;
    outbox::invalidate(db, &tags, &Cause { who: "cli".to_owned(), why: "asked for on the command line" }).await?;
    let done = if tags.len() == 1 { "1 tag was".to_owned() } else { format!("{} tags were", tags.len()) };
    let entries = match carriers {
        None => String::new(),
        Some(Carriers { entries: 0, .. }) => ": nothing in Redis carries what was named".to_owned(),
        Some(Carriers { entries, is_estimate, .. }) => {
            let about = if is_estimate { "about " } else { "" };
            format!(": {about}{entries} of the entries in Redis, to be loaded again")
        }
    };
    print_line!("{done} invalidated{entries}.");
    Ok(())
}

async fn warm(config: &Config, db: &Db, vendors: Vec<String>) -> anyhow::Result<()> {
    let cache = open_redis(config, db).await?;
    // What is stored without knowing which store counts, no instance ever serves.
    cache.watch(Arc::new(DatabaseOutbox(db.clone()))).await;
    let vendors = if vendors.is_empty() { vendors::list_ids(db).await? } else { vendors };
    let accounts = Accounts::new(db.clone(), cache.clone(), &config.sessions);
    let analytics = Analytics::new(db.clone(), cache);
    let mut snapshots = Vec::with_capacity(vendors.len());
    for vendor in &vendors {
        snapshots.push(warming::opening_snapshot(&accounts, vendor).await.map_err(in_words)?);
    }
    let loaded = warming::warm_dashboards(&analytics, &snapshots).await;
    print_line!("{loaded} of {} dashboards were loaded; the others were there already.", snapshots.len());
    Ok(())
}

/// What is wrong, where the caller can mend it.
fn in_words(error: AppError) -> anyhow::Error {
    match error {
        AppError::Invalid(errors) => {
            anyhow::anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        other => other.into(),
    }
}

/// Without Redis the cache is inside of the server's process, out of reach from here. Fails where Redis does not
/// answer: what this process alone has counted says nothing.
async fn open_redis(config: &Config, db: &Db) -> anyhow::Result<Cache> {
    let Some(url) = config.cache.redis() else {
        bail!(
            "REDIS_URL is not set: without it the cache lives inside of the server's process, where only the page \
             /admin/cache reaches it"
        );
    };
    let cache = open_cache(config, &installation(db).await?).await?;
    match cache.list_entries().await {
        Ok(_) => Ok(cache),
        Err(error) => Err(StartError::Cache { url: redact(url), reason: error.to_string() }.into()),
    }
}
