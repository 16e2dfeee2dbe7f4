//! Every limit of the proxy in one place, with its reason.

use core::time::Duration;

/// How long the proxy waits for clients; what it waits for upstreams is the rules' to say.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// A head that has begun must be complete after this: slow senders hold a connection, not a core.
    pub head_time_max: Duration,
    /// A PROXY header and a TLS handshake must be done after this: three round trips of a bad line, a retransmission each.
    pub handshake_time_max: Duration,
    /// A connection without a request is closed after this: longer than the 60 s after which common load balancers let
    /// go of theirs, so that it is they who close.
    pub client_idle_max: Duration,
    /// A client that takes no octet of its answer for this long is gone.
    pub client_write_idle_max: Duration,
    /// A client that sends no octet of its body for this long is gone.
    pub client_body_idle_max: Duration,
    /// How long an unwanted body is waited for.
    pub drain_time_max: Duration,
    /// After the last answer the client may still send this long, so that a reset does not take the answer from it: as
    /// long as nginx lets it. Clients that do not read before all is sent need it for the rest of their body.
    pub linger_time_max: Duration,
    /// But one that sends nothing for this long has seen the end of the answer, as in nginx.
    pub linger_idle_max: Duration,
    /// How long the end of a connection may take with a client that reads nothing, or when the gateway stops.
    pub close_time_max: Duration,
    /// Requests in flight have this long to finish when the gateway stops.
    pub stop_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time_max: Duration::from_secs(30),
            handshake_time_max: Duration::from_secs(10),
            client_idle_max: Duration::from_secs(75),
            client_write_idle_max: Duration::from_secs(60),
            client_body_idle_max: Duration::from_secs(60),
            drain_time_max: Duration::from_millis(500),
            linger_time_max: Duration::from_secs(30),
            linger_idle_max: Duration::from_secs(5),
            close_time_max: Duration::from_secs(2),
            stop_time_max: Duration::from_secs(30),
        }
    }
}

/// Octets of a request head. nginx takes 4 x 8 KiB; the matcher's scratch holds paths of the same order.
pub(super) const HEAD_OCTETS_MAX: usize = 32 * 1024;

/// Octets of one line of it, the target among them: nginx's bound, and that of many servers behind.
pub(super) const HEAD_LINE_OCTETS_MAX: usize = 8 * 1024;

/// Lines of a request head. Browsers send about 20; apache stops at 100 too.
pub(super) const HEAD_LINES_MAX: usize = 100;

/// Octets of chunk extensions and trailers of one body: nobody needs any, and they are not counted as body.
pub(super) const CHUNK_OVERHEAD_MAX: usize = 16 * 1024;

/// Octets of an unwanted body that are read to keep the connection; more costs a new connection instead.
pub(super) const DRAIN_OCTETS_MAX: u64 = 64 * 1024;

/// Octets of a body that is to be stripped where the rules say no bound.
pub(super) const STRIP_OCTETS_MAX: u64 = 1024 * 1024;

/// Connections of one core that linger at once, with some 20 KiB each. Beyond it the oldest is reset: whoever answers
/// floods of uploads early does not hold more than that for it.
pub(super) const LINGERING_MAX: usize = 1024;

/// A client that sends nothing more, and of which it is not known whether all of its body has come, is given up after its
/// upstream took nothing for this long. Whoever sends a request and reads no answer loses nothing by that.
pub(super) const FINISHED_STALL_MAX: Duration = Duration::from_secs(1);

/// Octets that are counted in the kernel's buffer of a client that sends nothing more: as much as Linux lets it hold.
pub(super) const UNREAD_OCTETS_MAX: usize = 8 * 1024 * 1024;

/// Octets of an upstream's response head: as much as a client may send, twice, for Set-Cookie.
pub(super) const RESPONSE_HEAD_OCTETS_MAX: usize = 64 * 1024;

/// Lines of an upstream's response head.
pub(super) const RESPONSE_LINES_MAX: usize = 128;

/// Interim (1xx) responses before the final one; an upstream that sends more never ends.
pub(super) const INTERIM_MAX: u32 = 16;

/// An upstream's `Keep-Alive: timeout=` less this is how long a connection is kept: it must be ours to close.
pub(super) const KEEPALIVE_MARGIN: Duration = Duration::from_secs(1);

/// How much is read at once where a request head is waited for: more than most heads have.
pub(super) const HEAD_READ_OCTETS: usize = 4 * 1024;

/// An upstream that says nothing to `Expect: 100-continue` gets the body after this; curl waits as long.
pub(super) const CONTINUE_TIME_MAX: Duration = Duration::from_secs(1);

/// How much is read from a socket at once.
pub(super) const READ_OCTETS: usize = 16 * 1024;

/// Pieces of a body that are smaller are copied behind what waits to be written, so that both go out as one.
pub(super) const COPIED_OCTETS_MAX: usize = 4096;

/// How much of a body is read at once where so much is to come: a quarter of the reads and writes.
pub(super) const BODY_READ_OCTETS: usize = 64 * 1024;

/// How much to read at once where `left` octets of a body are to come: room for one more, so that a read of the last of
/// them is seen to have taken all there was, and the kernel is not asked again.
pub(super) fn read_octets(left: u64) -> usize {
    usize::try_from(left.saturating_add(1)).unwrap_or(BODY_READ_OCTETS).clamp(READ_OCTETS, BODY_READ_OCTETS)
}

/// Streams of one HTTP/2 connection of a client at once: nginx's bound, and what browsers are content with.
pub(super) const HTTP2_STREAMS_MAX: u32 = 128;

/// Octets of a body that may come on one stream of HTTP/2 before they are taken, either side: HTTP/2's own beginning.
pub(super) const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;

/// The same for a whole connection of a client: the windows of all its streams, 8 MiB, so that streams that nobody takes
/// from never stop the others. This is what a connection can make us hold. It does not adapt: a window that grows with
/// the way's length is memory that a client asks for.
pub(super) const HTTP2_CONNECTION_WINDOW: u32 = HTTP2_STREAMS_MAX * HTTP2_STREAM_WINDOW;

/// The same for a connection to a server, 16 MiB: clients that do not read hold their own streams, no others.
pub(super) const HTTP2_UPSTREAM_CONNECTION_WINDOW: u32 = HTTP2_UPSTREAM_STREAMS_MAX * HTTP2_STREAM_WINDOW;

/// Octets of a stream that wait to be written: as much as is read from an upstream at once.
pub(super) const HTTP2_UNSENT_OCTETS_MAX: usize = 64 * 1024;

/// Bytes that a connection of HTTP/2 reads before those who take its frames have their turn, either side: a whole stream
/// window four times.
pub(super) const HTTP2_TURN_OCTETS: usize = 256 * 1024;

/// What the frames of a connection may take beyond their octets, 256 octets each, between two turns of those who take
/// them, either side. A frame of one octet is ten on the wire, so a turn reads 26 215 of them, 6.4 MiB; twice that and more.
pub(super) const HTTP2_FRAMES_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// Streams that a client has reset before they were looked at; more than that is the rapid reset attack.
pub(super) const HTTP2_PENDING_RESETS_MAX: usize = 20;

/// Streams of a connection that end by a fault of the client's framing: one after the other they make the gateway reset
/// for nothing (CVE-2025-8671).
pub(super) const HTTP2_FAULTY_RESETS_MAX: usize = 256;

/// Octets of a header block before it is decoded: what decodes to less than `HEAD_OCTETS_MAX`, twice.
pub(super) const HTTP2_BLOCK_OCTETS_MAX: usize = 64 * 1024;

/// Frames that are neither a request, data nor a window, in `HTTP2_CONTROL_SPAN`: PING, SETTINGS, PRIORITY, resets,
/// empty DATA and unknown ones. A browser that gives up a page's hundred streams and starts anew stays below it.
pub(super) const HTTP2_CONTROL_FRAMES_MAX: u32 = 2000;

/// See `HTTP2_CONTROL_FRAMES_MAX`.
pub(super) const HTTP2_CONTROL_SPAN: Duration = Duration::from_secs(10);

/// Where requests wait, the other side of HTTP/2 is asked after this whether it lives: below the time after which NATs
/// and balancers forget a connection.
pub(super) const HTTP2_PING_AFTER: Duration = Duration::from_secs(20);

/// It must answer within this.
pub(super) const HTTP2_PONG_WITHIN: Duration = Duration::from_secs(20);

/// Requests on one HTTP/2 connection to a server, where the server would take more: what one of them loses costs all of
/// them time.
pub(super) const HTTP2_UPSTREAM_STREAMS_MAX: u32 = 256;

/// HTTP/2 connections of one core to one server. Requests whose clients do not read keep their streams, so the next ones
/// need another connection: with servers that take 16 requests on each, these are enough for `CONNECTIONS_MAX` of them.
/// Beyond it requests wait for those before them.
pub(super) const HTTP2_UPSTREAM_CONNECTIONS_MAX: usize = 1024;

/// Octets waiting to be written to an upstream before the client's body is read on.
pub(super) const UPLOAD_BUFFER_OCTETS: usize = 16 * 1024;

/// Lines of a log that one core gathers before it hands them over: some hundred, so that waking the writer costs little.
pub(super) const LOG_BATCH_OCTETS: usize = 32 * 1024;

/// But they are handed over after this at the latest: whoever follows a log should not notice.
pub(super) const LOG_BATCH_DELAY: Duration = Duration::from_millis(20);

/// Batches of a log waiting to be written, 8 MiB; a slow disk costs lines, counted, not answers.
pub(super) const LOG_BATCHES_MAX: usize = 256;

/// Buffers for lines that one core keeps: as many requests as are in flight at most times.
pub(super) const LOG_BUFFERS_MAX: usize = 256;

/// Octets of such a buffer; one that a long target has made longer is given back.
pub(super) const LOG_BUFFER_OCTETS_MAX: usize = 2048;

/// Kinds of requests that are counted each by itself: a server of metrics keeps some KiB for each. Beyond it, and
/// whoever asks for one location after another gets there, they count as `other`.
pub(super) const METRIC_SERIES_MAX: usize = 2000;

/// Services, and upstreams, that are counted each by itself; each has a histogram of sixteen series.
pub(super) const METRIC_NAMES_MAX: usize = 100;

/// The span of `log_limit`: a fault that lasts is in the log often enough to be seen, and seldom enough to be read.
pub(super) const LOG_LIMIT_SPAN: Duration = Duration::from_secs(60);

/// Lines about one server, or one name, in that span: one of each kind every ten seconds, as often as a server that is
/// taken out by default is tried again.
pub(super) const LOG_STATE_LINES_MAX: u32 = 12;

/// Descriptors that clients do not get: each client may want one for an upstream, so it is half of what there is where
/// that is little; from twice this on, most clients are idle, and upstream connections are used in turn.
pub(super) const DESCRIPTORS_KEPT_MIN: usize = 512;

/// Where half is kept, so many of all, and two for each core, are for neither side: a client that a core lets in while
/// others do, a question to a name server, files that are read.
pub(super) const DESCRIPTORS_OTHERS: usize = 8;

/// Of many descriptors, one in so many is kept.
pub(super) const DESCRIPTORS_KEPT_SHARE: usize = 32;

/// Octets of a configuration or keys file: a million keys.
pub(super) const FILE_OCTETS_MAX: u64 = 128 * 1024 * 1024;

/// Client connections of one core at once. Beyond it accepting waits, the kernel's queue holds the rest.
pub(super) const CONNECTIONS_MAX: usize = 16 * 1024;

/// Connections of one core that are in a handshake at once. Beyond it the oldest is closed: a core does about 2 000 full
/// handshakes a second, so two seconds of them wait here, with some 8 KiB each.
pub(super) const HANDSHAKES_MAX: usize = 4096;

/// Connections of the admin address at once; one more takes the place of the oldest, so that whoever opens many and asks
/// nothing keeps no probe out. Whoever scrapes and probes needs a handful.
pub(super) const ADMIN_CONNECTIONS_MAX: usize = 64;

/// Octets of a PROXY header's addresses and what follows them: balancers add names and ids of some hundred octets.
pub(super) const PROXY_HEADER_OCTETS_MAX: usize = 4096;

/// What resolves names may say less, as zero: a name is asked for once a second at most.
pub(super) const DNS_TTL_MIN: Duration = Duration::from_secs(1);

/// It may say more: an address that has moved is noticed after this at the latest.
pub(super) const DNS_TTL_MAX: Duration = Duration::from_secs(600);

/// A resolution that failed is not repeated before this.
pub(super) const DNS_RETRY: Duration = Duration::from_secs(1);

/// An answer this much older than it should be is still used while the next one is on its way; beyond it that is waited
/// for.
pub(super) const DNS_STALE_MAX: Duration = Duration::from_secs(30);

/// One question to one name server; the second attempt may reach another one.
pub(super) const DNS_QUERY_TIME_MAX: Duration = Duration::from_secs(2);

/// A whole resolution.
pub(super) const DNS_TIME_MAX: Duration = Duration::from_secs(10);

/// The seconds of which requests and retries are counted.
pub(super) const RETRY_WINDOW_SECONDS: usize = 10;

/// Retries within those seconds that are free, three a second: where requests are few, a share of them is nothing.
pub(super) const RETRIES_FREE: u64 = 30;

/// Points of a server of weight 1 on the ring of `balance hash`, as in nginx: shares differ by a tenth or so.
pub(super) const RING_POINTS: u64 = 160;

/// Points of a ring, 16 MiB; beyond it weights count for less.
pub(super) const RING_POINTS_MAX: u64 = 1 << 20;

/// Octets of a check's answer that are read: its status line is within.
pub(super) const CHECK_OCTETS_MAX: usize = 8 * 1024;

/// Watched files are looked at so often even where nobody tells that they changed: a look costs microseconds.
pub(super) const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// A file that changed is read once nothing more happened for this long: whoever writes one writes it at a stretch.
pub(super) const WATCH_QUIET: Duration = Duration::from_millis(5);

/// But it is read after this at the latest; one that is still being written is refused, and read again when it is whole.
pub(super) const WATCH_QUIET_MAX: Duration = Duration::from_millis(25);
