use std::net::SocketAddr;

use reqwest::{Method, RequestBuilder, Response, redirect::Policy};
use serde_json::Value;

use super::TestApp;

/// Requests that keep their cookies and follow no redirect. Cheap to clone; clones share the cookies.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    /// Nobody yet: no cookie.
    pub fn new(address: SocketAddr) -> Self {
        // The program's own requests are by TLS, and so this client can be too.
        vendorscope::server::tls::use_ring();
        let http =
            reqwest::Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("an HTTP client");
        Self { http, base: format!("http://{address}") }
    }

    /// The same browser, sent to another instance: cookies belong to the host, and not to its port.
    pub fn at(&self, app: &TestApp) -> Self {
        self.at_address(app.address)
    }

    /// The same browser, sent to whatever listens at another address of this machine.
    pub fn at_address(&self, address: SocketAddr) -> Self {
        Self { http: self.http.clone(), base: format!("http://{address}") }
    }

    /// A request to a path, to be completed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await.unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Response {
        self.request(Method::PATCH, path)
            .json(body)
            .send()
            .await
            .unwrap_or_else(|error| panic!("PATCH {path}: {error}"))
    }

    pub async fn put(&self, path: &str, body: &Value) -> Response {
        self.request(Method::PUT, path).json(body).send().await.unwrap_or_else(|error| panic!("PUT {path}: {error}"))
    }

    /// The JSON of an answer that must be a 200.
    pub async fn get_json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        let status = response.status();
        let body = response.text().await.unwrap_or_else(|error| panic!("GET {path}: {error}"));
        assert_eq!(status, 200, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("GET {path}: {error}: {body}"))
    }
}
