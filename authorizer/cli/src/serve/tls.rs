//! HTTPS for the local distribution: a development certificate, or one that the user has.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use authorizer_local::Tls;
use miette::Diagnostic;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use thiserror::Error;

use crate::input::read_limited;
use crate::save::SaveError;
use crate::token::write_new;

/// The longest file that is read, in bytes. A chain of a server is a few kilobytes.
const MAX_PEM_BYTES: usize = 256 * 1024;

/// How long the authority of this machine lives, and the certificate that is made at each start.
const AUTHORITY_LIFETIME: Duration = Duration::from_secs(3_650 * DAY);
/// Apple's clients accept at most 825 days of an authority that a user has added.
const SERVER_LIFETIME: Duration = Duration::from_secs(397 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// The modes of a private key's file that let others read or change it.
const OPEN_TO_OTHERS: u32 = 0o077;

/// Why HTTPS cannot be served.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum TlsError {
    /// The development certificate is not for this address.
    #[error("the development certificate is only for this machine, and {addr} is not a loopback address")]
    #[diagnostic(help(
        "listen on 127.0.0.1, or give a certificate for your name with `--tls-cert FILE --tls-key FILE`"
    ))]
    NotLoopback { addr: SocketAddr },
    /// A file is not what it should be.
    #[error("`{path}` does not contain {what} in PEM: {message}")]
    #[diagnostic(help("{}", help_for_pem(.message)))]
    NotPem { path: PathBuf, what: &'static str, message: String },
    /// The key is not of the certificate, or cannot be used.
    #[error("`{certificate}` and `{key}` cannot be used together: {error}")]
    #[diagnostic(help("give the private key that belongs to the first certificate of the file"))]
    Unusable { certificate: PathBuf, key: PathBuf, error: rustls::Error },
    /// The files of the authority cannot be used.
    #[error("the development authority in `{folder}` cannot be used: {message}")]
    #[diagnostic(help(
        "remove that folder: the next start makes a new authority, which clients must trust anew"
    ))]
    Authority { folder: PathBuf, message: String },
    /// Others can read the authority's key.
    #[error("other users can read `{path}`, and so make certificates that your clients trust")]
    #[diagnostic(help("run `chmod 600` on it if nobody did; otherwise remove its folder"))]
    Exposed { path: PathBuf },
}

fn help_for_pem(message: &str) -> &'static str {
    if message.contains(ENCRYPTED) {
        "decrypt the key first, such as with `openssl pkey -in FILE -out NEW`"
    } else {
        "a PEM file has lines such as `-----BEGIN CERTIFICATE-----`; the key needs a file of its own"
    }
}

const ENCRYPTED: &str = "the key is encrypted";

/// What viewers are shown, and how they come to trust it.
#[derive(Debug)]
pub(super) struct Https {
    /// For the distribution.
    pub(super) tls: Tls,
    /// The file that clients trust: the authority, or the certificate that was given.
    pub(super) trusted: PathBuf,
    certificate: CertificateDer<'static>,
}

impl Https {
    /// A new certificate for this machine, by the authority in a folder, which is made if it is missing.
    pub(super) fn for_development(folder: &Path, addr: SocketAddr) -> miette::Result<Self> {
        if !addr.ip().to_canonical().is_loopback() {
            return Err(TlsError::NotLoopback { addr }.into());
        }
        let folder = std::path::absolute(folder)
            .map_err(|source| SaveError::Unwritable { path: folder.to_owned(), source })?;
        let authority = Authority::prepare(&folder)?;
        let (certificate, key) = authority
            .vouch_for(addr.ip().to_canonical())
            .map_err(|message| TlsError::Authority { folder: folder.clone(), message })?;
        let tls = Tls::new(vec![certificate.clone()], key)
            .map_err(|error| TlsError::Authority { folder, message: error.to_string() })?;
        Ok(Self { tls, trusted: authority.file, certificate })
    }

    /// The certificate and the key in files.
    pub(super) fn from_files(certificate: &Path, key: &Path) -> miette::Result<Self> {
        let not_pem =
            |path: &Path, what, message: String| TlsError::NotPem { path: path.to_owned(), what, message };
        let pem = read_limited(certificate, MAX_PEM_BYTES)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|error| not_pem(certificate, "certificates", error.to_string()))?;
        let Some(first) = chain.first().cloned() else {
            return Err(not_pem(certificate, "a certificate", "it has no such section".into()).into());
        };
        let pem = read_limited(key, MAX_PEM_BYTES)?;
        let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
            let encrypted = b"BEGIN ENCRYPTED PRIVATE KEY";
            let is_encrypted = pem.windows(encrypted.len()).any(|found| found == encrypted);
            let message = if is_encrypted { ENCRYPTED.to_owned() } else { error.to_string() };
            not_pem(key, "a private key", message)
        })?;
        let tls = Tls::new(chain, private).map_err(|error| TlsError::Unusable {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            error,
        })?;
        let trusted = std::path::absolute(certificate).unwrap_or_else(|_| certificate.to_owned());
        Ok(Self { tls, trusted, certificate: first })
    }

    /// The host for a URL: the address, or else `localhost`, whichever the certificate is for.
    pub(super) fn host(&self, addr: IpAddr) -> Option<ServerName<'static>> {
        let certificate = ParsedCertificate::try_from(&self.certificate).ok()?;
        let names = [ServerName::from(addr), ServerName::try_from("localhost").ok()?];
        names.into_iter().find(|name| verify_server_name(&certificate, name).is_ok())
    }
}

/// An authority that only this machine's names can have certificates of.
struct Authority {
    file: PathBuf,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads the authority of a folder, or makes it.
    fn prepare(folder: &Path) -> miette::Result<Self> {
        let (file, key_file) = (folder.join("ca.pem"), folder.join("ca.key.pem"));
        let unusable = |message: String| TlsError::Authority { folder: folder.to_owned(), message };
        let unwritable = |source| SaveError::Unwritable { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unwritable)?;
        if !file.exists() && !key_file.exists() {
            let key = KeyPair::generate().map_err(|error| unusable(error.to_string()))?;
            write_new(&key_file, key.serialize_pem().as_bytes(), 0o600)?;
        }
        let key = read_private(&key_file)?;
        let key = KeyPair::from_pem(&key).map_err(|error| unusable(format!("`ca.key.pem`: {error}")))?;
        let params = authority_params();
        // Without a certificate, a start was interrupted after the key.
        if !file.exists() {
            let made = params.self_signed(&key).map_err(|error| unusable(error.to_string()))?;
            write_new(&file, made.pem().as_bytes(), 0o644)?;
        }
        let pem = read_limited(&file, MAX_PEM_BYTES)?;
        let certificate =
            CertificateDer::from_pem_slice(&pem).map_err(|error| unusable(format!("`ca.pem`: {error}")))?;
        Ok(Self { file, certificate, issuer: Issuer::new(params, key) })
    }

    /// A new key, and a certificate of it for this machine, which a client that trusts the authority accepts.
    fn vouch_for(&self, addr: IpAddr) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), String> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), addr.to_string()];
        let mut params = CertificateParams::new(names).map_err(|error| error.to_string())?;
        live(&mut params, SERVER_LIFETIME);
        params.distinguished_name.push(DnType::CommonName, "authorizer serve");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| error.to_string())?;
        let certificate = certificate.der().clone();
        self.check(&certificate, addr)?;
        Ok((certificate, PrivateKeyDer::Pkcs8(key.serialize_der().into())))
    }

    /// Whether a client accepts the certificate. It does not if the two files do not belong together.
    fn check(&self, certificate: &CertificateDer<'static>, addr: IpAddr) -> Result<(), String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(|error| error.to_string())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| error.to_string())?;
        let now = UnixTime::now();
        verifier.verify_server_cert(certificate, &[], &ServerName::from(addr), &[], now).map(|_| ()).map_err(
            |error| format!("`ca.pem` is not the certificate of `ca.key.pem`, or is out of date ({error})"),
        )
    }
}

/// What the authority's certificate says. Its name and its key are what certificates refer to, so the issuer is made
/// of the same.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    live(&mut params, AUTHORITY_LIFETIME);
    params.distinguished_name.push(DnType::CommonName, "authorizer serve, development authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Even if its key gets into other hands, it can only vouch for servers, and only for those of this machine. Name
    // constraints say nothing of names of another kind, such as those of mail: that is what the purpose is for.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".into()),
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(Ipv4Addr::LOCALHOST.into(), 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(Ipv6Addr::LOCALHOST.into(), 128)),
        ],
        excluded_subtrees: Vec::new(),
    });
    params
}

/// From a day ago, because clocks differ.
fn live(params: &mut CertificateParams, lifetime: Duration) {
    let now = SystemTime::now();
    let day = Duration::from_secs(DAY);
    params.not_before = now.checked_sub(day).unwrap_or(now).into();
    params.not_after = now.checked_add(lifetime).unwrap_or(now).into();
}

/// Reads a private key that only its owner can read.
fn read_private(path: &Path) -> miette::Result<String> {
    let pem = read_limited(path, MAX_PEM_BYTES)?;
    let mode = fs::metadata(path).map_or(OPEN_TO_OTHERS, |found| found.permissions().mode());
    if mode & OPEN_TO_OTHERS != 0 {
        return Err(TlsError::Exposed { path: path.to_owned() }.into());
    }
    String::from_utf8(pem).map_err(|error| {
        TlsError::NotPem { path: path.to_owned(), what: "a private key", message: error.to_string() }.into()
    })
}
