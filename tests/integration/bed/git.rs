//! A Git server over smart HTTP: `git http-backend` behind the bed's web server.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Handle;

use super::armada::copy_charts;
use super::charts::test_chart;
use super::{Outcome, http};

/// Bare repositories under one URL.
#[derive(Debug)]
pub(crate) struct GitServer {
    url: String,
    folder: PathBuf,
}

impl GitServer {
    /// Serves the repositories below `folder`.
    pub(crate) fn start(runtime: &Handle, folder: &Path) -> Outcome<Self> {
        let root = folder.join("git");
        fs::create_dir_all(&root)?;
        let served = root.clone();
        let address = http::serve(runtime, None, move |request| {
            let root = served.clone();
            async move {
                Some(backend(&root, request).await.unwrap_or_else(|error| {
                    http::plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
                }))
            }
        })?;
        Ok(Self {
            url: format!("http://{address}"),
            folder: root,
        })
    }

    /// Returns the URL of a repository.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("{}/{repository}.git", self.url)
    }

    /// Commits the files of `tree` as the whole content of branch `master`, and returns the commit.
    /// Creates the repository if needed.
    pub(crate) fn commit(&self, repository: &str, tree: &Path, message: &str) -> Outcome<String> {
        let bare = self.folder.join(format!("{repository}.git"));
        let git_dir = format!("--git-dir={}", bare.display());
        if !bare.is_dir() {
            git([
                OsStr::new("init"),
                OsStr::new("--quiet"),
                OsStr::new("--bare"),
                OsStr::new("--initial-branch=master"),
                bare.as_os_str(),
            ])?;
        }
        let work_tree = format!("--work-tree={}", tree.display());
        git([&git_dir, &work_tree, "add", "--all", "."])?;
        git([
            &git_dir,
            &work_tree,
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            message,
        ])?;
        self.head(repository)
    }

    /// Commits a chart of `tests/testbed/charts` to a repository in which it is the only one; returns the commit.
    pub(crate) fn commit_chart(&self, repository: &str, chart: &str) -> Outcome<String> {
        let tree = self.folder.with_file_name(format!("tree-{repository}"));
        copy_charts(&test_chart(chart), &tree.join(chart))?;
        self.commit(repository, &tree, "Add the chart")
    }

    /// Creates a second repository with the same commits.
    pub(crate) fn mirror(&self, repository: &str, mirror: &str) -> Outcome {
        let folder = |name: &str| self.folder.join(format!("{name}.git")).into_os_string();
        git([
            OsStr::new("clone"),
            OsStr::new("--quiet"),
            OsStr::new("--mirror"),
            &folder(repository),
            &folder(mirror),
        ])
        .map(drop)
    }

    /// Returns the last commit of a repository.
    pub(crate) fn head(&self, repository: &str) -> Outcome<String> {
        let bare = self.folder.join(format!("{repository}.git"));
        git([
            &format!("--git-dir={}", bare.display()),
            "rev-parse",
            "HEAD",
        ])
    }
}

fn git<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Outcome<String> {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=bed",
            "-c",
            "user.email=bed@example.org",
            "-c",
            "core.bare=false",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(format!("git: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Answers one request with the CGI program.
async fn backend(root: &Path, request: Request<Incoming>) -> Outcome<Response<http::Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let mut child = tokio::process::Command::new("git")
        .args(["-c", "safe.directory=*", "http-backend"])
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header(CONTENT_TYPE.as_str()))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header(CONTENT_ENCODING.as_str()))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&body).await?;
    }
    let output = child.wait_with_output().await?.stdout;
    response(&output)
}

/// Parses a CGI response: header lines, an empty line, the body.
fn response(output: &[u8]) -> Outcome<Response<http::Body>> {
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or("git http-backend: no header")?;
    let mut response = Response::new(http::full(output[end + 4..].to_vec()));
    for line in std::str::from_utf8(&output[..end])?.lines() {
        let (name, value) = line.split_once(':').ok_or("git http-backend: bad header")?;
        if name.eq_ignore_ascii_case("status") {
            let code = value.split_whitespace().next().unwrap_or_default();
            *response.status_mut() = StatusCode::from_bytes(code.as_bytes())?;
        } else {
            response.headers_mut().append(
                HeaderName::from_bytes(name.as_bytes())?,
                HeaderValue::from_str(value.trim())?,
            );
        }
    }
    Ok(response)
}
