//! Describes why a connection broke.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use super::{Cause, access};

/// The time after which hyper gives up on connecting.
const CONNECTING: Duration = access::CONNECT_TIMEOUT;

/// Returns an error and its sources, outermost first.
pub(super) fn chain<'e>(error: &'e (dyn StdError + 'static)) -> Vec<&'e (dyn StdError + 'static)> {
    let mut links = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        links.push(error);
        // `io::Error::source` skips the error that it wraps.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    links
}

/// Returns why a connection broke. The texts of network errors name addresses and reasons; those of the
/// layers above repeat them.
pub(super) fn cause_of(error: &(dyn StdError + 'static)) -> Cause {
    let links = chain(error);
    let texts: Vec<String> = links.iter().map(ToString::to_string).collect();
    let find = |part: &str| {
        texts
            .iter()
            .rev()
            .find_map(|text| text.split_once(part).map(|(_, rest)| rest))
    };
    if let Some(reason) = find("invalid peer certificate: ") {
        return Cause::Certificate(certificate(reason).to_owned());
    }
    let kinds: Vec<io::ErrorKind> = links
        .iter()
        .filter_map(|link| link.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .collect();
    if kinds.contains(&io::ErrorKind::TimedOut) {
        return Cause::Timeout(CONNECTING);
    }
    let text = if kinds.contains(&io::ErrorKind::ConnectionRefused) {
        "connection refused: nothing listens at this address".to_owned()
    } else if find("failed to lookup address information").is_some() {
        "the host's name cannot be resolved".to_owned()
    } else if find("tunnel error: ").is_some() {
        "the proxy refused the connection".to_owned()
    } else {
        let last = texts.last().map(String::as_str).unwrap_or_default();
        format!("the connection broke: {}", access::lower_first(last))
    };
    Cause::Unreachable(text)
}

/// Returns a description of a fault that rustls names.
fn certificate(reason: &str) -> &str {
    match reason {
        "UnknownIssuer" => "its issuer is unknown",
        "BadSignature" => "its signature is wrong",
        text if text.contains("not valid for name") || text.starts_with("NotValidForName") => {
            "it is not valid for this address"
        }
        text if text.contains("expired") || text.starts_with("Expired") => "it has expired",
        text => text,
    }
}
