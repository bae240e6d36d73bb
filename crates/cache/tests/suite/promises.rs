use super::*;

over_each_store! {
    async fn a_second_read_is_a_hit_on_every_instance(bench: Bench) {
        let source = Source::default();
        source.set(7);
        let first = read(&bench.one, &source).await;
        assert_eq!((first.value, first.outcome, first.age), (7, Outcome::Miss, Duration::ZERO));
        bench.clock.advance(Duration::from_secs(3));
        let second = read(&bench.other, &source).await;
        assert_eq!((second.value, second.outcome, second.age), (7, Outcome::Hit, Duration::from_secs(3)));
        assert_eq!(source.loads(), 1);
    }

    async fn no_instance_serves_what_was_invalidated(bench: Bench) {
        let source = Source::default();
        for (round, tag) in tags().into_iter().enumerate() {
            read(&bench.one, &source).await;
            source.set(round as u64 + 100);
            bench.one.invalidate(&[tag], &cause()).await.expect("recorded");
            let after = read(&bench.other, &source).await;
            assert_eq!((after.value, after.outcome), (round as u64 + 100, Outcome::Miss));
        }
    }

    async fn tags_of_others_change_nothing(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        bench.one.invalidate(&[vendor_tag("43"), Tag::new("products:{42}"), Tag::new("orders:{42}")],
            &cause()).await.expect("recorded");
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Hit);
    }

    /// The mistake that everybody's cache makes somewhere.
    async fn a_load_that_began_before_a_write_is_not_served_after_it(bench: Bench) {
        let (source, (began, has_begun), (go_on, may_go_on)) = (Source::default(), oneshot::channel(),
            oneshot::channel::<()>());
        let (cache, slow) = (bench.one.clone(), source.clone());
        let loading = tokio::spawn(async move {
            cache
                .get_or_load(&key(), &tags(), move || async move {
                    let loaded = slow.load();
                    began.send(()).expect("the test waits");
                    may_go_on.await.expect("the test lets it go on");
                    Ok::<_, String>(loaded)
                })
                .await
        });
        has_begun.await.expect("the loader began");
        source.set(1);
        bench.other.invalidate(&tags(), &cause()).await.expect("recorded");
        go_on.send(()).expect("the loader waits");
        assert_eq!(loading.await.expect("no panic").map(number).map(|served| served.value), Ok(0), "it was asked \
            before the write");
        for cache in [&bench.one, &bench.other] {
            assert_eq!(read(cache, &source).await.value, 1);
        }
    }

    async fn entries_expire_within_ten_percent_of_their_lifetime(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        bench.clock.advance(TTL.mul_f64(0.89));
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Hit);
        bench.clock.advance(TTL.mul_f64(0.22));
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Miss);
        assert_eq!(source.loads(), 2);
    }

    async fn what_reloads_find_unchanged_lives_longer_and_what_changed_does_not(bench: Bench) {
        let source = Source::default();
        let read = async |elapsed: Duration| {
            bench.clock.advance(elapsed);
            let again = source.clone();
            let load = move || async move {
                let loaded = again.load();
                Ok::<_, String>(loaded.adaptive(&again.value(), TTL * 20))
            };
            bench.one.get_or_load(&key(), &tags(), load).await.map(|served| served.outcome)
        };
        assert_eq!(read(Duration::ZERO).await, Ok(Outcome::Miss));
        assert_eq!(read(TTL.mul_f64(1.2)).await, Ok(Outcome::Miss), "at first it lives as long as its loader says");
        // Eight times as long, up to 10 % less or more twice over: from 6.4 to 9.7.
        assert_eq!(read(TTL.mul_f64(5.0)).await, Ok(Outcome::Hit));
        assert_eq!(read(TTL.mul_f64(5.0)).await, Ok(Outcome::Miss));
        assert_eq!(read(TTL.mul_f64(14.0)).await, Ok(Outcome::Hit));
        assert_eq!(read(TTL.mul_f64(9.0)).await, Ok(Outcome::Miss), "and at most as long as is allowed");
        source.set(1);
        assert_eq!(read(TTL.mul_f64(23.0)).await, Ok(Outcome::Miss));
        assert_eq!(read(TTL.mul_f64(1.2)).await, Ok(Outcome::Miss), "what has changed begins anew");
        bench.one.invalidate(&tags(), &cause()).await.expect("recorded");
        assert_eq!(read(Duration::ZERO).await, Ok(Outcome::Miss));
        assert_eq!(read(TTL.mul_f64(1.2)).await, Ok(Outcome::Miss), "what was invalidated too");
    }

    /// A day that is over: what was said of it is another day's.
    async fn nothing_outlives_the_moment_that_its_loader_names(bench: Bench) {
        let (source, key) = (Source::default(), key());
        let read = async |is_adaptive: bool, ends_in: Duration| {
            let again = source.clone();
            let load = move || async move {
                let loaded = again.load().ending_in(ends_in);
                Ok::<_, String>(if is_adaptive { loaded.adaptive(&again.value(), TTL * 20) } else { loaded })
            };
            bench.one.get_or_load(&key, &tags(), load).await.map(|served| served.outcome)
        };
        for is_adaptive in [false, true] {
            for ends_in in [TTL / 60, TTL / 2, TTL.mul_f64(0.85)] {
                bench.one.invalidate(&tags(), &cause()).await.expect("recorded");
                assert_eq!(read(is_adaptive, ends_in).await, Ok(Outcome::Miss));
                bench.clock.advance(ends_in / 2);
                assert_eq!(read(is_adaptive, TTL * 9).await, Ok(Outcome::Hit), "{ends_in:?}");
                bench.clock.advance(ends_in / 2);
                assert_eq!(read(is_adaptive, TTL * 9).await, Ok(Outcome::Miss), "{ends_in:?}");
            }
        }
    }

    async fn what_is_not_to_be_kept_is_loaded_each_time_and_what_does_not_stand_in_is_kept(bench: Bench) {
        let source = Source::default();
        let passing = || async { Ok::<_, String>(Loaded::passing("7")) };
        for _ in 0..2 {
            let served = bench.one.get_or_load(&key(), &tags(), passing).await.map(number).expect("a value");
            assert_eq!((served.value, served.outcome), (7, Outcome::Miss));
        }
        assert_eq!(bench.one.usage().await.entries, 0);
        let again = source.clone();
        let brief = move || async move { Ok::<_, String>(again.load().not_standing_in()) };
        assert!(bench.one.get_or_load(&key(), &tags(), brief).await.is_ok());
        assert_eq!(read(&bench.other, &source).await.outcome, Outcome::Hit);
    }

    async fn an_expired_value_stands_in_while_the_source_fails(bench: Bench) {
        let source = Source::default();
        source.set(5);
        read(&bench.one, &source).await;
        bench.clock.advance(TTL * 2);
        let stale = read_from_broken_source(&bench.one).await.expect("the value of before");
        assert_eq!((stale.value, stale.outcome, stale.age), (5, Outcome::Stale, TTL * 2));
        bench.one.invalidate(&tags(), &cause()).await.expect("recorded");
        let failed = read_from_broken_source(&bench.one).await.map(|served| served.value);
        assert_eq!(failed, Err("the database is down".to_owned()), "an invalidated one does not");
    }

    async fn a_failed_load_is_not_kept(bench: Bench) {
        let source = Source::default();
        assert!(read_from_broken_source(&bench.one).await.is_err());
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Miss);
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Hit);
    }

    async fn the_same_key_with_other_tags_is_another_entry(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        let (again, other_tags) = (source.clone(), [vendor_tag("42")]);
        let served = bench.one.get_or_load(&key(), &other_tags,
            move || async move { Ok::<_, String>(again.load()) }).await;
        assert_eq!(served.map(|served| served.outcome), Ok(Outcome::Miss));
    }

    async fn the_order_and_number_of_tags_does_not_matter(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        let (again, [vendor, analytics]) = (source.clone(), tags());
        let shuffled = [analytics.clone(), vendor, analytics];
        let served = bench.one.get_or_load(&key(), &shuffled,
            move || async move { Ok::<_, String>(again.load()) }).await;
        assert_eq!(served.map(|served| served.outcome), Ok(Outcome::Hit));
    }

    async fn a_caller_that_goes_away_does_not_stop_the_load(bench: Bench) {
        let (source, (began, has_begun), (go_on, may_go_on)) = (Source::default(), oneshot::channel(),
            oneshot::channel::<()>());
        let (cache, slow) = (bench.one.clone(), source.clone());
        let caller = tokio::spawn(async move {
            cache
                .get_or_load(&key(), &tags(), move || async move {
                    began.send(()).expect("the test waits");
                    may_go_on.await.expect("the test lets it go on");
                    Ok::<_, String>(slow.load())
                })
                .await
        });
        has_begun.await.expect("the loader began");
        caller.abort();
        assert!(caller.await.is_err_and(|error| error.is_cancelled()));
        go_on.send(()).expect("the loader goes on waiting although its caller went away");
        while read(&bench.one, &source).await.outcome != Outcome::Hit {
            tokio::task::yield_now().await;
        }
        assert!(source.loads() >= 1);
    }

    async fn a_panic_of_the_loader_is_its_callers_alone(bench: Bench) {
        let cache = bench.one.clone();
        let broken = || async { if true { panic!("a broken loader") } else { Err("never".to_owned()) } };
        let panicking = tokio::spawn(async move { cache.get_or_load(&key(), &tags(), broken).await });
        assert!(panicking.await.is_err_and(|error| error.is_panic()));
        assert_eq!(read(&bench.one, &Source::default()).await.outcome, Outcome::Miss);
    }
}
