//! What `.rules` files mean: mistakes, and what is built of what has none.

mod examples;
mod hostile;
mod includes;
mod look_around;
mod meaning;
mod mistakes;
mod regex;
