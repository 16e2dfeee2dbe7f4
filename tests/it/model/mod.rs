//! What `.rules` files mean: mistakes, and what is built of what has none.

mod examples;
mod mistakes;
mod regex;
