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
pub const LINK_ON_ITS_WAY: &str = "If there is an account with that email, a link is on its way. It works for an hour.";
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
    format!("Two-step verification is on. {} left.", crate::format::counted(left, "recovery code", "recovery codes"))
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
pub const ZONE_CHANGED: &str = "Time zone changed. Past orders have been re-grouped.";
pub const PASSWORD_ENDS_SESSIONS: &str =
    "You'll be logged out on your other devices, and your API keys will stop working.";
pub const COPY_KEY: &str = "Copy this key now; you won't see it again. Anyone with it can act as you through the API.";
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
pub const RESET_TOTP: &str = "For someone who has lost their phone and their recovery codes. Be sure who is asking.";
pub const DISABLE_USER: &str =
    "Disabling logs them out, keeps them out and revokes their API keys. Nothing of theirs is deleted.";
pub const OWN_ACCESS: &str = "This is you. Another admin has to change your role, or disable you.";
pub const ENABLE_USER: &str = "Enabling lets them log in again with the password they had. API keys stay revoked.";

// Audit log.
pub const AUDIT: &str =
    "Every change of money and access: who, what, from where, before and after. Nothing is ever removed.";
