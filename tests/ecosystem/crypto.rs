//! rustls, with random numbers from the seed, and the time of day of the host.
//!
//! ring takes its ephemeral keys from the system only, so the key exchange is that of another crate. The other parts of
//! ring draw no random numbers: ciphers, hashes, and Ed25519 signatures, which are a function of key and message.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use ed25519_compact::x25519::{PublicKey, SecretKey};
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, Error, NamedGroup, PeerMisbehaved, RootCertStore, ServerConfig};

pub(crate) fn client() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    ClientConfig::builder_with_details(provider(), Arc::new(Clock))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(crate) fn server() -> ServerConfig {
    ServerConfig::builder_with_details(provider(), Arc::new(Clock))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap())
        .unwrap()
}

fn provider() -> Arc<CryptoProvider> {
    let ring = rustls::crypto::ring::default_provider();
    Arc::new(CryptoProvider { kx_groups: vec![&X25519], secure_random: &Seeded, ..ring })
}

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()
}

#[derive(Debug)]
struct Seeded;

impl SecureRandom for Seeded {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        fastrand::fill(buf);
        Ok(())
    }
}

#[derive(Debug)]
struct X25519;

impl SupportedKxGroup for X25519 {
    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut secret = [0; 32];
        fastrand::fill(&mut secret);
        let secret = SecretKey::new(secret);
        let public = secret.recover_public_key().map_err(|error| Error::General(error.to_string()))?;
        Ok(Box::new(Exchange { secret, public }))
    }
}

struct Exchange {
    secret: SecretKey,
    public: PublicKey,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let shared = PublicKey::from_slice(peer).and_then(|peer| peer.dh(&self.secret));
        let shared = shared.map_err(|_| Error::from(PeerMisbehaved::InvalidKeyShare))?;
        Ok(SharedSecret::from(&shared[..]))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public[..]
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let time = anyrt::time::system_time().duration_since(UNIX_EPOCH).ok()?;
        Some(UnixTime::since_unix_epoch(time))
    }
}

// Created once with `openssl ca -selfsign`: Ed25519, CN and DNS name "server", not a CA; valid from 2000 to 2099.
const KEY: &str = "
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEJVND66aMhocgcHAF9sGUOILMuXRcqjIVSHQX4s+Hio
-----END PRIVATE KEY-----
";

const CERTIFICATE: &str = "
-----BEGIN CERTIFICATE-----
MIIBFDCBx6ADAgECAgEBMAUGAytlcDARMQ8wDQYDVQQDDAZzZXJ2ZXIwIBcNMDAw
MTAxMDAwMDAwWhgPMjA5OTEyMzEyMzU5NTlaMBExDzANBgNVBAMMBnNlcnZlcjAq
MAUGAytlcAMhAEIkjna3WLJ+4VZAf4mWnZbki8jVZcMs6J/RKAQ7oWpgo0IwQDAR
BgNVHREECjAIggZzZXJ2ZXIwDAYDVR0TAQH/BAIwADAdBgNVHQ4EFgQUS2b7X5bD
36e+nBFwKnYDcAvb7OswBQYDK2VwA0EAt8ZaiowLwFEVeRR54EQwMNmwxtHzbVxM
nv/93+gAZOXjK1uJKVd2vU9LJpqWi30Vf/BpP7rStFvxhkufF8t1BQ==
-----END CERTIFICATE-----
";
