//! A router in the process, and requests to it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use claude_code_aws::http::{App, Settings, router};
use claude_code_aws::local::{Responder, Samples, Twin};
use claude_code_core::testing::{ScriptedProvider, builder};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub const REVERSE: &str = "Write a Python function that reverses a string.";

/// An API over a twin in a directory of its own.
pub struct Api {
    pub router: Router,
    pub twin: Twin,
    _dir: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The events of a stream, by name.
    pub fn events(&self) -> Vec<(String, Value)> {
        let text = self.text();
        let line = |block: &str, name: &str| {
            block.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned)
        };
        text.split("\n\n")
            .filter_map(|block| {
                Some((line(block, "event")?, serde_json::from_str(&line(block, "data")?).unwrap()))
            })
            .collect()
    }
}

impl Api {
    pub async fn open() -> Self {
        Api::with(Settings::default(), Arc::new(Samples::built_in())).await
    }

    pub async fn with(settings: Settings, responder: Arc<dyn Responder>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let twin = Twin::lazy(dir.path(), responder);
        let router = router(App::on(&twin, settings).await.unwrap());
        Api { router, twin, _dir: dir }
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        post(&self.router, path, &[], body).await
    }

    /// The job as it ended. Whoever reads its log to the end may be faster than the row.
    pub async fn ended(&self, place: &str) -> Value {
        loop {
            let job = self.get(place).await.json();
            if job["state"] != "queued" && job["state"] != "running" {
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        get(&self.router, path, &[]).await
    }
}

/// A router over a scripted model, everything in memory: for paused time.
pub fn scripted(provider: &Arc<ScriptedProvider>) -> Router {
    router(App::new(builder(provider.clone()).build(), Settings::default()))
}

pub async fn post(router: &Router, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
    let mut request = Request::post(path).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(router, request.body(Body::from(body.to_string())).unwrap()).await
}

pub async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(router, request.body(Body::empty()).unwrap()).await
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}
