//! The TLS side of a listener: its certificates as they are now.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ProducesTickets, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::identities::Identities;
use super::identity::{Pair, Placed};
use crate::proxy::config::{Http2, ListenerTls};

/// The TLS side of a listener; all cores share it.
#[derive(Debug)]
pub(in crate::proxy) struct Termination {
    words: ListenerTls,
    http2: Http2,
    provider: Arc<CryptoProvider>,
    serving: ArcSwap<ServerConfig>,
    loaded: Mutex<Loaded>,
}

/// What `serving` was made of.
#[derive(Debug)]
struct Loaded {
    files: blake3::Hash,
    authorities: blake3::Hash,
    /// Whoever has one of its tickets need not show a certificate again: it goes when the authorities do.
    tickets: Arc<dyn ProducesTickets>,
}

/// The files as they were at one time.
struct Files {
    pairs: Vec<Pair>,
    authorities: Option<Placed>,
}

impl Files {
    fn read(words: &ListenerTls) -> Result<Self, String> {
        let pairs = words.certificates.iter().map(Pair::read).collect::<Result<_, _>>()?;
        let authorities = words.client_certificates.as_ref().map(|clients| Placed::read(&clients.ca)).transpose()?;
        Ok(Self { pairs, authorities })
    }

    fn hash(&self) -> blake3::Hash {
        let octets = self.pairs.iter().flat_map(Pair::octets);
        hash(octets.chain(self.authorities.as_ref().map(|file| &file.octets[..])))
    }

    fn hash_of_authorities(&self) -> blake3::Hash {
        hash(self.authorities.iter().map(|file| &file.octets[..]))
    }
}

fn hash<'o>(files: impl Iterator<Item = &'o [u8]>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for octets in files {
        // With its length: or two files could be cut differently and be the same.
        hasher.update(&octets.len().to_le_bytes()).update(octets);
    }
    hasher.finalize()
}

impl Termination {
    /// Reads all files; what is wrong with one of them is the answer.
    pub(in crate::proxy) fn new(words: &ListenerTls, http2: Http2) -> Result<Self, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = Files::read(words)?;
        let tickets = tickets()?;
        let config = config(words, http2, &files, Arc::clone(&tickets), &provider)?;
        let loaded = Loaded { files: files.hash(), authorities: files.hash_of_authorities(), tickets };
        Ok(Self {
            words: words.clone(),
            http2,
            provider,
            serving: ArcSwap::from_pointee(config),
            loaded: Mutex::new(loaded),
        })
    }

    /// What a handshake that begins now is done with.
    pub(in crate::proxy) fn config(&self) -> Arc<ServerConfig> {
        self.serving.load_full()
    }

    /// Reads the files again: whether anything is new. Where something is wrong with them, what was loaded stays.
    pub(super) fn reload(&self) -> Result<bool, String> {
        let files = Files::read(&self.words)?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, authorities) = (files.hash(), files.hash_of_authorities());
        if now == loaded.files {
            return Ok(false);
        }
        let tickets = if authorities == loaded.authorities { Arc::clone(&loaded.tickets) } else { tickets()? };
        let config = config(&self.words, self.http2, &files, Arc::clone(&tickets), &self.provider)?;
        self.serving.store(Arc::new(config));
        *loaded = Loaded { files: now, authorities, tickets };
        Ok(true)
    }

    /// Every file that it is made of.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let pairs = self.words.certificates.iter().flat_map(|pair| [pair.certificate.clone(), pair.key.clone()]);
        pairs.chain(self.words.client_certificates.iter().map(|clients| clients.ca.clone())).collect()
    }
}

fn tickets() -> Result<Arc<dyn ProducesTickets>, String> {
    // Their key changes by itself every few hours and is never written anywhere.
    aws_lc_rs::Ticketer::new().map_err(|error| format!("no key for session tickets: {error}"))
}

fn config(
    words: &ListenerTls,
    http2: Http2,
    files: &Files,
    tickets: Arc<dyn ProducesTickets>,
    provider: &Arc<CryptoProvider>,
) -> Result<ServerConfig, String> {
    let identities = files.pairs.iter().map(|pair| pair.identity(provider)).collect::<Result<Vec<_>, _>>()?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&versions(words))
        .map_err(|error| error.to_string())?;
    let builder = match &files.authorities {
        None => builder.with_no_client_auth(),
        Some(authorities) => builder.with_client_cert_verifier(verifier(words, authorities, provider)?),
    };
    let mut config = builder.with_cert_resolver(Arc::new(Identities::new(identities)));
    // A client that resumes gets another one then. Each costs some 3 % of a handshake.
    config.send_tls13_tickets = 1;
    config.ticketer = tickets;
    // A session is in its ticket: nothing is kept here for clients that never come back.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if http2 != Http2::Off {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(config)
}

fn versions(words: &ListenerTls) -> Vec<&'static SupportedProtocolVersion> {
    let all = [("1.2", &rustls::version::TLS12), ("1.3", &rustls::version::TLS13)];
    let said = |name: &str| words.versions.iter().any(|version| version == name);
    all.into_iter().filter(|(name, _)| words.versions.is_empty() || said(name)).map(|(_, version)| version).collect()
}

fn verifier(
    words: &ListenerTls,
    authorities: &Placed,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in authorities.certificates()? {
        roots.add(certificate).map_err(|error| format!("a certificate of `ca` cannot be used: {error}"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let required = words.client_certificates.as_ref().is_none_or(|clients| clients.required);
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error| error.to_string())
}
