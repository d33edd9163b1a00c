//! Selects the cluster and the user: kubeconfigs, contexts, impersonation, credentials.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hyper::header::{HeaderName, HeaderValue, USER_AGENT};
use kube::client::AuthError;
use kube::config::{Config, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::client::Connection;
use super::credentials::Credentials;
use super::environment::{Environment, NoneExists, with_scheme};
use super::error::lower_first;
use super::pool::{self, Generations};
use super::{Cluster, Error, identity};
use crate::value::{Text, Value};

/// The time in which a connection must be established, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time until the answer to a request must begin, over all attempts (with [`Cluster::retry_for`]: at each
/// attempt), and between parts of the answer, unless [`Access::timeout`] says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(9);

/// How to reach a cluster. The default is the same as for kubectl: `KUBECONFIG` (several files are merged),
/// or else `~/.kube/config`, or else the service account of the pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Kubeconfigs, which are merged: the first file that sets a field wins. If empty, the default is used.
    pub kubeconfig: Vec<PathBuf>,
    /// The context, in place of the current one.
    pub context: Option<String>,
    /// The namespace, in place of the context's.
    pub namespace: Option<String>,
    /// The user to act as.
    pub user: Option<String>,
    /// The groups to act as; only with `user`.
    pub groups: Vec<String>,
    /// Whether a credential plugin may ask the user: it reads and writes the terminal itself. Otherwise it has no input, and its
    /// output is not shown.
    pub interactive: bool,
    /// The time in which the server must answer; [`DEFAULT_TIMEOUT`] when `None`.
    pub timeout: Option<Duration>,
}

impl Cluster {
    /// Connects, and asks the server for its version, so that a wrong address, certificate or credential
    /// fails here. Must be called inside of a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read or the server cannot be reached; see [`Error`].
    pub async fn connect(access: &Access) -> Result<Self, Error> {
        let timeout = access.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let mut cluster = Self::new(access.open().await?, timeout);
        let answer = cluster.get("connect", "/version").await?;
        let version = answer.value.at(&["gitVersion"]).and_then(Value::as_str);
        cluster.version = version.unwrap_or_default().into();
        Ok(cluster)
    }
}

impl Access {
    /// Reads configuration and credentials. A credential plugin runs here without a time limit: it may ask
    /// the user.
    pub(super) async fn open(&self) -> Result<Connection, Error> {
        let (mut config, context) = self.config().await?;
        let timeout = self.timeout.unwrap_or(DEFAULT_TIMEOUT);
        config.connect_timeout = Some(CONNECT_TIMEOUT.min(timeout));
        config.read_timeout = None;
        config.write_timeout = Some(timeout);
        // Attempts are counted and bounded in `transport`.
        config.default_retry = false;
        if let Some(user) = &self.user {
            config.auth_info.impersonate = Some(user.clone());
            let groups = (!self.groups.is_empty()).then(|| self.groups.clone());
            config.auth_info.impersonate_groups = groups;
        }
        if let Some(plugin) = config.auth_info.exec.as_mut().filter(|_| !self.interactive) {
            plugin.interactive_mode = Some(ExecInteractiveMode::Never);
        }
        config.headers.push(user_agent());
        if let Some(namespace) = &self.namespace {
            config.default_namespace.clone_from(namespace);
        }
        identity::keep_off_plain_http(&mut config);
        if let Some(field) = identity::unsendable(&config.auth_info) {
            return Err(Error::Kubeconfig {
                file: self.only_file(),
                reason: format!(
                    "`{field}` of its user holds a line break or another control character"
                ),
            });
        }
        // rustls checks validity by this clock, and panics before 1970.
        if SystemTime::now() < SystemTime::UNIX_EPOCH {
            return Err(Error::Clock);
        }
        let server = address(&config.cluster_url);
        let namespace = Text::from(config.default_namespace.as_str());
        let generations = Generations::default();
        let credentials = Credentials::take(&mut config.auth_info).await;
        let credentials = credentials.map_err(|reason| Error::Credentials {
            context: context.clone(),
            reason,
        })?;
        let client =
            pool::build(config, generations.clone()).map_err(|error| self.refused(&error))?;
        Ok(Connection {
            client,
            generations,
            credentials,
            server,
            context,
            namespace,
        })
    }

    async fn config(&self) -> Result<(Config, Option<Text>), Error> {
        let environment = Environment::read();
        let files = self.files(&environment)?;
        if files.is_empty() {
            return match (Config::incluster(), &self.context) {
                (Ok(config), None) => Ok((config, None)),
                (_, Some(context)) => Err(Error::UnknownContext {
                    context: context.clone(),
                    known: Vec::new(),
                    files,
                }),
                (Err(_), None) => Err(Error::NoCluster { files }),
            };
        }
        let mut merged = Kubeconfig::default();
        for file in &files {
            let read = Kubeconfig::read_from(file).map_err(|error| unusable(Some(file), &error))?;
            merged = merged
                .merge(read)
                .map_err(|error| unusable(Some(file), &error))?;
        }
        let known: Vec<String> = merged.contexts.iter().map(|c| c.name.clone()).collect();
        let context = self
            .context
            .clone()
            .or_else(|| merged.current_context.clone());
        let Some(context) = context.filter(|context| !context.is_empty()) else {
            return Err(Error::NoCluster { files });
        };
        if !known.contains(&context) {
            return Err(Error::UnknownContext {
                context,
                known,
                files,
            });
        }
        let options = KubeConfigOptions {
            context: Some(context.clone()),
            cluster: None,
            user: None,
        };
        let only = match files.as_slice() {
            [file] => Some(file.as_path()),
            _ => None,
        };
        let own_proxy = own_proxy(&merged, &context);
        let mut config = Config::from_custom_kubeconfig(merged, &options)
            .await
            .map_err(|error| unusable(only, &error))?;
        // kube compares the address of the proxy with `NO_PROXY`, not that of the server.
        let proxy = own_proxy.or_else(|| environment.proxy_to(&config.cluster_url));
        config.proxy_url = match proxy.map(|proxy| proxy.parse()) {
            Some(Ok(proxy)) => Some(proxy),
            Some(Err(cause)) => return Err(unusable(only, &KubeconfigError::ParseProxyUrl(cause))),
            None => None,
        };
        Ok((config, Some(context.into())))
    }

    /// Returns the file that was asked for, if it is one.
    fn only_file(&self) -> Option<PathBuf> {
        match self.kubeconfig.as_slice() {
            [file] => Some(file.clone()),
            _ => None,
        }
    }

    fn files(&self, environment: &Environment) -> Result<Vec<PathBuf>, Error> {
        if !self.kubeconfig.is_empty() {
            return Ok(self.kubeconfig.clone());
        }
        let found = environment.kubeconfigs();
        found.map_err(|NoneExists(file)| Error::Kubeconfig {
            file: Some(file),
            reason: "no file that KUBECONFIG names exists".to_owned(),
        })
    }

    fn refused(&self, error: &kube::Error) -> Error {
        match error {
            kube::Error::Auth(AuthError::NoValidNativeRootCA(cause)) => Error::Kubeconfig {
                file: None,
                reason: format!(
                    "the system has no usable root certificates: {}",
                    lower_first(&cause.to_string())
                ),
            },
            kube::Error::ProxyProtocolUnsupported { .. } => Error::Kubeconfig {
                file: None,
                reason: "its proxy must be http, https or socks5".to_owned(),
            },
            kube::Error::InferKubeconfig(error) => unusable(None, error),
            kube::Error::RustlsTls(error) => Error::Kubeconfig {
                file: None,
                // The text names files and faults of keys, never their content.
                reason: format!("its keys or certificates cannot be used: {error}"),
            },
            _ => Error::Kubeconfig {
                file: None,
                reason: "it cannot be used to connect".to_owned(),
            },
        }
    }
}

/// Returns the proxy in the cluster of a context; it takes precedence over the environment.
fn own_proxy(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let context = kubeconfig
        .contexts
        .iter()
        .find(|named| named.name == context);
    let name = &context?.context.as_ref()?.cluster;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == *name);
    let proxy = cluster?.cluster.as_ref()?.proxy_url.as_deref();
    proxy.filter(|proxy| !proxy.is_empty()).map(with_scheme)
}

/// Returns scheme, host and port of an address, which may also hold a password.
fn address(url: &hyper::Uri) -> Text {
    let port = url
        .port_u16()
        .map_or_else(String::new, |port| format!(":{port}"));
    let scheme = url.scheme_str().unwrap_or("https");
    Text::from(format!(
        "{scheme}://{}{port}",
        url.host().unwrap_or_default()
    ))
}

fn user_agent() -> (HeaderName, HeaderValue) {
    let name = concat!("armada2flux/", env!("CARGO_PKG_VERSION"));
    (USER_AGENT, HeaderValue::from_static(name))
}

/// Returns the error for a kubeconfig, without its content.
fn unusable(file: Option<&Path>, error: &KubeconfigError) -> Error {
    let mut file = file.map(Path::to_owned);
    let reason = match error {
        KubeconfigError::ReadConfig(cause, path) => {
            file = Some(path.clone());
            lower_first(&cause.to_string())
        }
        // The text of this error quotes lines of the file.
        KubeconfigError::Parse(error) => match error.location() {
            Some(at) => format!(
                "it is not a valid kubeconfig (line {}, column {})",
                at.line(),
                at.column()
            ),
            None => "it is not a valid kubeconfig".to_owned(),
        },
        KubeconfigError::LoadContext(name) => format!("its context `{name}` is empty"),
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("it has no cluster `{name}`, which the context names")
        }
        KubeconfigError::MissingClusterUrl => "the cluster has no address (`server`)".to_owned(),
        KubeconfigError::ParseClusterUrl(_) => {
            "the cluster's address (`server`) is not a valid URL".to_owned()
        }
        KubeconfigError::ParseProxyUrl(_) => {
            "the proxy's address (`proxy-url` or HTTPS_PROXY) is not a valid URL".to_owned()
        }
        KubeconfigError::LoadCertificateAuthority(error) => {
            format!("`certificate-authority` cannot be read: {error}")
        }
        KubeconfigError::LoadClientCertificate(error) => {
            format!("`client-certificate` cannot be read: {error}")
        }
        KubeconfigError::LoadClientKey(error) => format!("`client-key` cannot be read: {error}"),
        KubeconfigError::ParseCertificates(_) => "a certificate in it is not valid PEM".to_owned(),
        KubeconfigError::ParseNoProxy(_) => "NO_PROXY cannot be read".to_owned(),
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "its kind or apiVersion is not that of the other kubeconfigs".to_owned()
        }
        KubeconfigError::CurrentContextNotSet => "no context is set".to_owned(),
        KubeconfigError::FindPath => "there is no home folder".to_owned(),
    };
    Error::Kubeconfig { file, reason }
}
