//! Notices that a server asks for the gateway's certificate.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

/// Shows what the gateway would show, and remembers that it was asked to.
#[derive(Debug)]
pub(super) struct Noticed {
    configured: Arc<dyn ResolvesClientCert>,
    asked: AtomicBool,
}

impl Noticed {
    pub(super) fn new(configured: Arc<dyn ResolvesClientCert>) -> Self {
        Self { configured, asked: AtomicBool::new(false) }
    }

    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

impl ResolvesClientCert for Noticed {
    fn resolve(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Release);
        self.configured.resolve(authorities, schemes)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.configured.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.configured.has_certs()
    }
}
