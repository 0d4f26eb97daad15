//! A host name on the command line.

use authorizer_core::rules::is_host_name;

/// A host name, in lower case.
pub(crate) fn parse_host(text: &str) -> Result<String, String> {
    let host = text.to_ascii_lowercase();
    match is_host_name(&host) {
        true => Ok(host),
        false => Err("write a host name without a port, such as `downloads.example.com`".to_owned()),
    }
}
