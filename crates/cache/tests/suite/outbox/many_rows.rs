use super::*;

/// One look shows 1,000 rows. The one in question lies beyond them; what is before it is delivered bit by bit.
#[tokio::test]
async fn more_rows_than_a_look_shows_hide_none_of_them() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    for (round, before) in [1_000, 2_100, 5_000].into_iter().enumerate() {
        until(&cache, &source, Outcome::Hit).await;
        let value = round as u64 + 1;
        source.set(value);
        (0..before).for_each(|vendor| drop(rows.add(&[vendor_tag(&format!("other-{vendor}"))])));
        rows.add(&[vendor_tag("42")]);
        // As a write that found this one done answers.
        cache.wait_until_delivered(Some(&[vendor_tag("42")])).await;
        // The look of another vendor's lookup may be the last there was.
        read_of(&cache, "other-7").await;
        assert_eq!(read(&cache, &source).await.value, value, "of {before} rows before it");
        let began = std::time::Instant::now();
        while rows.len() > 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "{} rows are never delivered", rows.len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The same where nobody waits for the row in question: its writer has been answered because enough time has passed.
#[tokio::test]
async fn nor_does_an_instance_that_has_delivered_some_of_them_trust_the_rest() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    source.set(1);
    (0..3_000).for_each(|vendor| drop(rows.add(&[vendor_tag(&format!("other-{vendor}"))])));
    rows.add(&[vendor_tag("42")]);
    // The look of a lookup that began afterwards is one that every lookup after it may go by.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for _ in 0..200 {
        read_of(&cache, "other-7").await;
        assert_eq!(read(&cache, &source).await.value, 1);
    }
}

/// While Redis is away and rows pile up, lookups do not stand in line to look at them one after the other.
#[tokio::test]
async fn lookups_of_an_outage_do_not_each_look_at_all_that_is_pending() {
    let (rows, mut server) = (Arc::new(Rows::default()), RedisServer::start());
    let cache = instance(&server, &rows).await;
    (0..1_500).for_each(|vendor| drop(rows.add(&[vendor_tag(&format!("other-{vendor}"))])));
    server.kill();
    // Until its relay has looked, it knows of nothing.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (before, began) = (rows.looks.load(Ordering::SeqCst), std::time::Instant::now());
    for vendor in 0..500 {
        assert_eq!(read_of(&cache, &vendor.to_string()).await, Outcome::Bypass);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (looks, took) = (rows.looks.load(Ordering::SeqCst) - before, began.elapsed());
    // Its own every 50 ms while something is pending, and one of a lookup every 100 ms.
    let allowed = 3 + took.as_millis() as u64 / 30;
    assert!(looks <= allowed, "{looks} looks in {took:?}");
}
