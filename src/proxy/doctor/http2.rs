//! One request over HTTP/2, and what its answer says.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use hyper::http::{HeaderMap, HeaderValue, Method, Request, Uri};
use tokio::time::{Instant, timeout, timeout_at};

use super::http::{Stream, note};
use super::milliseconds;
use super::report::{Failure, HttpReport, IdleReport};
use crate::matcher::Refusal;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::limits::RESPONSE_HEAD_OCTETS_MAX;
use crate::proxy::upstream::http2::{classify, not_spoken};
use crate::proxy::upstream::tls;

/// A connection that carried a request.
pub(super) struct Session {
    connection: Connection<Box<dyn Stream>, Bytes>,
    sender: SendRequest<Bytes>,
}

/// What is asked for.
pub(super) struct Asked<'a> {
    /// Host, as HTTP/1 would say it.
    pub(super) authority: &'a str,
    pub(super) path: &'a str,
    pub(super) is_tls: bool,
}

impl Asked<'_> {
    fn request(&self) -> Option<Request<()>> {
        let scheme = if self.is_tls { "https" } else { "http" };
        let uri = Uri::builder().scheme(scheme).authority(self.authority).path_and_query(self.path).build().ok()?;
        let request = Request::builder().method(Method::HEAD).uri(uri);
        request.header("user-agent", "rulec-doctor").header("accept", "*/*").body(()).ok()
    }
}

/// Asks for the head of a path; the connection comes with the answer.
pub(super) async fn ask(
    stream: Box<dyn Stream>,
    asked: &Asked<'_>,
    patience: Duration,
) -> (HttpReport, Option<Session>) {
    let request = format!("HEAD {}", asked.path);
    let mut report = HttpReport { request, version: "2".to_owned(), ..HttpReport::default() };
    let began = Instant::now();
    let deadline = began + patience;
    let outcome = match asked.request() {
        None => Err((Fault::from(Refusal::TargetUnsafe), "HTTP/2 does not carry such a target".to_owned())),
        Some(request) => match timeout_at(deadline, begin(stream)).await {
            Ok(Ok(session)) => exchange(session, request, deadline, &mut report).await,
            Ok(Err(error)) => Err(fault(&error, not_spoken)),
            Err(_) => Err((UpstreamFault::ResponseTimeout.into(), format!("no SETTINGS in {patience:?}"))),
        },
    };
    report.milliseconds = milliseconds(began.elapsed());
    match outcome {
        Ok(session) => (report, Some(session)),
        Err((fault, detail)) => {
            report.failure = Some(Failure { code: fault.code().to_owned(), detail });
            (report, None)
        }
    }
}

/// Speaks first, and waits for the settings of the server, as the gateway does.
async fn begin(stream: Box<dyn Stream>) -> Result<Session, h2::Error> {
    let head_max = u32::try_from(RESPONSE_HEAD_OCTETS_MAX).unwrap_or(u32::MAX);
    let mut builder = Builder::new();
    builder.enable_push(false).initial_max_send_streams(0).max_header_list_size(head_max);
    let (sender, mut connection) = builder.handshake(stream).await?;
    poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Ready(Ok(())) => Poll::Ready(Err(h2::Reason::NO_ERROR.into())),
        Poll::Pending if sender.current_max_send_streams() > 0 => Poll::Ready(Ok(())),
        Poll::Pending => Poll::Pending,
    })
    .await?;
    Ok(Session { connection, sender })
}

/// What TLS says goes before what it means for HTTP/2.
fn fault(error: &h2::Error, meaning: impl Fn(&h2::Error) -> UpstreamFault) -> (Fault, String) {
    let fault = error.get_io().and_then(tls::behind).unwrap_or_else(|| meaning(error));
    (fault.into(), error.to_string())
}

async fn exchange(
    mut session: Session,
    request: Request<()>,
    deadline: Instant,
    report: &mut HttpReport,
) -> Result<Session, (Fault, String)> {
    let failed = |error: h2::Error| fault(&error, |error| classify(error, false));
    let (response, _) = session.sender.send_request(request, true).map_err(failed)?;
    let silence = || (Fault::from(UpstreamFault::ResponseTimeout), "no answer in time".to_owned());
    let response = timeout_at(deadline, beside(&mut session.connection, response)).await.map_err(|_| silence())?;
    let response = response.ok_or_else(silence)?.map_err(failed)?;
    report.status = Some(response.status().as_u16());
    let headers: &HeaderMap = response.headers();
    note(report, |name| headers.get(name).map(HeaderValue::as_bytes));
    report.persistent = true;
    Ok(session)
}

/// Works on the connection until `work` is done; None where the connection ends before and says nothing about it.
async fn beside<T>(connection: &mut Connection<Box<dyn Stream>, Bytes>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let ended = Pin::new(&mut *connection).poll(cx).is_ready();
        match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if ended => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

impl Session {
    /// Keeps the connection without a request until the server ends it, at most for `longest`.
    pub(super) async fn measure_idle(&mut self, since: Instant, longest: Duration) -> IdleReport {
        let ended = timeout_at(since + longest, poll_fn(|cx| Pin::new(&mut self.connection).poll(cx))).await;
        let elapsed = Some(milliseconds(since.elapsed()));
        let Ok(ended) = ended else { return IdleReport { open_after_milliseconds: elapsed, ..IdleReport::default() } };
        let is_reset = ended.is_err_and(|error| error.is_io());
        // What it said last is what is said to those who ask for more.
        let last = timeout(Duration::ZERO, poll_fn(|cx| self.sender.poll_ready(cx))).await;
        let announced = last.is_ok_and(|ready| ready.is_err_and(|error| error.is_go_away() && error.is_remote()));
        IdleReport {
            closed_after_milliseconds: elapsed,
            reset: is_reset && !announced,
            announced,
            ..IdleReport::default()
        }
    }
}
