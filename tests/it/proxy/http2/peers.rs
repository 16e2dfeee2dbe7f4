//! Clients and servers that speak HTTP/2, by the library itself.

use core::future::Future;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use hyper::http::{HeaderMap, Request, Response};
use rulec::proxy::{Config, Http2};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::super::harness::{PATIENCE, config};

/// One listener for HTTP/2 in clear text.
pub(in crate::proxy) fn http2_config() -> Config {
    let mut config = config();
    config.listeners[0].http2 = Http2::PriorKnowledge;
    config
}

pub(in crate::proxy) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Runs `test`, which must end in time.
pub(in crate::proxy) fn run<T>(test: impl Future<Output = T>) -> T {
    runtime().block_on(async { timeout(PATIENCE, test).await.expect("in time") })
}

/// A connection to the gateway.
pub(in crate::proxy) struct Client {
    pub(in crate::proxy) sender: SendRequest<Bytes>,
}

/// An answer, whole.
#[derive(Debug)]
pub(in crate::proxy) struct Answer {
    pub(in crate::proxy) status: u16,
    pub(in crate::proxy) headers: HeaderMap,
    pub(in crate::proxy) body: Vec<u8>,
    pub(in crate::proxy) trailers: Option<HeaderMap>,
}

impl Answer {
    pub(in crate::proxy) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(in crate::proxy) fn get(path: &str) -> Request<()> {
    Request::get(format!("http://a.test{path}")).body(()).expect("a request")
}

pub(in crate::proxy) fn post(path: &str) -> Request<()> {
    Request::post(format!("http://a.test{path}")).body(()).expect("a request")
}

impl Client {
    pub(in crate::proxy) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connects");
        stream.set_nodelay(true).expect("nodelay");
        let (sender, connection) = h2::client::handshake(stream).await.expect("a handshake");
        tokio::spawn(connection);
        Self { sender }
    }

    /// A request without a body.
    pub(in crate::proxy) async fn ask(&self, request: Request<()>) -> Result<Answer, h2::Error> {
        whole(self.begin(request, None).await?).await
    }

    /// A request whose body is `body`.
    pub(in crate::proxy) async fn send(&self, request: Request<()>, body: Bytes) -> Result<Answer, h2::Error> {
        whole(self.begin(request, Some(body)).await?).await
    }

    /// The head of the answer to a request, and what is to be read of its body.
    pub(in crate::proxy) async fn begin(
        &self,
        request: Request<()>,
        body: Option<Bytes>,
    ) -> Result<Response<RecvStream>, h2::Error> {
        let (response, mut stream) = self.sender.clone().ready().await?.send_request(request, body.is_none())?;
        if let Some(body) = body {
            tokio::spawn(async move { send_all(&mut stream, body, true).await });
        }
        response.await
    }
}

/// Reads an answer to its end.
pub(in crate::proxy) async fn whole(response: Response<RecvStream>) -> Result<Answer, h2::Error> {
    let (parts, mut stream) = response.into_parts();
    let (body, trailers) = read_all(&mut stream).await?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, trailers })
}

pub(in crate::proxy) async fn read_all(stream: &mut RecvStream) -> Result<(Vec<u8>, Option<HeaderMap>), h2::Error> {
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    Ok((body, stream.trailers().await?))
}

/// Sends `body` as there is room for it; false where the stream ended before.
pub(in crate::proxy) async fn send_all(stream: &mut SendStream<Bytes>, mut body: Bytes, ends: bool) -> bool {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let Some(Ok(room)) = core::future::poll_fn(|cx| stream.poll_capacity(cx)).await else { return false };
        let part = body.split_to(room.min(body.len()));
        let is_last = ends && body.is_empty();
        if stream.send_data(part, is_last).is_err() {
            return false;
        }
    }
    true
}

/// A server that speaks HTTP/2, in a thread of its own.
pub(in crate::proxy) struct Server {
    pub(in crate::proxy) port: u16,
    pub(in crate::proxy) connections: Arc<AtomicUsize>,
    pub(in crate::proxy) requests: Arc<AtomicUsize>,
}

impl Server {
    /// Every request goes to `handle`, with how many came before it.
    pub(in crate::proxy) fn start<F>(
        handle: impl Fn(usize, Request<RecvStream>, SendResponse<Bytes>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        Self::with(h2::server::Builder::new(), handle)
    }

    pub(in crate::proxy) fn with<F>(
        builder: h2::server::Builder,
        handle: impl Fn(usize, Request<RecvStream>, SendResponse<Bytes>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        listener.set_nonblocking(true).expect("nonblocking");
        let port = listener.local_addr().expect("address").port();
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let server = Self { port, connections: Arc::clone(&connections), requests: Arc::clone(&requests) };
        thread::spawn(move || {
            let handle = std::rc::Rc::new(handle);
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime(), async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::SeqCst);
                    let (handle, builder, requests) = (handle.clone(), builder.clone(), Arc::clone(&requests));
                    tokio::task::spawn_local(async move {
                        let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
                        while let Some(Ok((request, respond))) = connection.accept().await {
                            let number = requests.fetch_add(1, Ordering::SeqCst);
                            if request.uri().path() == "/goaway" {
                                connection.graceful_shutdown();
                            }
                            tokio::task::spawn_local(handle(number, request, respond));
                        }
                    });
                }
            });
        });
        server
    }

    /// Answers with the request's body and trailers.
    pub(in crate::proxy) fn echo() -> Self {
        Self::start(|_, request, mut respond| async move {
            let (parts, mut body) = request.into_parts();
            let mut response = Response::builder().status(200).header("x-path", parts.uri.path());
            response = response.header("x-host", parts.uri.authority().map_or("", |host| host.as_str()));
            let response = response.body(()).expect("a response");
            let Ok(mut stream) = respond.send_response(response, false) else { return };
            while let Some(Ok(data)) = body.data().await {
                drop(body.flow_control().release_capacity(data.len()));
                if !send_all(&mut stream, data, false).await {
                    return;
                }
            }
            let trailers = body.trailers().await.ok().flatten().unwrap_or_default();
            drop(stream.send_trailers(trailers));
        })
    }

    /// A service for every host around `locations`, with this server as `up`.
    pub(in crate::proxy) fn rules(&self, locations: &str) -> String {
        let port = self.port;
        format!("upstream up {{ server 127.0.0.1:{port}; protocol http2; }}\nservice all default {{\n{locations}\n}}\n")
    }
}
