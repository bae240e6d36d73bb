use super::*;

over_each_store! {
    async fn statistics_are_the_same_on_every_instance(bench: Bench) {
        let source = Source::default();
        assert_eq!(bench.one.counts().await.hit_rate_percent(), None);
        read(&bench.one, &source).await;
        for cache in [&bench.one, &bench.one, &bench.other] {
            read(cache, &source).await;
        }
        // Each hands over what it counted when it is asked.
        let counts = (bench.one.counts().await, bench.other.counts().await, bench.one.counts().await);
        assert_eq!(counts.1, counts.2);
        let counts = counts.1;
        assert_eq!((counts.get(Counter::Hits), counts.misses(), counts.get(Counter::Loads)), (3, 1, 1));
        assert_eq!(counts.hit_rate_percent(), Some(75.0));
        for timing in Timing::ALL {
            let [half, most] = [0.5, 0.99].map(|share| counts.times(timing).percentile(share).expect("one at least"));
            assert!(Duration::ZERO < half && half <= most, "{half:?} {most:?}");
        }
        let usage = bench.other.usage().await;
        assert!(usage.entries == 1 && usage.memory_bytes > 0, "{usage:?}");
    }

    async fn misses_say_why_and_by_which_tag(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        bench.one.invalidate(&tags()[..1], &cause()).await.expect("recorded");
        read(&bench.other, &source).await;
        // Both tags: each is counted, the miss once.
        bench.other.invalidate(&tags(), &cause()).await.expect("recorded");
        read(&bench.one, &source).await;
        bench.clock.advance(Duration::from_secs(3600));
        read(&bench.one, &source).await;
        bench.other.counts().await;
        let counts = bench.one.counts().await;
        let by_reason = [Counter::MissesAbsent, Counter::MissesExpired, Counter::MissesInvalidated,
            Counter::MissesCorrupt];
        assert_eq!(by_reason.map(|reason| counts.get(reason)), [1, 1, 2, 0]);
        assert_eq!((counts.misses_by_family("vendor"), counts.misses_by_family("analytics")), (2, 1));
        assert_eq!((counts.misses(), counts.get(Counter::InvalidatedTags)), (4, 3));
    }

    /// Another release writes the same type differently: what it stored is loaded again, on the number alone, and
    /// replaced.
    async fn what_another_release_stored_is_loaded_again(bench: Bench) {
        let source = Source::default();
        source.set(1);
        let read = async |cache: &Cache, schema| {
            let again = source.clone();
            let key = key().with_schema(schema);
            cache.get_or_load(&key, &tags(),
                move || async move { Ok::<_, String>(again.load()) }).await.map(number).map(|served| served.outcome)
        };
        assert_eq!(read(&bench.one, 1).await, Ok(Outcome::Miss));
        assert_eq!(read(&bench.other, 2).await, Ok(Outcome::Miss));
        assert_eq!(read(&bench.other, 2).await, Ok(Outcome::Hit));
        assert_eq!(bench.other.counts().await.get(Counter::MissesUndecodable), 1);
    }

    /// And where the number was forgotten, decoding says so.
    async fn what_cannot_be_decoded_is_loaded_again(bench: Bench) {
        let load = |text: &'static str| move || async move { Ok::<_, String>(Loaded::new(text, TTL)) };
        let decode = |payload: &Payload| {
            let bytes = payload.bytes();
            let text = std::str::from_utf8(&bytes).ok();
            text.and_then(|text| text.parse::<u64>().ok()).ok_or("no number".to_owned())
        };
        let stored = bench.one.get_or_load(&key(), &tags(), load("seven")).await;
        assert_eq!(stored.map(|served| served.outcome), Ok(Outcome::Miss));
        let mut outcomes = Vec::new();
        for cache in [&bench.other, &bench.other, &bench.one, &bench.one] {
            let served = cache.get_or_load_decoded(&key(), &tags(), load("7"), decode).await.expect("a number");
            assert_eq!(served.value, 7);
            outcomes.push(served.outcome);
        }
        assert_eq!([outcomes[0], outcomes[1], outcomes[3]], [Outcome::Miss, Outcome::Hit, Outcome::Hit]);
        bench.other.counts().await;
        assert_eq!(bench.one.counts().await.get(Counter::Loads), 2, "once what cannot be decoded, once what can");
        let failed = bench.one.get_or_load_decoded(&snapshot_key("42", "other"), &tags(), load("eight"), decode).await;
        assert_eq!(failed.map(|served| served.value), Err("no number".to_owned()), "what was loaded just now is the \
            loader's fault");
    }

    /// By whoever loads it, for all who are served it from then on, wherever they find it.
    async fn what_is_large_is_compressed_once(bench: Bench) {
        let text = "a line of text, and another one\n".repeat(1_000);
        let loaded = text.clone();
        let load = move || async move { Ok::<_, String>(Loaded::new(loaded, TTL)) };
        let mut frames = Vec::new();
        for cache in [&bench.one, &bench.one, &bench.other, &bench.other] {
            let served = cache.get_or_load(&key(), &tags(), load.clone()).await.expect("a text");
            assert_eq!(served.value.bytes(), text);
            frames.push(served.value.zstd().expect("compressed").clone());
        }
        assert!(frames[0].len() < text.len() / 100 && frames.iter().all(|frame| *frame == frames[0]));
        assert_eq!(zstd::bulk::decompress(&frames[0], text.len()).ok(), Some(text.clone().into()));
        let entry = bench.other.inspect(&key()).await.entry.expect("an entry");
        assert_eq!((entry.payload_bytes, entry.stored_bytes < text.len() / 20), (text.len(), true));
    }

    /// Without its payload, and counted as no lookup.
    async fn an_entry_that_is_looked_at_says_why_it_is_served_or_not(bench: Bench) {
        let source = Source::default();
        let standing = async || bench.one.inspect(&key()).await.standing;
        assert_eq!(standing().await, Standing::Absent);
        read(&bench.one, &source).await;
        let found = bench.one.inspect(&key()).await;
        let entry = found.entry.expect("an entry");
        assert_eq!((found.standing, found.is_near, entry.tags.len()), (Standing::Served, true, 2));
        assert!(entry.tags.iter().all(|tag| tag.is_current()) && entry.stored_bytes > entry.payload_bytes);
        bench.other.invalidate(&tags()[..1], &cause()).await.expect("recorded");
        assert_eq!(standing().await, Standing::Invalidated(vec![tags()[0].clone()]));
        read(&bench.one, &source).await;
        bench.clock.advance(TTL * 2);
        assert_eq!(standing().await, Standing::Expired);
        let counts = bench.one.counts().await;
        assert_eq!((counts.get(Counter::Hits), counts.misses()), (0, 2), "looks are no lookups");
        let noted = bench.other.take_invalidations();
        assert_eq!((noted.len(), noted[0].times, noted[0].tags.len()), (1, 1, 1), "{noted:?}");
    }

    async fn counts_are_kept_by_minute_and_hour(bench: Bench) {
        let (source, minute) = (Source::default(), Duration::from_secs(60));
        read(&bench.one, &source).await;
        read(&bench.other, &source).await;
        for cache in [&bench.one, &bench.other] {
            cache.counts().await;
        }
        bench.clock.advance(minute * 2);
        bench.one.invalidate(&tags(), &cause()).await.expect("recorded");
        read(&bench.one, &source).await;
        let counted = async |span, spans| {
            let history = bench.one.history(span, spans).await.expect("an answer");
            history.iter().map(|counts| (counts.get(Counter::Hits), counts.misses())).collect::<Vec<_>>()
        };
        assert_eq!(counted(Span::Minute, 4).await, [(0, 0), (1, 1), (0, 0), (0, 1)]);
        assert_eq!(counted(Span::Hour, 2).await, [(0, 0), (1, 2)]);
        let course = bench.one.course(Span::Minute, 4).await;
        assert_eq!(course.spans.iter().map(|counts| counts.misses()).collect::<Vec<_>>(), [0, 1, 0, 1]);
        assert!(course.is_whole);
        bench.one.reset_counts().await.expect("an answer");
        assert_eq!(bench.one.course(Span::Minute, 4).await.spans.len(), 4);
        assert_eq!(bench.one.counts().await.misses(), 0);
        read(&bench.one, &source).await;
        assert_eq!(bench.one.counts().await.get(Counter::Hits), 1);
    }

    async fn subscribers_hear_of_invalidations(bench: Bench) {
        let mut heard = bench.one.subscribe();
        bench.one.invalidate(&[vendor_tag("42")], &cause()).await.expect("recorded");
        let event = heard.recv().await.expect("a message");
        assert!(event.concerns(&vendor_tag("42")) && !event.concerns(&vendor_tag("4")));
        let Event::Invalidated(message) = event else { panic!("{event:?}") };
        assert_eq!((message.who.as_str(), message.why.as_str()), ("test", "product updated"));
    }
}
