//! What happens seldom, out of the way of what happens always.

use core::pin::Pin;

/// `future` in a box of its own, its code apart: whoever may await it stays small, in memory and in the cache.
#[cold]
#[inline(never)]
pub(super) fn rare<'f, T>(future: impl Future<Output = T> + 'f) -> Pin<Box<dyn Future<Output = T> + 'f>> {
    Box::pin(future)
}
