//! Letters: one by one, plain text, over SMTP, where this installation has a server for it.

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};

use super::config::MailConfig;

/// Sends letters.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// `None` for an address that is none; the configuration has looked at it before.
    pub fn new(config: &MailConfig) -> Option<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp_url).ok()?.build();
        Some(Self { transport, from: config.from.parse().ok()? })
    }

    /// Whether the server has taken it. Why it has not goes to the log, without what it says.
    pub async fn send(&self, to: &str, subject: &str, text: String) -> bool {
        let sent = async {
            let letter = Message::builder()
                .from(self.from.clone())
                .to(to.parse().map_err(|error| format!("{error}"))?)
                .subject(subject)
                .header(ContentType::TEXT_PLAIN)
                .body(text)
                .map_err(|error| error.to_string())?;
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

/// Whether this is an address of an SMTP server.
pub fn is_smtp_url(text: &str) -> bool {
    AsyncSmtpTransport::<Tokio1Executor>::from_url(text).is_ok()
}

/// Whether letters can be from this address.
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}
