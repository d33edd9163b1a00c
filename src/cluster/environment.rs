//! Reads what the environment says about clusters: kubeconfigs and proxies.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// The port of a server whose address names none.
const HTTPS_PORT: u16 = 443;

/// The environment variables, as they are set.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `KUBECONFIG`
    pub(super) kubeconfig: Option<OsString>,
    /// The home folder.
    pub(super) home: Option<PathBuf>,
    /// `HTTPS_PROXY`; may hold a password.
    pub(super) proxy: Option<String>,
    /// `NO_PROXY`
    pub(super) no_proxy: Option<String>,
}

/// None of the files in `KUBECONFIG` exists; holds the first of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoneExists(pub(super) PathBuf);

impl Environment {
    pub(super) fn read() -> Self {
        let first = |names: [&str; 2]| {
            let mut values = names
                .into_iter()
                .filter_map(|name| std::env::var(name).ok());
            values.find(|value| !value.is_empty())
        };
        Self {
            kubeconfig: std::env::var_os("KUBECONFIG"),
            home: std::env::home_dir(),
            proxy: first(["HTTPS_PROXY", "https_proxy"]),
            no_proxy: first(["NO_PROXY", "no_proxy"]),
        }
    }

    /// Returns the kubeconfigs to read, by kubectl's rules: those of `KUBECONFIG` that exist, or else the one
    /// in the home folder, if it exists.
    pub(super) fn kubeconfigs(&self) -> Result<Vec<PathBuf>, NoneExists> {
        let listed: Vec<PathBuf> = self
            .kubeconfig
            .iter()
            .flat_map(|paths| std::env::split_paths(paths).collect::<Vec<_>>())
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        let Some(first) = listed.first().cloned() else {
            let home = self
                .home
                .as_ref()
                .map(|home| home.join(".kube").join("config"));
            return Ok(home.filter(|file| file.exists()).into_iter().collect());
        };
        let there: Vec<PathBuf> = listed.into_iter().filter(|file| file.exists()).collect();
        if there.is_empty() {
            return Err(NoneExists(first));
        }
        Ok(there)
    }

    /// Returns the proxy for a server whose kubeconfig names none, by Go's rules, which kubectl follows: no
    /// proxy for loopback addresses and for what `NO_PROXY` lists.
    pub(super) fn proxy_to(&self, server: &Uri) -> Option<String> {
        let proxy = self.proxy.as_deref()?;
        let host = server.host()?.trim_matches(['[', ']']);
        let loopback = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if loopback || server.scheme_str() != Some("https") {
            return None;
        }
        let port = server.port_u16().unwrap_or(HTTPS_PORT);
        let excepted = self.no_proxy.as_deref().unwrap_or_default().split(',');
        let excepted: Vec<&str> = excepted
            .filter_map(|part| host_of(part.trim(), port))
            .collect();
        if excepted.contains(&"*") {
            return None;
        }
        // Only whether there is a proxy counts, not which one.
        let matcher = Matcher::builder()
            .all("http://proxy")
            .no(excepted.join(","))
            .build();
        matcher.intercept(server).map(|_| with_scheme(proxy))
    }
}

/// Converts an entry of `NO_PROXY` to what it excludes at this port. Go knows two forms that the matcher does
/// not: `host:port` and `*.domain`.
fn host_of(entry: &str, port: u16) -> Option<&str> {
    let host = match entry.split_once(':') {
        // More than one colon: an IPv6 address.
        Some((_, rest)) if rest.contains(':') => entry,
        Some((host, wanted)) if wanted.parse() == Ok(port) => host,
        Some(_) => return None,
        None => entry,
    };
    Some(
        host.strip_prefix('*')
            .filter(|rest| !rest.is_empty())
            .unwrap_or(host),
    )
}

/// Adds `http://` to a proxy without scheme, as Go does.
pub(super) fn with_scheme(proxy: &str) -> String {
    if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(server: &str, no_proxy: &str) -> Option<String> {
        let environment = Environment {
            proxy: Some("proxy.example:3128".to_owned()),
            no_proxy: Some(no_proxy.to_owned()),
            ..Environment::default()
        };
        environment.proxy_to(&server.parse().expect("URL"))
    }

    #[test]
    fn proxies_stand_before_the_servers_that_are_not_excepted() {
        let proxy = Some("http://proxy.example:3128".to_owned());
        assert_eq!(to("https://api.site.example:6443", ""), proxy);
        assert_eq!(
            to("https://api.site.example:6443", "other.example,.svc"),
            proxy
        );
        assert_eq!(to("https://api.site.example:6443", ".site.example"), None);
        assert_eq!(
            to("https://api.site.example:6443", "api.site.example"),
            None
        );
        assert_eq!(to("https://10.1.2.3:6443", "10.0.0.0/8"), None);
        assert_eq!(to("https://10.1.2.3:6443", "*"), None);
        assert_eq!(to("https://api.site.example:6443", "*.site.example"), None);
        assert_eq!(
            to("https://api.site.example:6443", "x, api.site.example:6443"),
            None
        );
        assert_eq!(
            to("https://api.site.example:6443", "api.site.example:443"),
            proxy
        );
        assert_eq!(to("https://[fd00::1]:6443", "fd00::1"), None);
        assert_eq!(to("https://127.0.0.1:6443", ""), None);
        assert_eq!(to("https://[::1]:6443", ""), None);
        assert_eq!(to("http://api.site.example:8080", ""), None);
    }

    #[test]
    fn kubeconfigs_are_chosen_as_kubectl_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::create_dir(file(".kube")).expect("a folder");
        let chosen = |listed: &[&str]| {
            let paths = std::env::join_paths(listed.iter().map(|name| {
                if name.is_empty() {
                    PathBuf::new()
                } else {
                    file(name)
                }
            }));
            Environment {
                kubeconfig: Some(paths.expect("paths")),
                home: Some(folder.path().to_owned()),
                ..Environment::default()
            }
            .kubeconfigs()
        };
        assert_eq!(chosen(&[]), Ok(Vec::new()));
        for name in ["a", "b", ".kube/config"] {
            std::fs::write(file(name), "").expect("a file");
        }
        assert_eq!(
            chosen(&["", "b", "absent", "a"]),
            Ok(vec![file("b"), file("a")])
        );
        assert_eq!(chosen(&["absent", "gone"]), Err(NoneExists(file("absent"))));
        assert_eq!(chosen(&[""]), Ok(vec![file(".kube/config")]));
    }
}
