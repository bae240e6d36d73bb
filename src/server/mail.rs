//! Letters: one by one, plain text, over SMTP, where this installation has a server for it.

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use secrecy::ExposeSecret;

use super::config::MailConfig;

/// Sends letters.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// `None` for an address that is none; the configuration has looked at it before.
    pub fn new(config: &MailConfig) -> Option<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.smtp_url.expose_secret()).ok()?.build();
        Some(Self { transport, from: config.from.parse().ok()? })
    }

    /// Whether the server has taken it. Why it has not goes to the log, without what it says.
    pub async fn send(&self, to: &str, subject: &str, text: String) -> bool {
        self.send_letter(to, subject, text, None).await
    }

    /// The same, with an address at which mail programs stop it with one click (RFC 8058).
    pub async fn send_with_stop(&self, to: &str, subject: &str, text: String, stop: &str) -> bool {
        self.send_letter(to, subject, text, Some(stop)).await
    }

    async fn send_letter(&self, to: &str, subject: &str, text: String, stop: Option<&str>) -> bool {
        let sent = async {
            let mut letter = Message::builder()
                .from(self.from.clone())
                .to(to.parse().map_err(|error| format!("{error}"))?)
                .subject(subject)
                .header(ContentType::TEXT_PLAIN);
            if let Some(stop) = stop {
                letter = letter
                    .raw_header(raw("List-Unsubscribe", format!("<{stop}>")))
                    .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
            }
            let letter = letter.body(text).map_err(|error| error.to_string())?;
            self.transport.send(letter).await.map_err(|error| error.to_string())
        };
        match sent.await {
            Ok(_) => true,
            Err(error) => {
                tracing::error!(error, "a letter was not sent (SMTP_URL)");
                false
            }
        }
    }
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// Whether this is an address of an SMTP server.
pub fn is_smtp_url(text: &str) -> bool {
    AsyncSmtpTransport::<Tokio1Executor>::from_url(text).is_ok()
}

/// Whether letters can be from this address.
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}
