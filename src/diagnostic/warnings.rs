//! Warnings that an author may allow by name.

/// Names of all warnings that may be allowed, sorted. Each is a file of `analysis/lint`, or found by the compiler.
pub const WARNINGS: [&str; 21] = [
    "duplicate-named-location",
    "duplicate-regex",
    "forgotten-header",
    "guard-below-rewrite",
    "location-never-matches",
    "location-with-query",
    "lossy-redirect",
    "map-always-present",
    "no-answer",
    "page-loses-method",
    "prefix-without-slash",
    "relative-page",
    "repeatable-guard",
    "text-direction",
    "unbounded-body",
    "unchecked-host",
    "unreachable-statement",
    "unserved-plan",
    "unused-map",
    "unused-named-location",
    "unused-upstream",
];
