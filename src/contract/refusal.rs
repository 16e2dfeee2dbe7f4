//! The gateway's own refusals of a request: one stable code each.

/// Why the gateway refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The method is no token, or has lower-case letters.
    MethodInvalid,
    /// CONNECT and TRACE, whatever the rules.
    MethodUnsupported,
    /// The location is not for this method.
    MethodNotAllowed,
    /// The Host is missing, empty, doubled or invalid.
    HostInvalid,
    /// No service takes the host.
    Misdirected,
    /// A Connection names a field that says where the request goes, who sends it or what its body is, or too many.
    ConnectionNamesField,
    /// nginx answers 400 for this target.
    TargetInvalid,
    /// `paths strict`: two hops may read the path differently.
    PathAmbiguous,
    /// No location takes the path.
    NoLocation,
    /// The location ended without an answer.
    NoAnswer,
    /// The location is `internal`, and the request comes from outside.
    InternalOnly,
    /// The eleventh time that the request was sent on within the gateway.
    RewriteLoop,
    /// Path, target or header values do not fit the scratch.
    RewriteTooLong,
    /// A rewrite left an empty path (nginx: 500); a proxy answers so too where one does not begin with `/`.
    RewriteEmpty,
    /// The raw target does not begin with the prefix to strip, or means another path.
    PrefixMismatch,
    /// The target to be sent would hold a space or a control byte: it would be another request line (nginx sends it).
    TargetUnsafe,
    /// `unique header`: the header has more than one line.
    HeaderRepeated,
    /// `unique query`: an upstream may read the argument twice, or otherwise than the rules do.
    QueryRepeated,
    /// `unique cookie`: the same of a cookie.
    CookieRepeated,
    /// A body where the rules reject one.
    BodyNotAllowed,
    /// A body longer than the rules' bound.
    BodyTooLarge,
    /// The upstream failed; the status is that of the failure.
    UpstreamFailed,
    /// The host does not say what a fact is.
    FactUnknown,
    /// Two different credentials in one request.
    CredentialsConflict,
    /// The artifact is not as its check has found it: a mistake of the gateway's own. Nothing is let through.
    Internal,
    /// No credential was sent; the status is the plans'.
    PlanMissing,
    /// Nobody knows the credential; the status is the plans'.
    PlanUnknown,
    /// The lookup failed; the status is the plans'.
    PlanFailed,
}

impl Refusal {
    /// The stable code: `request.no_location`.
    pub fn code(self) -> &'static str {
        match self {
            Self::MethodInvalid => "request.method_invalid",
            Self::MethodUnsupported => "request.method_unsupported",
            Self::MethodNotAllowed => "request.method_not_allowed",
            Self::HostInvalid => "request.host_invalid",
            Self::Misdirected => "request.misdirected",
            Self::ConnectionNamesField => "request.connection_names_field",
            Self::TargetInvalid => "request.target_invalid",
            Self::PathAmbiguous => "request.path_ambiguous",
            Self::NoLocation => "request.no_location",
            Self::NoAnswer => "request.no_answer",
            Self::InternalOnly => "request.internal_only",
            Self::RewriteLoop => "request.rewrite_loop",
            Self::RewriteTooLong => "request.rewrite_too_long",
            Self::RewriteEmpty => "request.rewrite_empty",
            Self::PrefixMismatch => "request.prefix_mismatch",
            Self::TargetUnsafe => "request.target_unsafe",
            Self::HeaderRepeated => "request.header_repeated",
            Self::QueryRepeated => "request.query_repeated",
            Self::CookieRepeated => "request.cookie_repeated",
            Self::BodyNotAllowed => "request.body_not_allowed",
            Self::BodyTooLarge => "request.body_too_large",
            Self::UpstreamFailed => "upstream.failed",
            Self::FactUnknown => "request.fact_unknown",
            Self::CredentialsConflict => "request.credentials_conflict",
            Self::Internal => "gateway.internal",
            Self::PlanMissing => "plan.missing",
            Self::PlanUnknown => "plan.unknown",
            Self::PlanFailed => "plan.failed",
        }
    }

    /// The status it is answered with; for the plans' three what stands where the rules say nothing.
    pub fn status(self) -> u16 {
        match self {
            Self::MethodUnsupported | Self::MethodNotAllowed => 405,
            Self::Misdirected => 421,
            Self::NoLocation | Self::NoAnswer | Self::InternalOnly => 404,
            Self::RewriteLoop | Self::RewriteTooLong | Self::RewriteEmpty | Self::FactUnknown | Self::Internal => 500,
            Self::BodyTooLarge => 413,
            Self::UpstreamFailed => 502,
            Self::PlanMissing => 401,
            Self::PlanUnknown => 403,
            Self::PlanFailed => 503,
            Self::MethodInvalid
            | Self::HostInvalid
            | Self::ConnectionNamesField
            | Self::TargetInvalid
            | Self::PathAmbiguous
            | Self::PrefixMismatch
            | Self::TargetUnsafe
            | Self::HeaderRepeated
            | Self::QueryRepeated
            | Self::CookieRepeated
            | Self::BodyNotAllowed
            | Self::CredentialsConflict => 400,
        }
    }

    /// One sentence for the client.
    pub fn title(self) -> &'static str {
        match self {
            Self::MethodInvalid => "the method is not a valid token",
            Self::MethodUnsupported => "this gateway does not serve CONNECT and TRACE",
            Self::MethodNotAllowed => "the method is not allowed here",
            Self::HostInvalid => "the Host is missing, empty, repeated or invalid",
            Self::Misdirected => "no service answers for this host",
            Self::ConnectionNamesField => "the Connection header names a field that must reach the upstream",
            Self::TargetInvalid => "the request target is malformed",
            Self::PathAmbiguous => "the path could be read in two ways",
            // Whether there is such a location is nobody's affair.
            Self::NoLocation | Self::InternalOnly => "no location takes this path",
            Self::NoAnswer => "the location gives no answer for this request",
            Self::RewriteLoop => "the request was sent on within the gateway more than ten times",
            Self::RewriteTooLong => "the rewritten request is too long",
            Self::RewriteEmpty => "a rewrite left no path that begins with a slash",
            Self::PrefixMismatch => "the target does not begin with the prefix that is to be taken off",
            Self::TargetUnsafe => "the target to be sent would hold a space or a control byte",
            Self::HeaderRepeated => "a header that must be unique is repeated",
            Self::QueryRepeated => "an argument that must be unique is repeated, or spelt otherwise",
            Self::CookieRepeated => "a cookie that must be unique is repeated, or spelt otherwise",
            Self::BodyNotAllowed => "a body is not allowed here",
            Self::BodyTooLarge => "the body is too large",
            Self::UpstreamFailed => "the upstream did not answer",
            Self::FactUnknown => "what this depends on is not known here",
            Self::CredentialsConflict => "two different credentials were sent",
            Self::Internal => "the gateway could not decide this request",
            Self::PlanMissing => "a credential is needed",
            Self::PlanUnknown => "the credential is not known",
            Self::PlanFailed => "the credential could not be checked",
        }
    }
}
