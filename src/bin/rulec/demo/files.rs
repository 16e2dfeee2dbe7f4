//! The rules that the demo serves, carried in the program: it needs no file of the project.

/// Name and text; the first is walked through whole, of the others one request each is shown.
pub(crate) const FILES: [(&str, &str); 10] = [
    ("rules/words.rules", include_str!("../../../../rules/words.rules")),
    ("rules/nginx-locations.rules", include_str!("../../../../rules/nginx-locations.rules")),
    ("rules/s3.rules", include_str!("../../../../rules/s3.rules")),
    ("rules/moved-site.rules", include_str!("../../../../rules/moved-site.rules")),
    ("rules/methods.rules", include_str!("../../../../rules/methods.rules")),
    ("rules/tls-upgrade.rules", include_str!("../../../../rules/tls-upgrade.rules")),
    ("rules/tls-upstream.rules", include_str!("../../../../rules/tls-upstream.rules")),
    ("rules/plans.rules", include_str!("../../../../rules/plans.rules")),
    ("rules/aws-api-gateway.rules", include_str!("../../../../rules/aws-api-gateway.rules")),
    ("rules/canary.rules", include_str!("../../../../rules/canary.rules")),
];

/// Which of the two upstreams plays the one that rules call `name`.
pub(crate) fn player(name: &str) -> &'static str {
    if ["sandbox", "staging", "canary", "green"].contains(&name) { "staging" } else { "production" }
}
