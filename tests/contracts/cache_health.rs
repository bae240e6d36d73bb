//! What the page of the cache's health looks back on, on both databases.

use vendorscope::server::db::health::{
    EventRow, InstanceRow, InvalidationRow, NamesRow, add_invalidations, forget, insert_event, last_event, list_events,
    list_instances, list_invalidations, list_names, note,
};

use crate::harness::databases;

fn instance(id: &str, seen_us: i64) -> InstanceRow {
    InstanceRow {
        id: id.to_owned(),
        name: format!("{id}:3000"),
        version: "1".to_owned(),
        started_us: 1_000_000,
        seen_us,
        ended_us: None,
        state: "{}".to_owned(),
    }
}

fn event(kind: &str, at_us: i64) -> EventRow {
    EventRow { at_us, instance: "a:3000".to_owned(), kind: kind.to_owned(), detail: kind.to_owned() }
}

fn invalidations(tags: &str, minute: i64, times: i64) -> InvalidationRow {
    InvalidationRow {
        minute,
        tags: tags.to_owned(),
        who: "vendor 7".to_owned(),
        why: "product updated".to_owned(),
        times,
        last_us: minute * 60_000_000 + times,
    }
}

fn names(slot: i64, reads: &str) -> NamesRow {
    NamesRow { slot, reads: reads.to_owned(), missed: "{}".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_instances_write_down_is_added_up_and_forgotten_in_time() {
    for database in databases().await {
        let db = database.open().await;
        let queries = db.queries();
        note(
            &db,
            &instance("a", 5_000_000),
            &[event("started", 1_000_000)],
            &[invalidations("vendor:{7}", 1, 2)],
            &[names(1, "old")],
        )
        .await
        .expect("noted");
        // Again, by it and by another: those of the same minute that are alike are one row.
        let verdicts = [event("verdict", 4_000_000), event("verdict", 3_000_000)];
        note(
            &db,
            &instance("a", 9_000_000),
            &verdicts,
            &[invalidations("vendor:{7}", 1, 3)],
            &[names(1, "new"), names(2, "next")],
        )
        .await
        .expect("noted");
        let rows = [invalidations("vendor:{7}", 1, 10), invalidations("analytics", 2, 1)];
        note(&db, &InstanceRow { ended_us: Some(7), ..instance("b", 6_000_000) }, &[], &rows, &[names(2, "b")])
            .await
            .expect("noted");
        let of_others = list_names(&db, 1, "b").await.expect("a list");
        assert_eq!(of_others, [names(1, "new"), names(2, "next")], "one row for each ten minutes");
        assert_eq!(list_names(&db, 2, "a").await.expect("a list"), [names(2, "b")]);

        let seen: Vec<_> = list_instances(&db, 0)
            .await
            .expect("a list")
            .into_iter()
            .map(|row| (row.id, row.seen_us, row.ended_us))
            .collect();
        assert_eq!(seen, [("a".to_owned(), 9_000_000, None), ("b".to_owned(), 6_000_000, Some(7))]);
        assert_eq!(list_instances(&db, 9_000_000).await.expect("a list").len(), 1);

        let done: Vec<_> = list_invalidations(&db, 0, 10)
            .await
            .expect("a list")
            .into_iter()
            .map(|row| (row.tags, row.minute, row.times))
            .collect();
        assert_eq!(done, [("analytics".to_owned(), 2, 1), ("vendor:{7}".to_owned(), 1, 15)], "the newest first");
        assert_eq!(list_invalidations(&db, 2, 10).await.expect("a list").len(), 1);

        let kinds: Vec<_> = list_events(&db, 0, 10).await.expect("a list").into_iter().map(|row| row.at_us).collect();
        assert_eq!(kinds, [4_000_000, 3_000_000, 1_000_000]);
        let last = last_event(&db, "verdict").await.expect("an answer").map(|row| row.at_us);
        assert_eq!(last, Some(3_000_000), "what was written last, whenever it began");

        let mut tx = db.write().await.expect("a transaction");
        insert_event(&mut tx, &event("counters_reset", 200_000_000)).await.expect("noted");
        add_invalidations(&mut tx, "command", &invalidations("", 3, 1)).await.expect("noted");
        tx.commit().await.expect("committed");
        forget(&db, 150_000_000, 2).await.expect("forgotten");
        assert_eq!(list_names(&db, 0, "").await.expect("a list").len(), 2, "from the second slot on");
        assert!(list_instances(&db, 0).await.expect("a list").is_empty());
        assert_eq!(list_events(&db, 0, 10).await.expect("a list").len(), 1);
        assert_eq!(list_invalidations(&db, 0, 10).await.expect("a list").len(), 2, "from the second minute on");
        assert_eq!(db.queries(), queries, "no request is charged with it");
    }
}
