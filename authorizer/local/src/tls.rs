//! TLS towards viewers.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::closing::{Closed, Connection};

/// The first byte of a TLS handshake (RFC 8446 section 5.1). No HTTP request begins with it.
const HANDSHAKE: u8 = 22;

/// What a request without TLS is told.
const USE_HTTPS: &str = "This port is for HTTPS: use https://\n";

/// A certificate for viewers. They use HTTP/1.1 or HTTP/2, by ALPN (RFC 7301), as with CloudFront.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Takes the certificates, that of the server first, and its private key.
    ///
    /// # Errors
    /// An error of rustls if the key is not of the certificate, or is of a kind that TLS does not have.
    pub fn new(
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// The handshake. `None` if the viewer speaks plain HTTP, and was told so.
    pub(crate) async fn accept(
        &self,
        mut stream: TcpStream,
    ) -> io::Result<Option<(TlsStream<Connection>, Closed)>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first != [HANDSHAKE] {
            // Unread bytes would reset the connection, and the viewer might not see the answer.
            let _ = stream.read(&mut [0; 4096]).await?;
            let answer = format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{USE_HTTPS}",
                USE_HTTPS.len()
            );
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await?;
            return Ok(None);
        }
        let (stream, closed) = Connection::new(stream);
        Ok(Some((self.0.accept(stream).await?, closed)))
    }
}
