use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::{Method, Response};
use serde_json::Value;
use vendorscope::server::config::{Config, ProviderConfig};

use super::Client;

/// Where instances under test say that they are reached, and the provider sends people back to.
const CALLBACK: &str = "http://vendorscope.test/login/marketplace/callback";

/// A marketplace's OpenID Connect provider (end2end/provider.mjs), on a free port. It ends when dropped.
pub struct Provider {
    process: Child,
    issuer: String,
    address: SocketAddr,
}

impl Provider {
    pub fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(
            root.join("node_modules/oidc-provider").exists(),
            "oidc-provider is not in node_modules: scripts/setup --tests installs it"
        );
        let mut process = Command::new("node")
            .arg(root.join("end2end/provider.mjs"))
            .arg(CALLBACK)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut issuer = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        output.read_line(&mut issuer).expect("a line");
        // It goes on being read, so that a full pipe never stops it.
        std::thread::spawn(move || for _ in output.lines().map_while(Result::ok) {});
        let issuer = issuer.trim().to_owned();
        let address = issuer.trim_start_matches("http://").parse().unwrap_or_else(|_| panic!("no address: {issuer:?}"));
        Self { process, issuer, address }
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Has an instance log people in by it.
    pub fn configure(&self, config: &mut Config) {
        config.provider = Some(ProviderConfig {
            issuer: self.issuer.clone(),
            client_id: "vendorscope".to_owned(),
            client_secret: "a secret of the provider".into(),
            name: "Bazaar & Sons".to_owned(),
            scopes: vec!["email".to_owned()],
            claim: "email".to_owned(),
        });
    }

    /// Changes accounts and moods: see the program.
    pub async fn set(&self, settings: Value) {
        let answer = Client::new(self.address).put("/test", &settings).await;
        assert_eq!(answer.status(), 200, "{settings}");
    }

    /// Goes through the login at this address of the provider as this account. The address that it sends the browser
    /// back to, without the host.
    pub async fn log_in(&self, browser: &Client, address: &str, account: &str) -> String {
        self.answer(browser, address, ("account", account)).await
    }

    /// The same, and whoever it is says no.
    pub async fn cancel(&self, browser: &Client, address: &str) -> String {
        self.answer(browser, address, ("cancel", "yes")).await
    }

    async fn answer(&self, browser: &Client, address: &str, field: (&str, &str)) -> String {
        let browser = browser.at_address(self.address);
        let mut path = self.path(address);
        for _ in 0..10 {
            let mut answer = browser.get(&path).await;
            if answer.status() == 200 {
                let form = browser.request(Method::POST, &path).form(&[field]);
                answer = form.send().await.expect("an answer");
            }
            let next = next(answer).await;
            if let Some(back) = next.strip_prefix("http://vendorscope.test") {
                return back.to_owned();
            }
            path = self.path(&next);
        }
        panic!("the provider sends the browser nowhere");
    }

    fn path(&self, address: &str) -> String {
        let path = address.strip_prefix(&self.issuer).unwrap_or(address);
        assert!(path.starts_with('/'), "{address} is not the provider's");
        path.to_owned()
    }

    /// Ends it: nobody answers at its address any more.
    pub fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn next(answer: Response) -> String {
    let status = answer.status();
    match answer.headers().get("location").map(|value| value.to_str().expect("ASCII").to_owned()) {
        Some(location) => location,
        None => panic!("the provider: {status}: {}", answer.text().await.unwrap_or_default()),
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.end();
    }
}
