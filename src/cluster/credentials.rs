//! What a user shows to a server: tokens and passwords.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use kube::config::{AuthInfo, ExecConfig};
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::error::lower_first;
use super::plugin::{self, Issued};

/// A token file is read again after this time (client-go: `cachingTokenSource`).
const FILE_PERIOD: Duration = Duration::from_secs(60);

/// The longest part of a token file that is read, in bytes.
const TOKEN_LIMIT: u64 = 1 << 20;

/// A plugin is asked again this long before its token expires.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(60);

/// The source of the `Authorization` header.
pub(super) enum Credentials {
    /// A client certificate, or nothing at all.
    None,
    /// A token or a password.
    Fixed(HeaderValue),
    /// A file with a token.
    File(PathBuf, Mutex<(HeaderValue, Instant)>),
    /// A plugin, and the header by its last token, until that expires.
    Plugin(Box<ExecConfig>, Mutex<(HeaderValue, Timestamp)>),
}

impl Credentials {
    /// Takes the credentials out of a user of a kubeconfig; only client certificates stay. A plugin runs now.
    pub(super) async fn take(user: &mut AuthInfo) -> Result<Self, String> {
        let provider = user.auth_provider.take();
        let password = user.username.take().zip(user.password.take());
        let token = user.token.take();
        let file = user.token_file.take();
        let plugin = user.exec.take();
        if let Some(provider) = provider {
            let token = (provider.name == "oidc")
                .then(|| provider.config.get("id-token"))
                .flatten();
            let token = token.ok_or_else(|| {
                "the kubeconfig names a login method that is not supported".to_owned()
            })?;
            return header("Bearer", token, "`id-token` of the user").map(Self::Fixed);
        }
        if let Some((name, password)) = password {
            let text = STANDARD.encode(format!("{name}:{}", password.expose_secret()));
            return header("Basic", &text, "the password").map(Self::Fixed);
        }
        if let Some(token) = token.filter(|token| !token.expose_secret().is_empty()) {
            return header("Bearer", token.expose_secret(), "`token` of the user").map(Self::Fixed);
        }
        if let Some(file) = file.filter(|file| !file.is_empty()) {
            let path = PathBuf::from(file);
            let cached = Mutex::new((read(&path)?, Instant::now()));
            return Ok(Self::File(path, cached));
        }
        let Some(exec) = plugin else {
            return Ok(Self::None);
        };
        let Issued {
            token,
            expires,
            certificate,
        } = issue(&exec).await?;
        if let Some((certificate, key)) = certificate {
            user.client_certificate_data = Some(STANDARD.encode(certificate));
            user.client_key_data = Some(STANDARD.encode(key).into());
        }
        let Some(token) = token else {
            return Ok(Self::None);
        };
        let header = issued(&token)?;
        Ok(match expires {
            None => Self::Fixed(header),
            Some(expires) => Self::Plugin(Box::new(exec), Mutex::new((header, expires))),
        })
    }

    /// Returns the current header; reads the file or runs the plugin again when it is time. The error is the
    /// reason.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, String> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(header) => Ok(Some(header.clone())),
            Self::File(path, last) => {
                let mut last = last.lock().await;
                if last.1.elapsed() >= FILE_PERIOD {
                    // client-go: the last token stays in use when the file cannot be read.
                    let header = read(path).unwrap_or_else(|_| last.0.clone());
                    *last = (header, Instant::now());
                }
                Ok(Some(last.0.clone()))
            }
            Self::Plugin(exec, last) => {
                let mut last = last.lock().await;
                if Timestamp::now() + RENEW_BEFORE >= last.1 {
                    let Issued { token, expires, .. } = issue(exec).await?;
                    let token = token
                        .ok_or_else(|| "the credential plugin printed no credentials".to_owned())?;
                    *last = (issued(&token)?, expires.unwrap_or(Timestamp::MAX));
                }
                Ok(Some(last.0.clone()))
            }
        }
    }
}

async fn issue(plugin: &ExecConfig) -> Result<Issued, String> {
    let plugin = plugin.clone();
    spawn_blocking(move || plugin::run(&plugin))
        .await
        .unwrap_or_else(|_| Err("the credential plugin cannot be run".to_owned()))
}

fn issued(token: &str) -> Result<HeaderValue, String> {
    header("Bearer", token, "the token of the credential plugin")
}

/// Reads a file with a token; kubectl ignores spaces and line breaks around it, too.
fn read(path: &Path) -> Result<HeaderValue, String> {
    let mut token = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(TOKEN_LIMIT).read_to_string(&mut token))
        .map_err(|error| {
            format!(
                "cannot read `{}`: {}",
                path.display(),
                lower_first(&error.to_string())
            )
        })?;
    let token = token.trim();
    if token.is_empty() {
        return Err(format!("`{}` holds no token", path.display()));
    }
    header(
        "Bearer",
        token,
        &format!("the token in `{}`", path.display()),
    )
}

/// Returns the value of a header; `what` names the text in an error.
fn header(scheme: &str, text: &str, what: &str) -> Result<HeaderValue, String> {
    let mut header = HeaderValue::from_bytes(format!("{scheme} {text}").as_bytes())
        .map_err(|_| format!("{what} holds a line break or another control character"))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn take(user: serde_json::Value) -> (Result<Credentials, String>, AuthInfo) {
        let mut user = serde_json::from_value(user).expect("a user");
        let credentials = Credentials::take(&mut user).await;
        (credentials, user)
    }

    fn prints(status: &serde_json::Value) -> serde_json::Value {
        let credential = json!({"status": status}).to_string();
        json!({"exec": {
            "command": "/bin/sh", "args": ["-c", "echo \"$0\"", credential], "interactiveMode": "Never",
        }})
    }

    #[tokio::test]
    async fn a_certificate_of_a_plugin_is_used() {
        let status = json!({"clientCertificateData": "c", "clientKeyData": "k"});
        let (credentials, user) = take(prints(&status)).await;
        assert!(matches!(credentials, Ok(Credentials::None)));
        assert_eq!(user.client_certificate_data, Some(STANDARD.encode("c")));
        let key = user.client_key_data.expect("a key");
        assert_eq!(key.expose_secret(), STANDARD.encode("k"));
        assert!(user.exec.is_none());
    }

    #[tokio::test]
    async fn every_source_becomes_a_header() {
        for (user, expected) in [
            (json!({"token": "a"}), Ok(Some("Bearer a"))),
            (json!({"token": ""}), Ok(None)),
            (json!({}), Ok(None)),
            (
                json!({"username": "a\n", "password": "b"}),
                Ok(Some("Basic YQo6Yg==")),
            ),
            (prints(&json!({"token": "p"})), Ok(Some("Bearer p"))),
            (
                json!({"auth-provider": {"name": "oidc", "config": {"id-token": "o"}}}),
                Ok(Some("Bearer o")),
            ),
            (
                json!({"auth-provider": {"name": "azure", "config": {}}}),
                Err("the kubeconfig names a login method that is not supported"),
            ),
            (
                json!({"auth-provider": {"name": "oidc", "config": {"id-token": "o\n"}}}),
                Err("`id-token` of the user holds a line break or another control character"),
            ),
        ] {
            let found = match take(user).await.0 {
                Ok(credentials) => credentials.header().await,
                Err(reason) => Err(reason),
            };
            let text = found
                .as_ref()
                .map(|header| header.as_ref().and_then(|header| header.to_str().ok()));
            assert_eq!(text.map_err(|reason| &**reason), expected);
        }
    }
}
