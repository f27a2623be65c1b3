//! What the operator sees: one structured line per request, and metrics. Nothing personal, ever.
//!
//! A line holds the request's id, method, matched route (with its parameters' names, not their values), status,
//! refusal code, duration and the kind of person asking. Names, addresses of persons, query strings, cookies
//! and tokens have no way in: the only inputs are the fields of [`RequestLine`]. Other log lines name what went wrong
//! and carry the same request id.

use crate::config::{LogFormat, Telemetry};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::io::IsTerminal;
use std::time::Duration;
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;

/// Libraries that at finer levels log what they carry: they stay at `info` whatever the filter says.
const KEPT_QUIET: [&str; 4] = ["hyper=info", "hyper_util=info", "reqwest=info", "sqlx=info"];
/// Upper bounds of the duration buckets, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// How often samples are folded into their buckets, so that memory stays bounded when nobody asks for metrics.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why logs or metrics could not be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("telemetry.filter = {0:?} cannot be used ({1}): write a level, such as \"info\"")]
    Filter(String, ParseError),
    /// Metrics cannot be set up.
    #[error("metrics cannot be set up: {0}")]
    Metrics(#[from] BuildError),
    /// This process has them already.
    #[error("logs and metrics are already set up in this process")]
    Twice,
    /// The upkeep thread cannot be started.
    #[error("a thread for the metrics' upkeep cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// The metrics as others read them.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// Sets up logs on standard error and the metrics, once per process.
///
/// # Errors
/// [`TelemetryError`].
pub fn start(settings: &Telemetry) -> Result<Metrics, TelemetryError> {
    let colours = std::io::stderr().is_terminal();
    let lines = subscriber(settings, colours, std::io::stderr)?;
    let recorder = recorder()?;
    let handle = recorder.handle();
    tracing::subscriber::set_global_default(lines).map_err(|_| TelemetryError::Twice)?;
    metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::Twice)?;
    let upkeep = handle.clone();
    // A panic's own words may hold anything; where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(target: "porteplume::panic", place);
    }));
    std::thread::Builder::new().name("metrics-upkeep".into()).spawn(move || {
        loop {
            std::thread::park_timeout(UPKEEP);
            upkeep.run_upkeep();
        }
    })?;
    Ok(Metrics(handle))
}

fn recorder() -> Result<PrometheusRecorder, BuildError> {
    Ok(PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder())
}

fn subscriber<W>(
    settings: &Telemetry,
    colours: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let unreadable = |error| TelemetryError::Filter(settings.filter.clone(), error);
    let mut filter = EnvFilter::try_new(&settings.filter).map_err(unreadable)?;
    for directive in KEPT_QUIET {
        filter = filter.add_directive(directive.parse().map_err(unreadable)?);
    }
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(colours);
    Ok(match settings.format {
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_span_list(false).finish()),
        LogFormat::Text => Box::new(lines.finish()),
    })
}

/// All that is ever said of a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestLine<'a> {
    /// The request's id, as answered in `x-request-id`.
    pub id: &'a str,
    /// HTTP method.
    pub method: &'static str,
    /// The matched route, such as `/usager/mandates/{mandate}`; `none` where nothing matched.
    pub route: &'a str,
    /// HTTP status of the answer.
    pub status: u16,
    /// The stable code of a refusal or fault.
    pub code: Option<&'static str>,
    /// How long the answer took.
    pub elapsed: Duration,
    /// The kind of person asking: `aidant`, `usager`, `auditor`, `service` or `none`.
    pub audience: &'static str,
}

/// Writes a request's line and counts it.
pub fn request(line: &RequestLine<'_>) {
    let RequestLine { id, method, route, status, audience, .. } = *line;
    let code = line.code.unwrap_or_default();
    let ms = line.elapsed.as_secs_f64() * 1000.0;
    // Faults of ours go out louder; refusals are the service at work.
    if status >= 500 {
        tracing::error!(target: "porteplume::request", id, method, route, status, code, ms, audience);
    } else {
        tracing::info!(target: "porteplume::request", id, method, route, status, code, ms, audience);
    }
    let labels = [("route", route.to_owned()), ("status", status.to_string())];
    metrics::counter!("porteplume_requests_total", &labels).increment(1);
    metrics::histogram!("porteplume_request_seconds", "route" => route.to_owned()).record(line.elapsed);
    if let Some(code) = line.code {
        refused(code);
    }
}

/// Counts a refusal or fault by its stable code. Answers to requests are counted by [`request`].
pub fn refused(code: &'static str) {
    metrics::counter!("porteplume_refusals_total", "code" => code).increment(1);
}

/// Counts a database transaction by its name and outcome (`committed`, `retried`, `failed`) and measures it.
pub fn transaction(name: &'static str, outcome: &'static str, elapsed: Duration) {
    metrics::counter!("porteplume_transactions_total", "name" => name, "outcome" => outcome).increment(1);
    metrics::histogram!("porteplume_transaction_seconds", "name" => name).record(elapsed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str, act: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let settings = Telemetry { format, filter: filter.to_owned() };
        let lines = subscriber(&settings, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(lines, act);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const LINE: RequestLine<'static> = RequestLine {
        id: "0af1",
        method: "POST",
        route: "/usager/mandates/{mandate}/end",
        status: 409,
        code: Some("mandate_revoked"),
        elapsed: Duration::from_millis(3),
        audience: "usager",
    };

    #[test]
    fn a_request_is_one_json_line_of_known_fields() {
        let line = written(LogFormat::Json, "info", || request(&LINE));
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
        assert_eq!(fields["status"], 409);
        assert_eq!(fields["code"], "mandate_revoked");
        fields.retain(|key, _| !["timestamp", "level", "target"].contains(&key.as_str()));
        let names: Vec<_> = fields.keys().collect();
        assert_eq!(names, ["audience", "code", "id", "method", "ms", "route", "status"]);
    }

    #[test]
    fn talkative_libraries_stay_quiet_whatever_the_filter() {
        let said = written(LogFormat::Text, "trace,hyper=trace", || {
            tracing::debug!(target: "hyper::proto", "a header");
            tracing::debug!(target: "reqwest::connect", "an address");
            tracing::debug!(target: "porteplume", "ours");
        });
        assert!(said.contains("ours") && !said.contains("header") && !said.contains("address"), "{said}");
    }

    #[test]
    fn a_wrong_filter_is_refused_with_its_cure() {
        let settings = Telemetry { format: LogFormat::Text, filter: "a=b=c".to_owned() };
        let error = subscriber(&settings, false, std::io::sink).err().unwrap().to_string();
        assert!(error.starts_with("telemetry.filter = \"a=b=c\" cannot be used"), "{error}");
    }

    #[test]
    fn metrics_count_by_route_transaction_and_code() {
        let recorder = recorder().unwrap();
        let metrics = Metrics(recorder.handle());
        metrics::with_local_recorder(&recorder, || {
            request(&LINE);
            request(&LINE);
            transaction("revoke_mandate", "committed", Duration::from_millis(2));
        });
        let text = metrics.render();
        for line in [
            r#"porteplume_requests_total{route="/usager/mandates/{mandate}/end",status="409"} 2"#,
            r#"porteplume_refusals_total{code="mandate_revoked"} 2"#,
            r#"porteplume_transactions_total{name="revoke_mandate",outcome="committed"} 1"#,
            r#"porteplume_transaction_seconds_bucket{name="revoke_mandate",le="0.0025"} 1"#,
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
