//! Other gateways' configurations, read and written anew as rules.

pub mod nginx;
