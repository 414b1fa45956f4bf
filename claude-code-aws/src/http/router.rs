//! The router: every route, and the middleware around all of them.

use axum::Router;
use axum::routing::{get, post};

use super::app::App;
use super::middleware;
use super::response::problem;
#[cfg(feature = "local")]
use super::routes::twin_s3;
use super::routes::{
    budget, conversation, estimate, generate, jobs, metrics, openapi, page, results, samples, services, usage,
};

/// Every route. What stands before them all is in `middleware`: who calls, whether there is room, what every answer says.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/generate", post(generate::generate))
        .route("/refactor", post(generate::refactor))
        .route("/estimate", post(estimate::estimate))
        .route("/samples", get(samples::samples))
        .route("/conversation", post(conversation::conversation))
        .route("/conversation/{id}", get(conversation::get).delete(conversation::delete))
        .route("/services", get(services::list))
        .route("/services/{id}/code/{code_id}", get(services::code))
        .route("/services/{id}/code/{code_id}/zip", get(services::zip))
        .route("/results", get(results::list))
        .route("/results/{id}", get(results::result).delete(results::delete))
        .route("/results/{id}/download", get(results::download))
        .route("/results/{id}/zip", get(results::zip))
        .route("/jobs/{id}", get(jobs::job))
        .route("/jobs/{id}/events", get(jobs::events))
        .route("/budget", get(budget::budget))
        .route("/usage", get(usage::usage))
        .route("/metrics", get(metrics::metrics))
        .route("/health", get(page::health))
        .route("/openapi.json", get(openapi::document))
        .route("/", get(page::index))
        .route("/docs", get(page::docs))
        .route("/{asset}", get(page::asset))
        .fallback(problem::no_route);
    #[cfg(feature = "local")]
    let routes = routes.route("/_local/s3/{*key}", get(twin_s3::object));
    let routes = routes.with_state(app.clone());
    // Around the router as a whole: within it a layer does not see which methods a path takes.
    Router::new().fallback_service(routes).layer(axum::middleware::from_fn_with_state(app, middleware::edge))
}
