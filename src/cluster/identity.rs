//! What a kubeconfig says about the user, as far as it may be sent.

use hyper::header::HeaderValue;
use kube::config::{AuthInfo, Config};
use secrecy::ExposeSecret as _;

/// Removes every credential if the server's address is plain HTTP: they could be read on the way. kubectl does the
/// same, and sends whom to act as nevertheless.
pub(super) fn keep_off_plain_http(config: &mut Config) {
    if config.cluster_url.scheme_str() == Some("https") {
        return;
    }
    config.auth_info = AuthInfo {
        impersonate: config.auth_info.impersonate.take(),
        impersonate_uid: config.auth_info.impersonate_uid.take(),
        impersonate_groups: config.auth_info.impersonate_groups.take(),
        impersonate_user_extra: config.auth_info.impersonate_user_extra.take(),
        ..AuthInfo::default()
    };
}

/// Returns the field of the user whose value HTTP cannot carry: it holds a line break or another control character.
pub(super) fn unsendable(user: &AuthInfo) -> Option<&'static str> {
    let wrong = |text: &str| HeaderValue::from_str(text).is_err();
    let any = |texts: &Option<Vec<String>>| texts.iter().flatten().any(|text| wrong(text));
    if user
        .token
        .as_ref()
        .is_some_and(|token| wrong(token.expose_secret()))
    {
        Some("token")
    } else if user.impersonate.as_deref().is_some_and(wrong) {
        Some("as")
    } else if user.impersonate_uid.as_deref().is_some_and(wrong) {
        Some("as-uid")
    } else if any(&user.impersonate_groups) {
        Some("as-groups")
    } else if user
        .impersonate_user_extra
        .iter()
        .flatten()
        .any(|(_, values)| values.iter().any(|value| wrong(value)))
    {
        Some("as-user-extra")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> AuthInfo {
        serde_json::from_str(text).expect("a user")
    }

    #[test]
    fn fields_that_http_cannot_carry_are_named() {
        for (text, field) in [
            (r#"{"token": "a\n"}"#, Some("token")),
            (r#"{"token": "a\u0000b"}"#, Some("token")),
            (r#"{"token": "a", "as": "b\r\nc: d"}"#, Some("as")),
            (r#"{"as-uid": "\u007f"}"#, Some("as-uid")),
            (r#"{"as-groups": ["a", "b\n"]}"#, Some("as-groups")),
            (
                r#"{"as-user-extra": {"a": ["b\n"]}}"#,
                Some("as-user-extra"),
            ),
            (
                r#"{"token": "a.b-c", "as": "é", "as-groups": ["a b"]}"#,
                None,
            ),
            // They are encoded.
            (r#"{"username": "a\n", "password": "b\n"}"#, None),
        ] {
            assert_eq!(unsendable(&user(text)), field, "{text}");
        }
    }

    #[test]
    fn credentials_stay_off_plain_http() {
        for (scheme, kept) in [("http", false), ("https", true)] {
            let mut config = Config::new(format!("{scheme}://a").parse().expect("an address"));
            config.auth_info = user(
                r#"{"token": "a", "tokenFile": "b", "username": "c", "password": "d", "as": "e",
                    "client-certificate-data": "f", "client-key-data": "g", "exec": {"command": "h"}}"#,
            );
            keep_off_plain_http(&mut config);
            let AuthInfo {
                token,
                token_file,
                username,
                password,
                client_certificate_data,
                client_key_data,
                exec,
                impersonate,
                ..
            } = config.auth_info;
            assert_eq!(impersonate.as_deref(), Some("e"));
            for is in [
                token.is_some(),
                token_file.is_some(),
                username.is_some(),
                password.is_some(),
                client_certificate_data.is_some(),
                client_key_data.is_some(),
                exec.is_some(),
            ] {
                assert_eq!(is, kept, "{scheme}");
            }
        }
    }
}
