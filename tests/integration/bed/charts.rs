//! A static chart repository over HTTP.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use hyper::StatusCode;
use tokio::runtime::Handle;

use super::{Outcome, http};

/// Returns the folder of a chart of `tests/testbed/charts`.
pub(crate) fn test_chart(name: &str) -> PathBuf {
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/charts");
    charts.join(name)
}

/// Charts under one URL.
#[derive(Debug)]
pub(crate) struct ChartRepository {
    /// The URL for a HelmRepository.
    pub(crate) url: String,
    folder: PathBuf,
    helm: PathBuf,
    published: Mutex<BTreeSet<PathBuf>>,
}

impl ChartRepository {
    /// Serves an empty repository from `folder`.
    pub(crate) fn start(runtime: &Handle, helm: PathBuf, folder: &Path) -> Outcome<Self> {
        let files = folder.join("charts");
        fs::create_dir_all(&files)?;
        let served = files.clone();
        let address = http::serve(runtime, None, move |request| {
            // The folder in the path is ignored, so each test can have an address of its own.
            let path = request.uri().path();
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let path = served.join(&name);
            async move {
                let found = if name.contains("..") {
                    None
                } else {
                    std::fs::read(path).ok()
                };
                Some(found.map_or_else(
                    || http::plain(StatusCode::NOT_FOUND, "no such file"),
                    |bytes| http::plain(StatusCode::OK, bytes),
                ))
            }
        })?;
        let repository = Self {
            url: format!("http://{address}"),
            folder: files,
            helm,
            published: Mutex::default(),
        };
        repository.index()?;
        Ok(repository)
    }

    /// Packages the chart in `chart` and adds it to the index. A folder is published once, so that a chart does not change
    /// while another test fetches it.
    pub(crate) fn publish(&self, chart: &Path) -> Outcome {
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if published.contains(chart) {
            return Ok(());
        }
        self.run(&[
            "package".to_owned(),
            chart.display().to_string(),
            format!("--destination={}", self.folder.display()),
        ])?;
        self.index()?;
        published.insert(chart.to_owned());
        Ok(())
    }

    fn index(&self) -> Outcome {
        self.run(&[
            "repo".to_owned(),
            "index".to_owned(),
            self.folder.display().to_string(),
        ])
    }

    fn run(&self, arguments: &[String]) -> Outcome {
        let home = self.folder.with_file_name("helm-home");
        let output = Command::new(&self.helm)
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "helm {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )
        .into())
    }
}
