//! Warnings that an author may allow by name.

/// Names of all warnings that may be allowed, sorted. `allow NAME;` in a rules file takes one of these. Most are
/// files of `analysis/lint`; the others are found while rules are read or compiled.
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
