//! Which tables can be cut by vendor: what docs/scaling.md says of each, against the tables of a migrated PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::harness::TestDatabase;

const PAGE: &str = include_str!("../../docs/scaling.md");
const SECTION: &str = "### Tables cut by vendor";

/// What the page says of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `vendor_id` in every key.
    Ready,
    /// But for the keys that are named.
    NotReady,
    /// A copy on each node.
    EveryNode,
    Coordinator,
}

/// Each table that the page names, with its place and the keys that stand beside it.
fn told() -> BTreeMap<String, (Place, BTreeSet<String>)> {
    let (_, section) = PAGE.split_once(SECTION).expect("the section");
    let rows = section.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let mut told = BTreeMap::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let place = match cells[1] {
            "ready" => Place::Ready,
            "not ready" => Place::NotReady,
            "on every node" => Place::EveryNode,
            "on the coordinator" => Place::Coordinator,
            other => panic!("{other}: {row}"),
        };
        let named = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>();
        let is_key = |name: &String| name.ends_with("_pkey") || name.ends_with("_key") || name.ends_with("_fkey");
        let keys: BTreeSet<_> = named(cells[2]).into_iter().filter(is_key).collect();
        for table in named(cells[0]) {
            assert!(told.insert(table.clone(), (place, keys.clone())).is_none(), "{table} stands there twice");
        }
    }
    told
}

/// Every table, and whether it has a `vendor_id`.
async fn tables(connection: &mut PgConnection) -> BTreeMap<String, bool> {
    let text = "SELECT c.relname::text AS name, EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid \
                AND a.attname = 'vendor_id') AS has_vendor FROM pg_class c \
                WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE '\\_sqlx%'";
    let rows = connection.fetch_all(text).await.expect("rows");
    rows.iter().map(|row| (row.get("name"), row.get("has_vendor"))).collect()
}

/// What keeps each table from being cut: its unique indexes without `vendor_id`, and its foreign keys that lead to
/// another table that is cut without naming `vendor_id` on both sides.
async fn in_the_way(connection: &mut PgConnection, is_cut: &BTreeSet<&String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let unique = "SELECT t.relname::text AS on_table, i.relname::text AS name FROM pg_index x \
                  JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
                  WHERE x.indisunique AND t.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 \
                  FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'vendor_id' \
                  AND a.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1]))";
    for row in connection.fetch_all(unique).await.expect("rows") {
        found.entry(row.get("on_table")).or_default().insert(row.get("name"));
    }
    let foreign = "SELECT t.relname::text AS on_table, r.relname::text AS to_table, k.conname::text AS name, \
                   EXISTS (SELECT 1 FROM unnest(k.conkey, k.confkey) AS of (here, there) \
                   JOIN pg_attribute h ON h.attrelid = t.oid AND h.attnum = of.here \
                   JOIN pg_attribute o ON o.attrelid = r.oid AND o.attnum = of.there \
                   WHERE h.attname = 'vendor_id' AND o.attname = 'vendor_id') AS names_vendor \
                   FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid \
                   WHERE k.contype = 'f' AND t.relnamespace = 'public'::regnamespace";
    for row in connection.fetch_all(foreign).await.expect("rows") {
        let (on, to): (String, String) = (row.get("on_table"), row.get("to_table"));
        if is_cut.contains(&to) && !row.get::<bool, _>("names_vendor") {
            found.entry(on).or_default().insert(row.get("name"));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_each_table_is_so_and_the_keys_that_are_in_the_way_can_be_changed_as_shown() {
    let database = TestDatabase::postgres().await;
    drop(database.open().await);
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    let (told, tables) = (told(), tables(&mut connection).await);
    assert_eq!(
        told.keys().collect::<BTreeSet<_>>(),
        tables.keys().collect::<BTreeSet<_>>(),
        "docs/scaling.md names every table once, under `{SECTION}`"
    );
    let of = |places: &[Place]| -> BTreeSet<&String> {
        told.iter().filter(|(_, (place, _))| places.contains(place)).map(|(table, _)| table).collect()
    };
    let is_cut = of(&[Place::Ready, Place::NotReady]);
    let found = in_the_way(&mut connection, &is_cut).await;
    for (table, (place, keys)) in &told {
        let in_the_way = found.get(table).cloned().unwrap_or_default();
        match place {
            Place::Ready => assert_eq!((tables[table], in_the_way), (true, BTreeSet::new()), "{table}"),
            Place::NotReady => assert_eq!((tables[table], &in_the_way), (true, keys), "{table}: what is in the way"),
            // What is whole on one node cannot point to what is cut.
            Place::EveryNode | Place::Coordinator => {
                assert!(!in_the_way.iter().any(|key| key.ends_with("_fkey")), "{table}: {in_the_way:?}");
            }
        }
    }

    // The statements of the page, and nothing is in the way any more.
    let (_, section) = PAGE.split_once(SECTION).expect("the section");
    let statements = section.split("```sql").nth(1).and_then(|rest| rest.split("```").next()).expect("statements");
    for statement in statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        connection.execute(AssertSqlSafe(statement)).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    let found = in_the_way(&mut connection, &is_cut).await;
    let left: Vec<_> = is_cut.iter().filter(|table| found.contains_key(**table)).collect();
    assert!(left.is_empty(), "{left:?}: {found:?}");
    // Which of the program's statements goes by an old key is said there too, and no other does.
    let clause = "ON CONFLICT (order_id, line, refunded_us)";
    assert!(include_str!("../../src/server/import/refunds.rs").contains(clause) && section.contains(clause));
    assert!(!include_str!("../../src/server/import/sales.rs").contains("ON CONFLICT (order_id, line"));
}

/// As an installation of an earlier release has them: the rows stay, and their keys become others.
#[tokio::test(flavor = "multi_thread")]
async fn rows_from_before_their_keys_had_the_vendor_are_kept() {
    let database = TestDatabase::postgres().await;
    let db = database.open().await;
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    let back = ["notes", "own_notes", "refunds"]
        .map(|table| format!("ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (id)"));
    for statement in back.iter().map(String::as_str).chain([
        "DELETE FROM _sqlx_migrations WHERE version = 39",
        "INSERT INTO vendors (id, external_id, name, country, time_zone, currency, minor_thousandths) \
         SELECT id, 'v' || id, 'Vendor', 'DE', 'UTC', 'EUR', 10 FROM generate_series(1, 3) AS id",
        "INSERT INTO customers (id, external_id, name, country) VALUES (1, 'c', 'C', 'DE')",
        "INSERT INTO orders (id, external_id, customer_id, placed_us, status) VALUES (1, 'o', 1, 0, 'delivered')",
        "INSERT INTO products (id, external_id, vendor_id, name, category, unit_price, stock, status) \
         SELECT id, 'p' || id, id, 'P', 'c', 100, 1, 'active' FROM generate_series(1, 3) AS id",
        "INSERT INTO order_lines (order_id, line, vendor_id, product_id, quantity, gross, discount, commission) \
         SELECT 1, id, id, id, 1, 100, 0, 0 FROM generate_series(1, 3) AS id",
        "INSERT INTO refunds (vendor_id, order_id, line, quantity, amount, commission, refunded_us, hour_us, day, \
         month, year) SELECT id, 1, id, 1, 100, 0, 5, 0, 0, 0, 0 FROM generate_series(1, 3) AS id",
        "INSERT INTO notes (vendor_id, noted_us, kind) SELECT id, id, 'price' FROM generate_series(1, 3) AS id",
        "INSERT INTO own_notes (vendor_id, day, text, written_us) SELECT id, id, 'x', 0 FROM generate_series(1, 3) \
         AS id",
    ]) {
        connection.execute(AssertSqlSafe(statement)).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    db.migrate().await.expect("the migrations run");
    for table in ["notes", "own_notes", "refunds"] {
        let text = format!(
            "SELECT (SELECT COUNT(*) FROM {table}) AS rows, pg_get_constraintdef(oid) AS key FROM pg_constraint \
             WHERE conname = '{table}_pkey'"
        );
        let row = connection.fetch_one(AssertSqlSafe(text)).await.expect("a row");
        assert_eq!(
            (row.get::<i64, _>("rows"), row.get::<String, _>("key")),
            (3, "PRIMARY KEY (vendor_id, id)".to_owned()),
            "{table}"
        );
    }
    // What comes after goes on with their numbers.
    let next = "INSERT INTO notes (vendor_id, noted_us, kind) VALUES (1, 9, 'price') RETURNING id";
    assert_eq!(connection.fetch_one(next).await.expect("a row").get::<i64, _>("id"), 4);
}
