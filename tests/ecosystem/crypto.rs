//! rustls, with what it draws from outside taken from the seed, and the time of day from nowhere.
//!
//! ring makes its ephemeral keys from the system's randomness and nothing else, so the key exchange is another's. What is left
//! of ring draws nothing: ciphers, hashes, and signatures with Ed25519, which are a function of key and message.

use std::sync::Arc;
use std::time::Duration;

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

/// It is noon of January 1, 2030: the certificate is valid, and will be.
#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(1_893_499_200)))
    }
}

// Made once, for a hundred years: openssl req -x509 -newkey ed25519 -nodes -days 36500 -subj /CN=server
// -addext subjectAltName=DNS:server -addext basicConstraints=critical,CA:FALSE
const KEY: &str = "
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEJVND66aMhocgcHAF9sGUOILMuXRcqjIVSHQX4s+Hio
-----END PRIVATE KEY-----
";

const CERTIFICATE: &str = "
-----BEGIN CERTIFICATE-----
MIIBSDCB+6ADAgECAhRpwmpdFQ1jmuuiwEYZCPW0juiDITAFBgMrZXAwETEPMA0G
A1UEAwwGc2VydmVyMCAXDTI2MTEyNDE5NTUxOVoYDzIxMjYxMDMxMTk1NTE5WjAR
MQ8wDQYDVQQDDAZzZXJ2ZXIwKjAFBgMrZXADIQBCJI52t1iyfuFWQH+Jlp2W5IvI
1WXDLOif0SgEO6FqYKNjMGEwHQYDVR0OBBYEFEtm+1+Ww9+nvpwRcCp2A3AL2+zr
MB8GA1UdIwQYMBaAFEtm+1+Ww9+nvpwRcCp2A3AL2+zrMBEGA1UdEQQKMAiCBnNl
cnZlcjAMBgNVHRMBAf8EAjAAMAUGAytlcANBAHOFn8XLgXiYht+sTrIvWjvQIEUu
YTXBGp14VeiBxxZuAZTgzlop37bg8p+FdAxvKh3duPrU0tb+4ZLE9Sic6g4=
-----END CERTIFICATE-----
";
