//! The HTTP API: one router for three hosts, Lambda, [`serve`] and tests.

mod app;
mod auth;
mod body;
mod budget;
mod conversation;
mod creator;
mod crew;
mod edge;
mod error;
mod event;
mod fit;
mod generate;
mod input;
mod job;
pub mod lambda;
mod links;
#[cfg(feature = "local")]
mod local;
mod once;
mod openapi;
mod output;
mod page;
mod principal;
mod queue;
mod results;
mod schema;
mod serve;
mod services;
mod talk;
mod worker;
mod zip;

pub use app::{App, Settings};
pub use error::{Problem, status};
pub use event::HEARTBEAT;
pub use serve::{Server, bind, serve};

use axum::Router;
use axum::routing::{get, post};

/// Every route. What stands before them all is in `edge`: who calls, whether there is room, what every answer says.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/generate", post(generate::generate))
        .route("/refactor", post(generate::refactor))
        .route("/conversation", post(conversation::conversation))
        .route("/services/{id}/code/{code_id}", get(services::code))
        .route("/services/{id}/code/{code_id}/zip", get(services::zip))
        .route("/results", get(results::list))
        .route("/results/{id}", get(results::result).delete(results::delete))
        .route("/results/{id}/download", get(results::download))
        .route("/results/{id}/zip", get(results::zip))
        .route("/jobs/{id}", get(job::job))
        .route("/jobs/{id}/events", get(job::events))
        .route("/budget", get(budget::budget))
        .route("/health", get(page::health))
        .route("/openapi.json", get(openapi::document))
        .route("/", get(page::index))
        .route("/app.js", get(page::script))
        .route("/style.css", get(page::style))
        .fallback(error::no_route);
    #[cfg(feature = "local")]
    let routes = routes.route("/_local/s3/{*key}", get(local::object));
    let routes = routes.with_state(app.clone());
    // Around the router as a whole: within it a layer does not see which methods a path takes.
    Router::new().fallback_service(routes).layer(axum::middleware::from_fn_with_state(app, edge::edge))
}
