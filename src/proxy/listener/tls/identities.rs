//! Which certificate a client sees: the one for the name that it asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::identity::Identity;

type Keys = Vec<Arc<CertifiedKey>>;

/// The certificates of a listener.
#[derive(Debug)]
pub(super) struct Identities {
    /// Several for a name are of different kinds of keys: the first that the client understands is taken.
    by_name: BTreeMap<String, Keys>,
    /// For clients that name nothing that is known here.
    default: Keys,
}

impl Identities {
    /// The first is the default, with those that share a name with it.
    pub(super) fn new(identities: Vec<Identity>) -> Self {
        let mut by_name: BTreeMap<String, Keys> = BTreeMap::new();
        let mut default = Keys::new();
        for (at, identity) in identities.into_iter().enumerate() {
            let shares_name = identity.names.iter().any(|name| {
                by_name.get(name).is_some_and(|keys| keys.iter().any(|key| default.iter().any(|d| Arc::ptr_eq(d, key))))
            });
            if at == 0 || shares_name {
                default.push(Arc::clone(&identity.certified));
            }
            for name in identity.names {
                by_name.entry(name).or_default().push(Arc::clone(&identity.certified));
            }
        }
        Self { by_name, default }
    }

    /// By the exact name, else by a wildcard for its first label, else the default.
    fn find(&self, name: Option<&str>) -> &Keys {
        let Some(name) = name.map(str::to_ascii_lowercase) else { return &self.default };
        let wildcard = || name.split_once('.').and_then(|(_, parent)| self.by_name.get(&format!("*.{parent}")));
        self.by_name.get(&name).or_else(wildcard).unwrap_or(&self.default)
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        pick(self.find(hello.server_name()), hello.signature_schemes())
    }
}

fn pick(keys: &Keys, offered: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
    let understood = keys.iter().find(|certified| certified.key.choose_scheme(offered).is_some());
    understood.or_else(|| keys.first()).map(Arc::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(names: &[&str]) -> Identity {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = rcgen::CertificateParams::new(names.clone()).unwrap().self_signed(&key).unwrap();
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let certified = CertifiedKey::from_der(vec![certificate.der().clone()], key, &provider).unwrap();
        Identity { certified: Arc::new(certified), names }
    }

    #[test]
    fn exact_names_go_before_wildcards_and_wildcards_before_the_first() {
        let all = [identity(&["a.test", "www.a.test"]), identity(&["*.a.test"]), identity(&["x.a.test"])];
        let keys: Vec<_> = all.iter().map(|identity| Arc::clone(&identity.certified)).collect();
        let identities = Identities::new(all.into());
        let check = |name: Option<&str>, expect: usize| {
            let found = identities.find(name);
            assert!(Arc::ptr_eq(&found[0], &keys[expect]), "{name:?}");
        };
        check(Some("WWW.a.test"), 0);
        check(Some("x.a.test"), 2);
        check(Some("y.a.test"), 1);
        check(Some("z.y.a.test"), 0);
        check(Some("other.test"), 0);
        check(None, 0);
    }

    #[test]
    fn certificates_of_one_name_are_chosen_by_kind_of_key() {
        let identities = Identities::new(vec![identity(&["a.test"]), identity(&["a.test"]), identity(&["b.test"])]);
        assert_eq!(identities.find(Some("a.test")).len(), 2);
        assert_eq!(identities.find(None).len(), 2);
    }
}
