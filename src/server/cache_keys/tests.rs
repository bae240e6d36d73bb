use vendorscope_cache::{Cause, Invalidation};

use super::*;

#[test]
fn a_tag_is_read_by_the_id_as_it_is_or_by_its_key_in_the_store() {
    for id in ["42", "{x}", "a b/é", "..", "%7Bx%7D", "x:y"] {
        let tag = vendor_tag(id);
        for text in [format!("vendor:{id}"), format!("tag:{}", tag.name()), written_tag(&tag)] {
            assert_eq!(parse_tag(&text), Ok(tag.clone()), "{text}");
        }
    }
    assert_eq!(parse_tag("tag:vendor:{x}"), Ok(vendor_tag("x")));
    assert_eq!(parse_tag("analytics"), Ok(analytics_tag()));
    for text in
        ["", "vendor", "vendor:", "tag:vendor:{}", "analytics:1", "vendor:\0", "tag:vendor:{%00}", "tag:vendor:{%ff}"]
    {
        assert!(parse_tag(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_says_whose_it_is_and_which_tags_it_carries() {
    let (snapshot, listing) = (snapshot_key("a b", "x:y"), orders_key("a b", "0a"));
    let others = [
        returns_key("a b", "x"),
        customers_key("a b", "x"),
        movers_key("a b", "x"),
        notes_key("a b", "x"),
        since_key("a b", "1"),
        views_key("a b"),
        refunds_key("a b", "x"),
        products_key("a b", "x"),
        standings_key("x"),
        market_comparison_key("x"),
        admin_metrics_key("x"),
        profile_key("a b"),
    ];
    for key in others.iter().chain([&snapshot, &listing]) {
        assert_eq!(parse_key(&format!("{}@installation", key.as_str())).map(|read| read.schema()), Ok(key.schema()));
    }
    assert!(parse_key("sess:abc").is_err() && parse_key("analytics").is_err());
    assert_eq!(vendor_of_key(snapshot.as_str()).as_deref(), Some("a b"));
    assert_eq!(vendor_of_key(admin_metrics_key("x").as_str()), None);
    for (tag, of_snapshot, of_listing) in [
        (vendor_tag("a b"), true, true),
        (vendor_tag("a"), false, false),
        (orders_tag("a b"), false, true),
        (products_tag("a b"), false, false),
        (analytics_tag(), true, false),
    ] {
        let carried = (carries(snapshot.as_str(), &tag), carries(listing.as_str(), &tag));
        assert_eq!(carried, (of_snapshot, of_listing), "{tag}");
    }
    assert!(carries(admin_metrics_key("x").as_str(), &marketplace_tag()));
}

#[test]
fn a_message_says_what_changed_for_whom() {
    let event = |tags: &[Tag]| {
        let cause = Cause { who: "test".to_owned(), why: "product updated" };
        Event::Invalidated(Invalidation::new(tags, &cause, jiff::Timestamp::UNIX_EPOCH))
    };
    let of_42 = |tags: &[Tag]| changed_for(&event(tags), "42");
    assert_eq!(of_42(&[vendor_tag("42")]), ["products", "orders"]);
    assert_eq!(of_42(&[vendor_tag("42"), orders_tag("42")]), ["orders"]);
    assert_eq!(of_42(&[analytics_tag()]), ["products", "orders"]);
    assert!(of_42(&[vendor_tag("4"), products_tag("4"), marketplace_tag()]).is_empty());
    assert_eq!(changed_for(&Event::Reconnected, "42"), ["products", "orders"]);
}

#[test]
fn tags_are_read_as_people_write_them() {
    for (text, tag) in [
        ("vendor:42", vendor_tag("42")),
        ("tag:orders:{42}", orders_tag("42")),
        ("products:a b", products_tag("a b")),
        ("analytics", analytics_tag()),
        ("tag:marketplace", marketplace_tag()),
    ] {
        assert_eq!(parse_tag(text), Ok(tag), "{text}");
    }
    for wrong in ["", "vendor", "vendor:", "tag:vendor:{}", "sess:1", "analytics:1"] {
        assert!(parse_tag(wrong).is_err_and(|error| error.field == "tags"), "{wrong}");
    }
}
