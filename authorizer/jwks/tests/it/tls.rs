//! The certificates that the fetcher trusts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use authorizer_core::FetchUrl;
use authorizer_jwks::{Fetcher, Form};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(60);

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn roots(authority: &CertifiedIssuer<'static, KeyPair>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    roots
}

/// A server with a certificate from this authority.
async fn serve(
    authority: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    has_expired: bool,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> SocketAddr {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if has_expired {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust the certificate closes the connection.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"keys\":[]}").await;
            let _ = stream.shutdown().await;
        }
    });
    addr
}

async fn get(fetcher: &Fetcher, addr: SocketAddr) -> Result<Vec<u8>, &'static str> {
    let url = FetchUrl::parse(&format!("https://localhost:{}/jwks", addr.port())).unwrap();
    fetcher.get(&url, LONG).await.map(Vec::from).map_err(|error| error.reason())
}

#[tokio::test]
async fn only_a_host_that_an_authority_vouches_for_is_believed() {
    let (ours, theirs) = (authority(), authority());
    let fetcher = Fetcher::trusting(roots(&ours)).unwrap();
    let all = rustls::ALL_VERSIONS;
    assert_eq!(get(&fetcher, serve(&ours, "localhost", false, all).await).await.unwrap(), b"{\"keys\":[]}");
    for (authority, name, has_expired) in
        [(&theirs, "localhost", false), (&ours, "login.example.com", false), (&ours, "localhost", true)]
    {
        let addr = serve(authority, name, has_expired, all).await;
        assert_eq!(get(&fetcher, addr).await, Err("unreachable"), "{name}");
    }
    // None of these authorities is in Mozilla's list.
    let fetcher = Fetcher::new().unwrap();
    assert_eq!(get(&fetcher, serve(&ours, "localhost", false, all).await).await, Err("unreachable"));
}

#[tokio::test]
async fn tls_1_2_and_1_3_will_do() {
    let authority = authority();
    let fetcher = Fetcher::trusting(roots(&authority)).unwrap();
    for version in rustls::ALL_VERSIONS {
        let addr = serve(&authority, "localhost", false, &[version]).await;
        assert_eq!(get(&fetcher, addr).await.unwrap(), b"{\"keys\":[]}", "{version:?}");
    }
}

#[tokio::test]
async fn a_form_is_sent_only_to_a_host_that_an_authority_vouches_for() {
    let (ours, theirs) = (authority(), authority());
    let fetcher = Fetcher::trusting(roots(&ours)).unwrap();
    for (authority, result) in [(&ours, Ok(200)), (&theirs, Err("unreachable"))] {
        let addr = serve(authority, "localhost", false, rustls::ALL_VERSIONS).await;
        let url = FetchUrl::parse(&format!("https://localhost:{}/token", addr.port())).unwrap();
        let form = Form { authorization: None, body: "code=a" };
        let answered = fetcher.post(&url, form, LONG).await;
        assert_eq!(answered.map(|answered| answered.status).map_err(|error| error.reason()), result);
    }
}
