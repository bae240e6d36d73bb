//! What the interface says, in one place: to be read in one go, and translated. Short, plain, in the words of the
//! trade, and the same everywhere. For this it may be longer than other files. Labels that stand on one page only and
//! name nothing but themselves stay there; so do the verdicts on the cache, which the API tells as well
//! (`server/services/health`), letters (`server/letters.rs`), and why the API refuses something.

pub const LIVE: &str = "Live";
pub const RECONNECTING: &str = "Reconnecting…";
pub const PAUSED: &str = "Paused";
pub const READ_THE_CHART: &str = "Read the chart point by point";

// What went wrong.
pub const UNREACHABLE: &str = "Can't reach Vendorscope. Check your connection; we'll keep trying.";
pub const NOT_RESPONDING: &str = "Vendorscope isn't responding. These figures are from before; we'll keep trying.";
pub const TOO_MANY: &str = "Too many requests. We'll try again in a moment.";
pub const NOT_LOADED: &str = "That couldn't be loaded.";
pub const ENDED_TYPED_IS_KEPT: &str = "Your session has ended. What you typed is still here.";

/// `Updated 12 seconds ago`
pub fn updated(seconds: u64) -> String {
    match seconds {
        0 => "Updated just now".to_owned(),
        seconds => format!("Updated {} ago", age(seconds)),
    }
}

/// After how long something may be tried again: `Too many requests. Try again in 12 minutes.`
pub fn too_many(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..=90 => (seconds, "second"),
        91..=5_400 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("Too many requests. Try again in {number} {unit}{plural}.")
}

/// How long, in the largest unit that fits: `12 seconds`, `3 min`, `2 h`.
pub fn age(seconds: u64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        0..60 => format!("{seconds} seconds"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// `2026-11-26`, as a date field has it, as pages write it: `26 Nov 2026`.
pub fn day(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?);
    let month = MONTHS.get(month.checked_sub(1)?)?;
    Some(format!("{} {month} {}", day.trim_start_matches('0'), year.trim_start_matches('0')))
}

pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(feature = "ssr")]
pub use {accounts::*, pages::*};

/// Logins, accounts and users.
#[cfg(feature = "ssr")]
mod accounts {
    // Login.
    pub const WRONG_CREDENTIALS: &str = "Wrong email or password.";
    pub const LOGIN_AFTER_END: &str = "Your session has ended. Log in to go on where you were.";
    pub const LOGIN_LATE: &str = "That took too long. Please log in again.";
    pub const WRONG_CODE: &str = "That code isn't right, or was used already. Wait for the next one.";
    pub const CODE_HINT: &str = "The 6 digits in your authenticator app, or one of your recovery codes.";
    pub const CODES_UNREADABLE: &str =
        "We can't check codes from your app any more. Use a recovery code, or ask your marketplace for help.";
    pub const LOGIN_LIMITED: &str = "Too many attempts. Please wait a few minutes and try again.";
    pub const LOGIN_UNAVAILABLE: &str = "Login is temporarily unavailable. Please try again shortly.";
    pub const PROVIDER_AWAY: &str =
        "The marketplace's login can't be reached. Log in with your password, or try again later.";
    pub const PROVIDER_CANCELLED: &str = "You weren't logged in: the marketplace's login was cancelled.";
    pub const PROVIDER_UNVERIFIED: &str =
        "The marketplace hasn't verified your email. Verify it there, or log in with your password.";
    pub const PROVIDER_STRANGER: &str =
        "There is no account here for that login. Ask your marketplace, or log in with your password.";
    pub const PROVIDER_INVITATION_ENDED: &str =
        "Your invitation has expired. Ask whoever invited you for a new one, then log in again.";
    pub const LOGIN_FAILED: &str = "Logging in didn't work. Please try again.";
    pub const LOGGED_OUT_EVERYWHERE: &str = "You've been logged out on all devices.";
    pub const PASSWORD_CHANGED_LOG_IN: &str = "Your password was changed. Log in with the new one.";
    pub const BACK_TO_LOGIN: &str = "Back to login";
    pub const FORGOT_PASSWORD: &str = "Forgot your password? Ask your marketplace for a link to choose a new one.";
    pub const FORGOT: &str = "Forgot your password?";
    pub const FORGOT_HINT: &str = "Enter your email, and we'll send you a link to choose a new password.";
    pub const LINK_ON_ITS_WAY: &str =
        "If there is an account with that email, a link is on its way. It works for an hour.";
    pub const LINK_EXPIRED: &str = "This link has expired or was already used.";
    pub const LINK_AGAIN: &str =
        "If it was an invitation, ask whoever invited you for a new one. If you've lost your password, request a link.";

    // Account.
    pub const SECOND_FACTOR_REQUIRED: &str =
        "Your marketplace requires two-step verification. Set it up on your account page first.";
    pub const TOTP_ON: &str = "Two-step verification is on. You've been logged out on your other devices.";
    pub const TOTP_OFF: &str = "Two-step verification is off.";
    pub const TOTP_WHAT: &str =
        "With a code from an app on your phone as well as your password, a stolen password isn't enough to log in.";
    pub const TOTP_SCAN: &str = "Scan this with an authenticator app, or type the key into it.";
    pub const TOTP_CODE_HINT: &str = "The 6 digits the app shows now.";
    pub const LETTERS_CHANGED: &str = "Saved. Every email has a link to stop them.";
    pub const WEEKLY_REPORT: &str = "A report of the week before, on Monday morning";
    pub const LOW_STOCK_LETTER: &str = "What's running low, on mornings when that has changed";
    pub const STOP_LETTERS: &str =
        "Stop weekly reports and low-stock warnings? You can turn them on again on your account page.";
    pub const LETTERS_STOPPED: &str = "Done. You won't get these emails any more.";
    pub const RECOVERY_CODES: &str =
        "Keep these codes somewhere safe; you won't see them again. Each logs you in once if you lose your phone.";
    pub const YOUR_PASSWORD_WRONG: &str = "Your password is incorrect.";

    pub fn recovery_codes_left(left: i64) -> String {
        format!(
            "Two-step verification is on. {} left.",
            crate::format::counted(left, "recovery code", "recovery codes")
        )
    }

    pub const PASSWORD_CHANGED: &str = "Password changed. You've been logged out on your other devices.";
    pub const SESSION_CLOSED: &str = "That device was logged out.";
    pub const KEYS: &str = "A key lets a program use the API as you, until it expires, you revoke it, change your \
        password, or log out everywhere:";
    pub const KEY_VENDOR_HINT: &str = "Leave empty for all vendors.";
    pub const KEY_REVOKED: &str = "Key revoked.";
    pub const ALL_KEYS: &str =
        "Everybody's keys that work, or have expired and weren't revoked. A revoked key stops at once.";
    pub const KEY_EXPIRED: &str = "Expired";
    pub const NO_KEYS: &str = "Nobody has an API key.";
    pub const THEME_CHANGED: &str = "Theme changed.";
    pub const SAME_ZONE: &str = "That's already your time zone. Nothing has changed.";
    pub const ZONE_CHANGED: &str = "Time zone changed. Past orders have been re-grouped.";
    pub const PASSWORD_ENDS_SESSIONS: &str =
        "You'll be logged out on your other devices, and your API keys will stop working.";
    pub const COPY_KEY: &str =
        "Copy this key now; you won't see it again. Anyone with it can act as you through the API.";
    pub const ADMIN_ZONE: &str = "Admin pages use UTC. Each vendor has its own time zone.";
    pub const SESSIONS: &str = "Devices where you're logged in. Sessions end after 24 hours. Logging out everywhere \
        also revokes your API keys.";
    pub const SAME_PASSWORD: &str = "Choose a password you haven't used before.";
    pub const CURRENT_WRONG: &str = "Current password is incorrect.";

    pub fn password_hint(least: usize) -> String {
        format!("At least {least} characters, and hard to guess: try four unrelated words.")
    }

    pub fn zone_unknown(typed: &str, alike: &Option<String>) -> String {
        match alike {
            Some(alike) => format!("Did you mean {alike}?"),
            None if typed.trim().is_empty() => "Choose a time zone from the list, such as Europe/Berlin.".to_owned(),
            None => {
                format!("We don't know a time zone called {typed}. Choose one from the list, such as Europe/Berlin.")
            }
        }
    }

    pub fn zone_changes(vendor: &str) -> String {
        format!(
            "Changing this re-groups past orders and refunds by the new zone's days, so past figures will change for \
             everyone at {vendor}. \
             This may take a few minutes."
        )
    }

    // Users.
    pub const INVITE_BY_MAIL: &str = "They get an email with a link to choose a password, valid for three days.";
    pub const INVITE_BY_LINK: &str =
        "You get a link to pass on, with which they choose a password. It works once, within three days.";
    pub const VENDOR_OF_USER: &str = "For vendors and accountants; leave empty for admins.";
    pub const NOT_AN_EMAIL: &str = "Enter an address such as name@example.com.";
    pub const LINK_SENT: &str = "The link was sent by email.";
    pub const USER_CHANGED: &str = "Changed. They've been logged out on all devices.";
    pub const USER_LOGGED_OUT: &str = "They've been logged out on all devices, and their API keys are revoked.";
    pub const USER_TOTP_RESET: &str = "Two-step verification is off for them, and they've been logged out.";
    pub const COPY_LINK: &str = "Copy this link now; you won't see it again. Anyone with it can choose the password.";
    pub const INVITED: &str = "Invited; no password chosen yet. A new invitation replaces the one before.";
    pub const NO_LINK_OF_AN_ADMIN: &str = "Another admin's link is shown to nobody but them: it goes by email, or \
        somebody with access to the server \
         makes it (vendorscope user reset-password).";
    pub const RESET_BY_LINK: &str = "A link with which they choose a new password. It works once, within an hour.";
    pub const END_SESSIONS: &str = "Logs them out on all devices and revokes their API keys.";
    pub const USER_UNBOUND: &str = "Their login through the marketplace is unbound, and they've been logged out.";
    pub const UNBIND: &str = "Their login at the marketplace belongs to this account. Unbind it if they have a new \
        one there: the next \
         login with this email, verified by the marketplace, is bound. Make sure it's really them who ask.";
    pub const RESET_TOTP: &str =
        "For someone who has lost their phone and their recovery codes. Be sure who is asking.";
    pub const DISABLE_USER: &str =
        "Disabling logs them out, keeps them out and revokes their API keys. Nothing of theirs is deleted.";
    pub const OWN_ACCESS: &str = "This is you. Another admin has to change your role, or disable you.";
    pub const ENABLE_USER: &str = "Enabling lets them log in again with the password they had. API keys stay revoked.";

    // The page of the cache.
    pub const INVALIDATING: &str = "Tagged entries are recomputed on the next request. No data is lost. You are \
        shown what it costs before it is done.";
    pub const LOADING_AHEAD: &str = "Dashboards as they open, before anyone asks: after a restart of Redis, or \
        before a campaign.";
    pub const LOOKING_INTO: &str = "Whether it is served, and why not: its age, its tags and who invalidated them. \
        Never what is in it.";
    pub const RESETTING: &str = "To see what a change does. Charts and what was counted by minute and hour stay.";
    pub const NOTHING_HAPPENED: &str = "Nothing happened to the cache in this time: no start, no outage, no release.";
    pub const TICKS: &str = "Ticks below each chart: tags that were invalidated, taller the more there were. Times \
        are in UTC.";
    pub const KEYS_OF_ENTRIES: &str = "Keys are in the log, and in the list of most-read entries. A key of Redis may \
        be pasted whole: what stands after @ is left out.";
    pub const TAGS_OF_AN_ENTRY: &str = "It is served only while the generation of each tag is the one it had when \
        the entry was loaded.";
    pub const WHERE_LOOKUPS_END: &str = "All instances together. Every lookup is a hit, a miss with its reason, or \
        bypassed. Queries saved: without the cache each lookup would have been a load; saved are lookups less loads, \
        times what a load takes on average.";
    pub const NOTHING_INVALIDATED: &str = "Nothing was invalidated within the last day.";
    pub const INVALIDATIONS: &str = "What each change made stale: it was loaded again by whoever asked next. \
        Instances write them down every 10 seconds.";
    pub const NOBODY_ASKED: &str = "Nobody has asked for anything within the last hour.";
    pub const NOTHING_WITHIN_A_DAY: &str = "Nothing within the last day.";
    pub const REDIS_IS_SILENT: &str = "Redis does not say what the instances have counted: figures are those it said \
        last, and what this instance has counted since.";
    pub const INSTANCES: &str = "Each says every 10 seconds how it fares. Breaker: open while Redis is not asked, \
        because it did not answer. Outbox: invalidations that Redis has still to be told of. Own memory: entries an \
        instance keeps before Redis.";

    // Audit log.
    /// An amount of which nobody has noted the currency.
    pub fn minor_units(amount: i64) -> String {
        format!("{} minor units", crate::format::count(amount))
    }

    pub const AUDIT: &str =
        "Every change of money and access: who, what, from where, before and after. Nothing is ever removed.";
}

/// What only pages say, which are made on the server.
#[cfg(feature = "ssr")]
mod pages {
    use super::age;

    pub const SKIP: &str = "Skip to content";
    pub const GO_TO_DASHBOARD: &str = "Go to dashboard";

    // Errors.
    pub const SESSION_ENDED: &str = "Your session has ended. Log in, then try again.";
    pub const LOG_IN_IN_A_NEW_TAB: &str = "Log in in a new tab";
    pub const SESSION_HAS_ENDED: &str = "Your session has ended";
    pub const TYPED_IS_KEPT: &str =
        "What you typed is still here. Log in in a new tab, come back to this one, and save it.";
    pub const SAVE_AGAIN: &str = "Save again";
    pub const TYPED_BY_ANOTHER: &str =
        "This was typed by somebody else, and nothing was saved. Log in with the account it was typed with.";
    pub const NO_ACCESS: &str = "You don't have access to this page.";
    pub const NOT_FOUND: &str = "We couldn't find that.";
    pub const PAGE_NOT_FOUND: &str = "Page not found";
    pub const UNAVAILABLE: &str = "Vendorscope isn't responding. Please try again shortly.";
    pub const PAGE_NOT_LOADED: &str = "Couldn't load this page";
    pub const RANGE_REFUSED: &str = "This date range isn't valid";
    pub const FILTERS_REFUSED: &str = "These filters don't work";
    pub const IN_THE_FUTURE: &str = "This period hasn't started yet.";

    pub const SESSIONS_DOWN: &str =
        "The store of sessions (Redis) isn't responding, so nobody can log in at the moment. Please try again shortly.";
    pub const DATABASE_DOWN: &str = "The database isn't responding. Please try again shortly.";

    /// The heading of a page that says why there is none, by its HTTP status.
    pub fn problem_title(status: u16) -> &'static str {
        match status {
            401 => "Logged out",
            403 => "No access",
            404 => PAGE_NOT_FOUND,
            413 => "Too large",
            422 => "That isn't valid",
            429 => "Too many requests",
            503 => "Vendorscope isn't responding",
            500.. => "Something went wrong",
            _ => "That didn't work",
        }
    }

    /// What stood in an address and is nothing that the page knows: an old bookmark, or a slip.
    pub fn left_out(name: &str, value: &str, accepted: &[&str]) -> String {
        use crate::domain::text::shown;
        let accepted = accepted.join(", ");
        format!(
            "“{}={}” in the address means nothing here and was left out. Accepted: {accepted}.",
            shown(name),
            shown(value)
        )
    }

    /// What a request is called in the log, and the trace that it is a part of.
    pub fn request_name(id: &str, trace: Option<&str>) -> String {
        trace.map_or_else(|| format!("Request {id}"), |trace| format!("Request {id} · Trace {trace}"))
    }

    pub const TRY_AGAIN: &str = "Try again";
    pub const LOG_IN: &str = "Log in";
    pub const START_OVER: &str = "Open without filters";
    pub const BEYOND_THE_LIST: &str = "This place in the list isn't known any more. Open the list from its start.";

    /// What is wrong with an address, by its parameter; `message` is the server's.
    pub fn range_refused(field: &str, message: &str) -> String {
        let name = match field {
            "dateFrom" => "Start date",
            "dateTo" => "End date",
            "compare" => "Comparison",
            "interval" => "Grouping",
            "sort" => "Sort by",
            other => other,
        };
        if field == "after" {
            BEYOND_THE_LIST.to_owned()
        } else if message.contains("orders match") {
            "More than 5,000 orders match. Choose dates, a status or a search to sort them by more than the date."
                .to_owned()
        } else if message.contains("products match") {
            "More than 5,000 products match. Choose a search, a status or a category to sort them by that.".to_owned()
        } else if message.starts_with("is missing") {
            format!("Choose {} too.", if field == "dateTo" { "an end date" } else { "a start date" })
        } else if message.contains("lies before") {
            "The end date must be on or after the start date.".to_owned()
        } else if message.contains("longer than") {
            "Choose a period of at most 10 years.".to_owned()
        } else if message.contains("is accepted for at most") {
            "Hours can be shown for short periods only. Choose days instead.".to_owned()
        } else if message.contains("hasn't started") {
            message.to_owned()
        } else {
            format!("{name}: {message}")
        }
    }

    // Forms.
    pub const NOT_SAVED: &str = "Changes not saved. Fix the following:";
    pub const SAVED: &str = "Saved.";

    pub fn whole_number(least: i64, most: i64) -> String {
        format!("Enter a whole number from {least} to {}.", crate::format::count(most))
    }

    // Products.
    pub const YOUR_DEFAULT: &str = "your default";

    pub fn changed_meanwhile(label: &str, now: &str) -> String {
        format!(
            "{label} was changed to {now} while you were editing. Save again to replace that, or put it back to keep it."
        )
    }

    pub const FIRST_PRODUCT: &str = "Add your first product to start tracking sales.";
    pub const NO_MATCHING_PRODUCTS: &str = "No matching products";
    pub const CLEAR_FILTERS: &str = "Clear filters";
    pub const PRODUCTS_READ_ONLY: &str = "Accountants can look at products, but not change them.";
    pub const FIGURES_OF_DELETED: &str = "See what it sold";

    /// A page of a product that is there no more.
    pub fn product_deleted(name: &str) -> String {
        format!("“{name}” was deleted. What it sold still counts in your figures.")
    }

    /// A product's name where what it sold is shown.
    pub fn product_or_deleted(name: String, is_deleted: bool) -> String {
        if is_deleted { format!("{name} (deleted)") } else { name }
    }

    pub const PRODUCT_DELETED: &str = "Product deleted.";
    pub const DELETE_PRODUCT: &str =
        "This removes the product from all lists; past sales stay in your reports. This can't be undone.";
    pub const ARCHIVED: &str = "Archived (hidden from sale, history kept)";

    pub fn price_between(least: &str, most: &str) -> String {
        format!("Enter a price between {least} and {most}.")
    }

    pub fn text_up_to(what: &str, most: usize) -> String {
        format!("Enter a {what} (up to {most} characters).")
    }

    // Orders.
    pub const NO_ORDERS: &str = "Your first order will appear here.";
    pub const NO_MATCHING_ORDERS: &str = "No matching orders";
    pub const COUNTED: &str = "Counted as sales";
    pub const NOT_COUNTED: &str = "Not counted";
    pub const LINES_OF_PRODUCT: &str = "Only this product";
    pub const LEFT_OUT: &str = "The longest text is too long to be shown again: type it once more.";
    pub const LINES_OF_CATEGORY: &str = "Only this category";
    pub const RETURNED_THEN: &str = "Returned on these days";

    /// What those are told who listen to a list of orders: how many there are, and which came in last, where that is
    /// known.
    pub fn orders_listed(count: Option<&str>, newest: Option<&str>) -> String {
        let newest = newest.map(|id| format!("Newest order: {id}"));
        [count, newest.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(". ")
    }

    /// Where there are too many to be summed up.
    pub fn too_many_products(most: i64) -> String {
        format!("More than {} products match: narrow them to see what they come to.", crate::format::count(most))
    }

    pub fn price_until(was: &str, day: &str) -> String {
        format!("{was} until {day}")
    }

    /// Of what is in stock, at its prices.
    pub fn worth(value: &str) -> String {
        format!("Worth {value}")
    }

    /// Where there are too many to be summed up, and to be sorted by anything but their date.
    pub fn too_many_to_sort(most: i64) -> String {
        format!(
            "More than {} orders match: narrow them to see what they come to, and to sort them by more than the date.",
            crate::format::count(most)
        )
    }

    /// How long ago an order was placed.
    pub fn placed_ago(days: i64) -> String {
        match days {
            0 => "today".to_owned(),
            // In one piece, wherever the line ends.
            days => format!("{} ago", crate::format::counted(days, "day", "days")).replace(' ', "\u{a0}"),
        }
    }

    /// Short enough for a phone's select.
    pub fn sort_of_orders(sort: crate::domain::orders::OrderSort) -> &'static str {
        use crate::domain::orders::OrderSort::*;
        match sort {
            PlacedDesc => "Newest first",
            PlacedAsc => "Oldest first",
            OrderAsc => "Order A–Z",
            OrderDesc => "Order Z–A",
            CustomerAsc => "Customer A–Z",
            CustomerDesc => "Customer Z–A",
            StatusAsc => "Pending first",
            StatusDesc => "Failed first",
            UnitsDesc => "Most units",
            UnitsAsc => "Fewest units",
            TotalDesc => "Largest total",
            TotalAsc => "Smallest total",
            RefundedDesc => "Most refunded",
            RefundedAsc => "Least refunded",
            PayableDesc => "Most payable",
            PayableAsc => "Least payable",
        }
    }

    /// Short enough for a phone's select.
    pub fn sort_of_products(sort: crate::domain::product_lists::ProductSort) -> &'static str {
        use crate::domain::product_lists::ProductSort::*;
        match sort {
            NameAsc => "Name A–Z",
            NameDesc => "Name Z–A",
            CategoryAsc => "Category A–Z",
            CategoryDesc => "Category Z–A",
            StatusAsc => "Active first",
            StatusDesc => "Archived first",
            StockAsc => "Least stock",
            StockDesc => "Most stock",
            PriceAsc => "Lowest price",
            PriceDesc => "Highest price",
            PriceChangedDesc => "Newest price",
            PriceChangedAsc => "Oldest new price",
            SoldDesc => "Best sellers",
            SoldAsc => "Slowest sellers",
            ChangeDesc => "Units up most",
            ChangeAsc => "Units down most",
            MovedDesc => "Net sales up most",
            MovedAsc => "Net sales down most",
            CoverAsc => "Runs out first",
            CoverDesc => "Lasts longest",
            AtRiskDesc => "Most sales at risk",
            AtRiskAsc => "Least sales at risk",
        }
    }

    /// `sorted`: how the list is.
    pub fn sorted_list(sorted: &str, zone: &str) -> String {
        format!("{sorted} · times in {zone}")
    }

    pub fn final_status(status: &str) -> String {
        format!("This order is {}; its status can no longer change.", status.to_lowercase())
    }

    /// What it means to cancel an order, or to mark it as failed.
    pub fn ending_an_order(total: &str, is_counted: bool) -> String {
        match is_counted {
            true => format!("{total} will no longer count in your sales. This can't be undone."),
            false => format!("{total} won't count in your sales. This can't be undone."),
        }
    }

    pub fn status_updated(status: &str) -> String {
        format!("Status updated to {status}.")
    }

    pub fn refunded(amount: &str) -> String {
        format!("Refunded {amount}.")
    }

    pub const REFUND_UNDONE: &str = "Refund undone.";
    pub const UNDO_HINT: &str = "You can undo this for one minute.";

    // Many at once.
    pub const SELECT_ALL: &str = "Select all";
    pub const NOTHING_PICKED: &str = "Select at least one row first.";
    pub const PERCENT: &str = "Enter a percentage from −99 to +900, such as 5 or −2.5.";
    pub const NO_ACTION: &str = "Choose what to do with the selected products.";
    pub const NO_ORDER_MAY: &str = "None of these orders can change to that status.";
    pub const STAYS: &str = "can't change";
    pub const CANCELLING_MANY: &str = "A cancelled order no longer counts in your sales. This can't be undone.";

    pub fn orders_stay(count: i64) -> String {
        match count {
            1 => "1 order can't change and stays as it is.".to_owned(),
            count => format!("{} orders can't change and stay as they are.", crate::format::count(count)),
        }
    }

    /// Products that are no longer what was shown of them: nothing was changed.
    pub fn products_changed_meanwhile(names: &[String]) -> String {
        let more = names.len().saturating_sub(5);
        let named = names[..names.len() - more].join(", ");
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("Changed meanwhile: {named}{more}. Check what they are now and send it again.")
    }

    /// An order that no longer has the status that was shown.
    pub fn moved_on_meanwhile(order: &str, now: &str, shown: &str) -> String {
        format!("Order {order} is {now} by now, no longer {shown}.")
    }

    pub fn cancel_orders(count: &str, sum: &str) -> String {
        format!("Cancel {count} of {sum}?")
    }

    pub fn mark_orders(count: &str, status: &str) -> String {
        format!("Mark {count} as {}?", status.to_lowercase())
    }

    pub fn set_stock(count: &str, stock: i64) -> String {
        format!("Set the stock of {count} to {}?", crate::format::count(stock))
    }

    pub fn put_on_sale(count: &str) -> String {
        format!("Put {count} on sale?")
    }

    pub fn archive(count: &str) -> String {
        format!("Archive {count}?")
    }

    pub fn move_to(count: &str, category: &str) -> String {
        format!("Move {count} to {category}?")
    }

    /// `bps`: by how many hundredths of a percent.
    pub fn change_prices(count: &str, bps: i64) -> String {
        let verb = if bps < 0 { "Lower" } else { "Raise" };
        format!("{verb} the prices of {count} by {}?", crate::format::hundredths(bps.abs()))
    }

    pub fn changed(count: &str, one: &str, many: &str) -> String {
        let count = count.parse().unwrap_or_default();
        format!("{} changed.", crate::format::counted(count, one, many))
    }

    // Returns.
    pub const NOTHING_RETURNED: &str = "Nothing came back in this period";
    pub const RETURNS_HINT: &str = "By the day of the refund, whatever the order date.";
    pub const RATE_HINT: &str = "Rate: units returned ÷ units sold in the same period.";
    pub const NO_REASON: &str = "No reason given";

    pub fn reason(reason: Option<crate::domain::returns::RefundReason>) -> &'static str {
        use crate::domain::returns::RefundReason::*;
        match reason {
            Some(Damaged) => "Damaged or faulty",
            Some(NotAsDescribed) => "Not as described",
            Some(WrongItem) => "Wrong item sent",
            Some(Unwanted) => "Changed their mind",
            Some(Late) => "Arrived too late",
            Some(Other) => "Other",
            None => NO_REASON,
        }
    }

    /// Where a list is longer than what is shown of it.
    pub fn shown_of(shown: usize, all: i64, what: &str) -> String {
        format!("The top {shown} of {} {what} are shown.", crate::format::count(all))
    }

    // Refunds.
    pub const RESTOCK: &str = "Restock";

    /// What becomes of the units of a refund.
    pub fn back_into_stock(units: i64, restocked: i64) -> String {
        use crate::format::{count, counted};
        match restocked {
            _ if units == 0 => "No units are returned.".to_owned(),
            0 => format!("{} returned, not restocked.", counted(units, "unit", "units")),
            all if all == units => format!("{} back into stock.", counted(all, "unit goes", "units go")),
            some => format!("{} of {} go back into stock.", count(some), counted(units, "unit", "units")),
        }
    }

    pub fn refund_everything(amount: &str) -> String {
        format!("Refund everything ({amount})…")
    }

    pub const NOTHING_TO_REFUND: &str = "Enter units to return or an amount to refund.";
    pub const NOT_BOTH: &str = "Enter either units to return or a fixed amount, not both.";

    pub fn split_across(most: &str) -> String {
        format!("Split across items, without returning stock. Up to {most}.")
    }

    pub fn refund_up_to(amount: &str) -> String {
        format!("You can refund up to {amount}.")
    }

    pub fn units_up_to(product: &str, units: i64) -> String {
        match units {
            0 => format!("{product}: nothing left to return."),
            1 => format!("{product}: only 1 unit can be returned."),
            units => format!("{product}: only {units} units can be returned."),
        }
    }

    // Marketplace.
    pub const MARKET_HINT: &str = "Days follow each vendor's time zone. Orders containing two vendors count once for each. Commission is what the \
         marketplace earns, net of refunds.";

    pub const NOTHING_MOVED: &str = "No vendor's net sales changed.";
    pub const SOLD_NOTHING: &str = "Sold nothing";

    pub fn movers_in(currency: &str) -> String {
        format!("Biggest movers in {currency}")
    }

    pub const NONE_SILENT: &str = "Every vendor had sales.";
    pub const RETURNS_RISE: &str = "Returns rising";
    pub const NONE_RETURNING: &str = "No vendor's return rate rose by a percentage point or more.";

    /// From how many orders on a rate is compared.
    pub fn returns_rise_hint(fewest: i64) -> String {
        format!("Share of sales returned, of vendors with {fewest} orders or more in both periods.")
    }

    /// What a list leaves out.
    pub fn and_more(number: i64) -> String {
        format!("and {} more", crate::format::count(number))
    }

    pub fn more_currencies(number: usize) -> String {
        format!("Show {number} more currencies")
    }

    pub fn orders_before(orders: i64) -> String {
        format!("{} before", crate::format::counted(orders, "order", "orders"))
    }

    /// What the marketplace is compared with. Where the period is not over, up to when.
    pub fn market_compared(range: &str, is_unfinished: bool) -> String {
        let until = if is_unfinished { ", up to the same hour by each vendor's clock" } else { "" };
        format!("Compared with {range}{until}.")
    }

    /// How the comparison is drawn.
    pub fn market_dashed(range: &str, bars: bool, beside: &str, is_unfinished: bool) -> String {
        let drawn = if bars { GREY_BARS } else { DASHED_LINE };
        let until = match is_unfinished {
            true => " Drawn to the end; changes compare it up to the same hour by each vendor's clock.",
            false => "",
        };
        format!("{drawn}: {range}, {beside}.{until}")
    }

    pub fn standings_of(range: &str) -> String {
        format!(
            "{range}, compared with the 28 days before. Days follow each vendor's time zone; last orders and logins \
             are in UTC."
        )
    }

    /// Of several currencies in one list.
    pub const SORTED_BY_CURRENCY: &str = "Net sales are sorted currency by currency.";

    pub fn sort_of_vendors(sort: crate::domain::market::VendorSort) -> &'static str {
        use crate::domain::market::VendorSort::*;
        match sort {
            NetSalesDesc => "Highest net sales",
            NetSalesAsc => "Lowest net sales",
            NameAsc => "Name A–Z",
            NameDesc => "Name Z–A",
            CountryAsc => "Country A–Z",
            CountryDesc => "Country Z–A",
            ChangeDesc => "Rising most",
            ChangeAsc => "Falling most",
            OrdersDesc => "Most orders",
            OrdersAsc => "Fewest orders",
            ReturnsDesc => "Most returned",
            ReturnsAsc => "Least returned",
            LastOrderAsc => "Longest without an order",
            LastOrderDesc => "Latest order",
            LastLoginAsc => "Longest without a login",
            LastLoginDesc => "Latest login",
            UsersDesc => "Most users",
            UsersAsc => "Fewest users",
        }
    }

    pub fn vendors_with_sales(range: &str, active: i64, all: i64) -> String {
        let of = crate::format::counted(all, "vendor", "vendors");
        format!("{range}: {} of {of} had sales.", crate::format::count(active))
    }

    // What happened.
    pub const SOLD_OUT: &str = "sold out";
    pub const BACK_IN_STOCK: &str = "back in stock";

    pub fn price_changed(was: &str, became: &str) -> String {
        format!("price changed from {was} to {became}")
    }

    pub const VIEW_SAVED: &str = "View saved. It is in the menu of periods.";
    pub const VIEW_REPLACED: &str = "View replaced: you had one of this name.";
    pub const VIEW_DELETED: &str = "View deleted.";
    pub const NOTE_SAVED: &str = "Note saved. Everyone who works for you sees it.";
    pub const NOTE_DELETED: &str = "Note deleted.";

    pub fn large_refund(amount: &str, usual: &str) -> String {
        format!("refund of {amount}, where {usual} is usual")
    }

    pub fn since(looked: &str) -> String {
        format!("New since {looked}:")
    }

    pub fn zone_moved(was: &str, became: &str) -> String {
        format!("Time zone changed from {was} to {became}")
    }

    pub fn commission_changed(was: &str, became: &str) -> String {
        format!("Commission changed from {was} to {became}")
    }

    pub fn notes_of(count: usize) -> String {
        format!("{count} things happened")
    }

    // Dashboard.
    pub const NOTHING_SOLD: &str = "No sales in this period";
    pub const NOTHING_RUNS_OUT: &str = "Nothing is running low.";
    pub const SO_FAR: &str = "so far";
    pub const CAME_BACK: &str = "Returns";
    /// How long a stock lasts, as pages write it elsewhere: `lasts 1.5 days`, `sold out`, `not selling`.
    pub fn lasts(cover: &str) -> String {
        if cover.ends_with('s') { format!("lasts {cover}") } else { cover.to_lowercase() }
    }

    pub const OTHERS: &str = "Others";
    pub const NO_ORDERS_OR_RETURNS: &str = "There were no orders or returns.";

    /// Which days are compared, where today is not among them or is.
    pub fn only_over(range: &str, before: &str, is_without_today: bool) -> String {
        let today = if is_without_today { "; today is left out" } else { "" };
        format!("Net sales of {range} against {before}{today}.")
    }

    /// The same below a list whose amounts have today.
    pub fn changes_over(range: &str, before: &str) -> String {
        format!("Changes: {range} against {before}; today is left out of them.")
    }

    /// What there was in a period without sales.
    pub fn none_counts(orders: i64) -> String {
        format!(
            "No order counted as a sale: {} pending, cancelled or failed.",
            if orders == 1 { "1 is".to_owned() } else { format!("{} are", crate::format::count(orders)) }
        )
    }

    // How a comparison stands beside what it is compared with.
    pub const BY_HOUR: &str = "aligned by hour";
    pub const BY_DAY: &str = "aligned by day";
    pub const BY_MONTH: &str = "aligned by month";
    pub const BY_LENGTH: &str = "each point beside one of as many days";

    /// What the comparison is in a chart, of `bars` or lines. `until_hour`: where its last day is cut to be compared.
    pub fn dashed(range: &str, bars: bool, beside: &str, until_hour: Option<i8>) -> String {
        let drawn = if bars { GREY_BARS } else { DASHED_LINE };
        match until_hour {
            Some(hour) if hour < 24 => format!(
                "{drawn}: {range}, {beside}. Drawn to the end; changes compare its last day until {hour:02}:00, as \
                 today."
            ),
            _ => format!("{drawn}: {range}, {beside}."),
        }
    }

    pub const DASHED_LINE: &str = "Dashed line";
    pub const GREY_BARS: &str = "Grey bars";

    pub fn zone_and_currency(zone: &str, currency: &str) -> String {
        format!("Times in {zone} · Amounts in {currency}")
    }

    /// How old figures are that could not be computed anew.
    pub fn stale(seconds: u64) -> String {
        format!("Showing figures from {} ago: the database isn't responding", age(seconds))
    }

    // What figures mean.
    pub const NET_SALES: &str = "Gross sales minus discounts and returns. Excludes tax and shipping. Can be negative on \
        days when returns exceed sales.";
    pub const PAYABLE: &str = "Net sales minus commission: what you are paid for this period.";
    pub const ORDERS: &str = "Orders placed in this period with at least one of your products. Pending, failed and \
        cancelled orders don't count.";
    pub const AVERAGE_ORDER_VALUE: &str = "Net sales ÷ orders.";
    pub const UNITS: &str = "Units sold minus units returned. Returns count on the day they are refunded.";
    pub const CUSTOMERS: &str = "Unique customers who ordered in this period.";
    pub const RETURNS: &str = "Refunds issued in this period, excluding tax and shipping, whatever the order date.";
    pub const WATERFALL: &str = "Gross sales: price × quantity. Discounts: on items and, split across them, on orders. \
        Commission: the rate in force when the item was sold, minus commission returned on refunds. Payable: net sales \
        minus commission.";
    pub const BY_STATUS: &str = "Orders placed in this period, by current status. Pending, failed and cancelled orders \
        are left out of all other figures.";
    pub const NEW_CUSTOMERS: &str = "New: first order with you falls in this period. Returning: everyone else.";
    pub const TOP: &str = "By net sales in this period, after returns.";
    pub const MOVERS: &str = "Products whose net sales rose or fell most against the previous period. Only days that are \
        over are compared.";
    pub const LOW_STOCK: &str = "Active products at or below their threshold, or gone within 7 days. Lasts: stock ÷ \
        average daily units of the last 28 days.";
    pub const NOT_PAID: &str = "Not paid";

    /// How nothing comes about as what is paid for orders that do not count as sales.
    pub fn nothing_is_paid(net: &str) -> String {
        format!("{net} net, of which nothing is paid: these orders don't count as sales")
    }

    pub const UNITS_RETURNED: &str = "Units that came back. A refund of money alone brings none.";
    pub const ORDERS_RETURNED: &str = "Orders that something was refunded of in this period.";
    pub const NO_ORDERS_IN_PERIOD: &str = "No orders in this period.";
    pub const NO_CUSTOMERS_IN_PERIOD: &str = "No customers in this period.";
    pub const LONGER_PERIOD: &str = "Try a longer period";
    pub const FIRST_SALE: &str = "Figures appear here after the first sale.";
    pub const RETURNED: &str = "Share of sales, after discounts, that was returned in this period.";

    /// When a vendor was heard of last.
    pub fn lately(order: Option<String>, login: Option<String>) -> String {
        let order = order.map_or_else(|| "No orders yet".to_owned(), |day| format!("Last order {day}"));
        let login = login.map_or_else(|| "no login yet".to_owned(), |day| format!("last login {day}"));
        format!("{order} · {login} (UTC)")
    }

    pub const NO_USERS: &str = "This vendor has no users yet.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_take_the_largest_unit_that_fits() {
        assert_eq!(
            [updated(0), updated(1), updated(12)],
            ["Updated just now", "Updated 1 second ago", "Updated 12 seconds ago"]
        );
        assert_eq!(
            [1, 90, 91, 5_400, 43_198].map(too_many).map(|text| text.replace("Too many requests. Try again in ", "")),
            ["1 second.", "90 seconds.", "2 minutes.", "90 minutes.", "12 hours."]
        );
        assert_eq!([age(59), age(60), age(7_300)], ["59 seconds", "1 min", "2 h"]);
    }

    #[test]
    fn a_day_is_written_as_pages_write_it() {
        assert_eq!(day("2026-09-01").as_deref(), Some("1 Sep 2026"));
        assert_eq!([day(""), day("2026-13-01"), day("2026-00-01")], [None, None, None]);
    }

    #[test]
    fn a_refused_range_is_told_in_words_of_people() {
        let told = range_refused(
            "dateTo",
            "`2026-01-01` lies before dateFrom `2026-12-31`: the same day or a later one is accepted",
        );
        assert_eq!(told, "The end date must be on or after the start date.");
        let missing = "is missing: a day as YYYY-MM-DD is required";
        assert_eq!(range_refused("dateTo", missing), "Choose an end date too.");
        assert_eq!(range_refused("dateFrom", "`2025-02-30` is not a day"), "Start date: `2025-02-30` is not a day");
    }
}
