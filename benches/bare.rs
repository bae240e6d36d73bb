//! What `scripts/bench` measures everything against: an axum handler that returns bytes it was given, with headers it
//! was given, and does nothing else. `bare ADDRESS DIR`: answers `/NAME` with `DIR/NAME.body` and the headers of
//! `DIR/NAME.headers` (`name: value` lines).

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{Path as Segment, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};

/// The same as the server's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Answers = Arc<HashMap<String, (HeaderMap, Bytes)>>;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, folder] = words.as_slice() else { panic!("usage: bare ADDRESS DIR") };
    let router = Router::new().route("/{name}", get(answer)).with_state(read(Path::new(folder)));
    let listener = tokio::net::TcpListener::bind(address).await.expect("an address to listen on");
    axum::serve(listener, router).await.expect("a server that goes on");
}

async fn answer(State(answers): State<Answers>, Segment(name): Segment<String>) -> Response {
    match answers.get(&name) {
        Some((headers, body)) => (headers.clone(), body.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn read(folder: &Path) -> Answers {
    let mut answers = HashMap::new();
    for file in fs::read_dir(folder).expect("a folder with answers") {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "body") {
            continue;
        }
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned();
        let headers = fs::read_to_string(path.with_extension("headers")).expect("headers beside a body");
        let headers = headers.lines().filter_map(|line| line.split_once(": ")).map(|(name, value)| {
            (
                HeaderName::try_from(name).expect("a header's name"),
                HeaderValue::try_from(value).expect("a header's value"),
            )
        });
        answers.insert(name, (headers.collect(), Bytes::from(fs::read(&path).expect("a body"))));
    }
    Arc::new(answers)
}
