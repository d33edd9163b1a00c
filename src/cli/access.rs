//! Access to a cluster: its arguments, the connection, and the runtime for requests.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::task::LocalSet;

use crate::cluster::{self, Access, Cluster};
use crate::survey::Ask;

use super::{Failure, show};

/// Which cluster, and as whom.
#[derive(Debug, Args)]
pub(super) struct AccessArguments {
    /// Kubeconfig file; may be given several times [default: KUBECONFIG, ~/.kube/config, the Pod's service account]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Vec<PathBuf>,
    /// Context of the kubeconfig [default: its current context]
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
    /// User to impersonate
    #[arg(long = "as", value_name = "USER", help_heading = "Cluster")]
    user: Option<String>,
    /// Group to impersonate; may be given several times
    #[arg(
        long = "as-group",
        value_name = "GROUP",
        requires = "user",
        help_heading = "Cluster"
    )]
    groups: Vec<String>,
    /// Longest time to wait for an answer of the API server
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600), help_heading = "Cluster")]
    request_timeout: Option<u64>,
}

impl AccessArguments {
    /// Connects; retries are printed to stderr.
    pub(super) async fn connect(&self) -> Result<Cluster, Failure> {
        self.connect_telling(|text| show::say(&text)).await
    }

    /// Connects; retries are passed to `tell`, a line each.
    pub(super) async fn connect_telling(
        &self,
        tell: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Cluster, Failure> {
        let cluster = Cluster::connect(&self.access()).await.map_err(failure)?;
        Ok(cluster.on_wait(move |waiting| {
            let why = match waiting.status {
                Some(status) => format!("the API server is busy ({status})"),
                None => "the connection broke".to_owned(),
            };
            tell(format!(
                "{why}: attempt {} failed, retrying",
                waiting.attempt
            ));
        }))
    }

    fn access(&self) -> Access {
        let Self {
            kubeconfig,
            context,
            user,
            groups,
            request_timeout,
        } = self;
        Access {
            kubeconfig: kubeconfig.clone(),
            context: context.clone(),
            user: user.clone(),
            groups: groups.clone(),
            // Where one of them is a file or a pipe, the plugin would write into a log what no door has seen.
            interactive: std::io::stdin().is_terminal() && show::is_terminal(),
            timeout: request_timeout.map(Duration::from_secs),
            ..Access::default()
        }
    }
}

/// How much is asked.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct AskArguments {
    /// Ask the API server about each object, also where the fields that an earlier apply set, and their values, show that
    /// applying changes nothing
    #[arg(long, help_heading = "Cluster")]
    ask_all: bool,
}

impl AskArguments {
    pub(super) fn ask(self) -> Ask {
        match self.ask_all {
            true => Ask::All,
            false => Ask::Unproven,
        }
    }
}

/// Runs a future with its requests to a cluster, on this thread.
pub(super) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::new(format!("cannot start the asynchronous runtime: {cause}")))?;
    // Its local tasks stay on this thread, too.
    LocalSet::new().block_on(&runtime, work)
}

/// Converts an error of the cluster client to a failure with its hint.
pub(super) fn failure(error: cluster::Error) -> Failure {
    let failure = Failure::new(error.to_string());
    let missing = error.missing().iter();
    let failure = missing.fold(failure, |failure, requirement| {
        failure.detail(requirement.to_string(), None)
    });
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
