use super::*;

/// Customers whose last row is on line `line`, by how lines end and what is between them.
fn customers(start: &str, end: &str, last: &str) -> String {
    format!("{start}customer_id,name,country{end}c-1,Anna,Germany{end}{last}")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_error_names_the_line_of_the_file_itself() {
    // What stands before the bad row, and the row's line.
    let files = [
        (customers("", "\n", ""), 3),
        (customers("", "\r\n", ""), 3),
        (customers("", "\r", ""), 3),
        (customers("\u{feff}", "\r\n", ""), 3),
        (customers("", "\n", "\n"), 4),
        (customers("", "\r\n", "\r\n\r\n\r\n"), 6),
        (customers("\n\r\n", "\n", "\r"), 6),
        (customers("", "\n", "c-3,\"Mira, of\",\"Kuwait\"\r\n"), 4),
    ];
    let rows = [
        ("c-2,,Japan", "name: must be 1 to 200 characters, without control characters"),
        ("c-2,Ren", "has 2 fields where the header has 3"),
        ("c-2,Ren,Japan,", "has 4 fields where the header has 3"),
        ("c-1,Ren,Japan", "customer_id: `c-1` is in this file twice"),
        ("c-2,\"Ja\"pan,Japan", "something follows a closing quote: a quote within quotes is written twice"),
        (
            "c-2,Re\"n,Japan",
            "a quote within a field: the whole field is put into quotes then, and the quote written twice",
        ),
        ("c-2,Ren,\"Japan", "a quote is opened here and never closed"),
        ("c-2,Ren,\"Japan\n\nc-4,Mio,Japan\n", "a quote is opened here and never closed"),
        ("c-2,\"Ren\nof\",Japan", "name: must be 1 to 200 characters, without control characters"),
    ];
    for database in databases().await {
        let db = database.open().await;
        for (file, line) in &files {
            for (row, message) in rows {
                let error =
                    Bundle::small().with("customers", &format!("{file}{row}")).import(&db).await.expect_err(row);
                assert_eq!(error.to_string(), format!("customers.csv, line {line}: {message}"), "{file:?}{row:?}");
            }
            let not_text = [file.as_bytes(), b"c-2,Ren,\xff\n"].concat();
            let error =
                Bundle::small().with_file("customers.csv", &not_text).import(&db).await.unwrap_err().to_string();
            assert!(
                error.starts_with(&format!(
                    "customers.csv, line {line}: is not UTF-8 (byte FF): save it as `CSV UTF-8`"
                )),
                "{error}"
            );
        }
        // What is found between files, after all of them were read.
        let orders = "order_id,customer_id,placed_at,status\r\n\r\no-1,c-9,2026-03-28T23:30:00Z,delivered\r\n";
        let error = Bundle::small().with("orders", orders).import(&db).await.unwrap_err();
        assert_eq!(error.to_string(), "orders.csv, line 3: customer_id: there is no customer `c-9`");
        assert_eq!(count(&db, "vendors").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_is_never_closed_takes_neither_the_file_nor_a_long_message() {
    let swallowed = "c-2,\"Ren,Japan\n".to_owned() + &"c-3,Mira,Kuwait\n".repeat(1 << 20);
    let bundle = |csv: &str| Bundle::small().without("customers").with_file("customers.csv.gz", &gzip(csv.as_bytes()));
    for database in databases().await {
        let db = database.open().await;
        let error = bundle(&customers("", "\n", &swallowed)).import(&db).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "customers.csv.gz, line 3: a field is longer than 65536 bytes: is the quote not closed?"
        );
        let long = format!("c-2,Ren,{}\n", "Japan ".repeat(10_000));
        let error = bundle(&customers("", "\n", &long)).import(&db).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "customers.csv.gz, line 3: country: must be 1 to 200 characters, without control characters"
        );
        // Whatever is in a message is on one line, and not too long.
        let status = Bundle::small().replacing("orders", "delivered", &format!("\"de\nli{}\"", "v".repeat(5_000)));
        let error = status.import(&db).await.unwrap_err().to_string();
        assert!(
            error.starts_with("orders.csv, line 2: status: `de\\u{a}livvv")
                && !error.contains('\n')
                && error.len() < 400,
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_look_the_same_are_the_same_and_ids_are_taken_as_they_are_or_not_at_all() {
    for database in databases().await {
        let db = database.open().await;
        let bundle = Bundle::small()
            .replacing("products", "Pen,Pens", "\u{200b}\u{a0}Cafe\u{301}\u{3000}au  lait\u{feff},\u{a0}Pens ")
            .replacing("customers", "Ren,Japan", " Ren\u{200e},Ja\u{ad}pan")
            .replacing("vendors", "Kaze,", "\u{3000}Kaze ,");
        bundle.imported(&db).await;
        assert_eq!(
            texts(&db, "SELECT name || '/' || category FROM products WHERE external_id = 'p-jpy'").await,
            ["Café au lait/Pens"]
        );
        assert_eq!(
            texts(&db, "SELECT name || '/' || country FROM customers WHERE external_id = 'c-2'").await,
            ["Ren/Japan"]
        );
        assert_eq!(texts(&db, "SELECT name FROM vendors WHERE external_id = 'v-jpy'").await, ["Kaze"]);
        for (table, from, to, message) in [
            (
                "products",
                "Pen,",
                "\u{200b}\u{200d},",
                "line 3: name: must be 1 to 200 characters, without control characters",
            ),
            (
                "customers",
                "Ren",
                "\u{202e}neR",
                "line 3: name: holds U+202E, which turns the direction of the text around it",
            ),
            (
                "customers",
                "Japan",
                "Ja\0pan",
                "line 3: country: must be 1 to 200 characters, without control characters",
            ),
            ("customers", "c-2", "c-2 ", "line 3: customer_id: `c-2 ` is refused: ids have no blanks at their ends"),
            ("customers", "c-2", "c-2\u{a0}", "line 3: customer_id: `c-2\\u{a0}` is refused"),
            ("orders", "o-1", "\u{200b}o-1", "line 2: order_id: `\\u{200b}o-1` is refused"),
            ("order_items", "p-jpy", " p-jpy", "line 3: product_id: ` p-jpy` is refused"),
            ("vendors", "v-jpy", "..", "line 3: vendor_id: `..` is no id"),
            ("products", "p-jpy", ".", "line 3: product_id: `.` is no id"),
            ("products", "p-jpy", "p\0", "line 3: product_id: must be 1 to 100 characters"),
        ] {
            let error = Bundle::small().replacing(table, from, to).import(&db).await.expect_err(message).to_string();
            assert!(error.starts_with(&format!("{table}.csv, {message}")), "{error}");
        }
    }
}

/// The bundle as a spreadsheet of another country writes it: `;` between fields, and amounts with a comma.
fn with_semicolons(csv: &str) -> String {
    csv.replace(',', ";")
        .replace("12.5", "12,5")
        .replace("25.00", "25,00")
        .replace("2.50", "2,50")
        .replace("0.00", "0,00")
}

fn utf_16(text: &str, to: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(to).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_as_spreadsheets_write_them_are_read_where_nothing_has_to_be_guessed() {
    let read = |bundle: &Bundle, table: &str| fs::read_to_string(bundle.path().join(format!("{table}.csv"))).unwrap();
    for database in databases().await {
        let plain = database.open().await;
        let report = Bundle::small().imported(&plain).await;
        assert_eq!(report.notes, [""; 0]);
        let as_it_is = everything(&plain).await;

        let small = Bundle::small();
        let (customers, orders, vendors, items) =
            (read(&small, "customers"), read(&small, "orders"), read(&small, "vendors"), read(&small, "order_items"));
        let encoded = Bundle::small()
            .with_file("customers.csv", &utf_16(&customers.replace('\n', "\r\n"), u16::to_le_bytes))
            .with_file("orders.csv", &utf_16(&orders.replace(',', "\t"), u16::to_be_bytes))
            .with("vendors", &format!("\u{feff}{}", vendors.replace(',', ";")))
            // KWD 29.000 and 1.125 beside 25,00: the comma is told by the latter.
            .with("order_items", &with_semicolons(&items).replace("29.000", "29,000").replace("1.125", "1,125"))
            .with(
                "products",
                "Vendor ID,STATUS,  name,Product_Id,unit_price,stock,category,Notes,\n\
                 v-eur,active,\"Mug, \"\"Fog\"\" & ash: 2\",p-eur,12.50,3,Mugs,\"two\nlines\",\n\
                 v-jpy,active,Pen,p-jpy,1200,10,Pens,,\n\
                 v-kwd,archived,Attar,p-kwd,7.250,0,Perfume,,x\n",
            );
        let (_database, db) = database_like(&plain).await;
        let report = encoded.imported(&db).await;
        assert_eq!(everything(&db).await, as_it_is, "{}", db.dialect.name());
        assert_eq!(
            report.notes,
            [
                "vendors.csv: semicolons between fields",
                "products.csv: columns read by another name: Vendor ID as vendor_id, STATUS as status,   name as \
                 name, Product_Id as product_id",
                "products.csv: columns not read: Notes, one without a name",
                "customers.csv: read as UTF-16LE",
                "orders.csv: read as UTF-16BE",
                "orders.csv: tabs between fields",
                "order_items.csv: semicolons between fields",
                "order_items.csv: amounts with a decimal comma, such as 25,00",
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_have_to_be_guessed_is_refused_with_what_to_do() {
    let small = Bundle::small();
    let products = fs::read_to_string(small.path().join("products.csv")).unwrap();
    // The file has one amount with a mark: KWD 7.250 or 7250.
    let one_mark = |amount: &str| {
        products.replace(',', ";").replace("12.50", "12").replace("7.250", amount).replace("\"Mug; ", "\"Mug, ")
    };
    let two_marks = |amount: &str| {
        products.replace(',', ";").replace("12.50", amount).replace("7.250", "7,25").replace("\"Mug; ", "\"Mug, ")
    };
    let cases: [(&str, Vec<u8>, &str); 9] = [
        (
            "products",
            one_mark("7.250").into(),
            "products.csv, line 4: unit_price: `7.250` may be thousands or decimals",
        ),
        (
            "products",
            one_mark("7,250").into(),
            "products.csv, line 4: unit_price: `7,250` may be thousands or decimals",
        ),
        (
            "products",
            two_marks("1.250").into(),
            "products.csv, line 4: unit_price: `7,25` has another decimal mark than `1.250` on line 2",
        ),
        (
            "products",
            two_marks("1.250,00").into(),
            "products.csv, line 2: unit_price: `1.250,00` has marks between thousands",
        ),
        (
            "products",
            two_marks("1,250").into(),
            "products.csv, line 2: unit_price: `1.250` has more decimals than EUR has (2)",
        ),
        (
            "products",
            products.replace("12.50", "\"12,50\"").into(),
            "products.csv, line 2: unit_price: `12,50` has a comma",
        ),
        (
            "customers",
            b"customer_id,name,country\nc-1,Jos\xe9,Spain\n".to_vec(),
            "customers.csv, line 2: is not UTF-8 (byte E9): save it as",
        ),
        (
            "customers",
            utf_16("a", u16::to_le_bytes)[2..].to_vec(),
            "customers.csv: looks like UTF-16 without a byte order mark: save it as",
        ),
        ("customers", b"\xff\xfe\0\0c\0\0\0".to_vec(), "customers.csv: is UTF-32: save it as"),
    ];
    for database in databases().await {
        let db = database.open().await;
        for (table, bytes, message) in &cases {
            let error = Bundle::small()
                .with_file(&format!("{table}.csv"), bytes)
                .import(&db)
                .await
                .expect_err(message)
                .to_string();
            assert!(error.starts_with(message), "{error}");
            assert_eq!(count(&db, "vendors").await, 0);
        }
        // Said what it is, it is read.
        let bundle =
            Bundle::small().with_file("customers.csv", b"customer_id,name,country\nc-1,Jos\xe9,Spain\nc-2,Ren,Japan\n");
        let options = ImportOptions { encoding: Some(encoding_rs::WINDOWS_1252), ..ImportOptions::default() };
        let report = import_bundle(&db, bundle.path(), options, &Unwatched).await.unwrap();
        assert_eq!(texts(&db, "SELECT name FROM customers WHERE external_id = 'c-1'").await, ["José"]);
        assert!(report.notes.contains(&"customers.csv: read as windows-1252".to_owned()), "{:?}", report.notes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_that_looks_like_a_table_is_left_out_without_a_word() {
    for database in databases().await {
        let db = database.open().await;
        for name in ["Refunds.csv", "refunds.CSV", "REFUNDS.csv.gz"] {
            let bundle = Bundle::small().with_file(name, b"order_id,line,quantity,amount,refunded_at\n");
            let error = bundle.import(&db).await.expect_err(name).to_string();
            assert!(error.starts_with(&format!("{name}: is read by the name refunds.csv")), "{error}");
        }
        let bundle = Bundle::small();
        std::os::unix::fs::symlink("/nowhere/refunds.csv", bundle.path().join("refunds.csv")).unwrap();
        let error = bundle.import(&db).await.unwrap_err().to_string();
        assert!(error.starts_with("refunds.csv: is a link to a file that there is not"), "{error}");
        assert_eq!(count(&db, "vendors").await, 0);

        let others =
            Bundle::small().with_file("returns.csv", b"").with_file("README.md", b"").with_file("orders.2.csv", b"");
        let notes = others.imported(&db).await.notes;
        let notes: Vec<_> = notes.iter().filter(|note| note.contains("not read")).collect();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(
            notes[0].starts_with("orders.2.csv: not read") && notes[1].starts_with("returns.csv: not read"),
            "{notes:?}"
        );
    }
}
