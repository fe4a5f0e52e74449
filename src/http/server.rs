//! Puts routes, limits and logs together and serves until told to stop.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App, Error, HttpServer};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_actix_web::TracingLogger;
use utoipa::OpenApi as _;
use utoipa_actix_web::AppExt as _;
use utoipa_swagger_ui::SwaggerUi;

use super::allow::{self, Methods};
use super::error::from_extractor;
use super::health;
use super::openapi::{Api, with_problems};
use super::state::AppState;

/// Requests that are being served get so long to finish after a stop.
const GRACE_SECONDS: u64 = 30;

/// Starts to serve on a socket. The server runs once it is awaited.
///
/// # Errors
/// Where the socket cannot be listened on.
pub fn start(state: Data<AppState>, listener: TcpListener, workers: usize) -> std::io::Result<Server> {
    let patience = Duration::from_secs(state.limits.request_seconds);
    let server = HttpServer::new(move || {
        let (app, api) = App::new()
            .into_utoipa_app()
            .openapi(Api::openapi())
            .map(|app| {
                app.app_data(state.clone())
                    .app_data(
                        web::QueryConfig::default().error_handler(|fault, _| from_extractor("query", &fault)),
                    )
                    .app_data(
                        web::PathConfig::default().error_handler(|fault, _| from_extractor("path", &fault)),
                    )
                    .wrap(from_fn(measure))
                    .wrap(Compress::default())
                    .wrap(TracingLogger::default())
            })
            .configure(super::routes)
            .split_for_parts();
        let api = with_problems(api);
        // The page must not ask a machine on the internet whether the description is valid.
        let shown = utoipa_swagger_ui::Config::default().validator_url("none");
        let methods = Data::new(Methods::described(&api));
        app.route("/healthz", web::head().to(health::say_alive))
            .route("/readyz", web::head().to(health::say_ready))
            .app_data(methods)
            .configure(super::console::routes)
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", api).config(shown))
            .default_service(web::to(allow::refuse))
    })
    .workers(workers)
    .client_request_timeout(patience)
    .shutdown_timeout(GRACE_SECONDS)
    .listen(listener)?
    .run();
    Ok(server)
}

/// Counts requests and their time, by route and status.
async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begun = Instant::now();
    let method = request.method().to_string();
    let response = next.call(request).await?;
    let route = response.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let labels = [("method", method), ("route", route), ("status", response.status().as_u16().to_string())];
    metrics::counter!("cartagena_requests_total", &labels).increment(1);
    metrics::histogram!("cartagena_request_seconds", &labels).record(begun.elapsed());
    Ok(response)
}

/// Collects the process's metrics; the first call decides, later ones (in tests) share it.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            // Another recorder can only be there in a program that embeds this one.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}
