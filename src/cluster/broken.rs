//! Describes why a connection broke.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use super::error::lower_first;
use super::{Cause, access};

/// The time after which hyper gives up on connecting.
const CONNECTING: Duration = access::CONNECT_TIMEOUT;

/// Returns an error and its sources, outermost first.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> Vec<&'e (dyn StdError + 'static)> {
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
        return Cause::Certificate(certificate(reason));
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
        format!("the connection broke: {}", lower_first(last))
    };
    Cause::Unreachable(text)
}

/// Returns a description of a fault that rustls names, by a sentence or by the name of one of its types.
fn certificate(reason: &str) -> String {
    let name = reason
        .strip_prefix("Other(OtherError(")
        .unwrap_or(reason)
        .split(['(', ')', ' ', '{'])
        .next()
        .unwrap_or_default();
    let known = match name {
        "UnknownIssuer" => "its issuer is unknown",
        "BadSignature" | "InvalidSignatureForPublicKey" => "its signature is wrong",
        "BadEncoding" | "BadDer" | "BadDerTime" => "it is damaged",
        "CaUsedAsEndEntity" => {
            "it is the certificate of an authority, which no server may use as its own"
        }
        "EndEntityUsedAsCa" => {
            "it is signed with a certificate that is not the certificate of an authority"
        }
        "InvalidPurpose" | "RequiredEkuNotFound" => "it is not meant for servers",
        "NotValidForName" | "CertNotValidForName" => "it is not valid for this address",
        "Expired" | "CertExpired" => "it has expired",
        "NotValidYet" | "CertNotValidYet" => "it is not valid yet",
        "Revoked" | "CertRevoked" => "it is revoked",
        "UnhandledCriticalExtension" | "UnsupportedCriticalExtension" => {
            "it has a critical extension that this program does not know"
        }
        "UnsupportedCertVersion" => "it is not of X.509 version 3",
        _ if reason.contains("not valid for name") => "it is not valid for this address",
        _ if reason.contains("not valid yet") => "it is not valid yet",
        _ if reason.contains("expired") => "it has expired",
        _ if reason.contains("extended key usage") => "it is not meant for servers",
        _ if name.starts_with(char::is_uppercase) => return words(name),
        _ => reason,
    };
    known.to_owned()
}

/// Splits the name of a type into words.
fn words(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificate_errors_are_words() {
        for (reason, said) in [
            ("UnknownIssuer", "its issuer is unknown"),
            (
                "Other(OtherError(CaUsedAsEndEntity))",
                "it is the certificate of an authority, which no server may use as its own",
            ),
            (
                "Other(OtherError(PathLenConstraintViolated))",
                "path len constraint violated",
            ),
            (
                "Other(OtherError(TrailingData(Certificate)))",
                "trailing data",
            ),
            (
                "UnsupportedSignatureAlgorithmContext { signature_algorithm_id: [1], supported_algorithms: [] }",
                "unsupported signature algorithm context",
            ),
            (
                "certificate expired: verification time 2 (UNIX), but certificate is not valid after 1",
                "it has expired",
            ),
            (
                "certificate not valid yet: verification time 1 (UNIX)",
                "it is not valid yet",
            ),
            (
                "certificate not valid for name \"a\"; certificate is only valid for b",
                "it is not valid for this address",
            ),
            (
                "certificate does not allow extended key usage for server authentication, allows client",
                "it is not meant for servers",
            ),
        ] {
            assert_eq!(certificate(reason), said);
        }
    }
}
