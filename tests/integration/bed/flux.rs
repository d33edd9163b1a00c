//! Runs Flux's controllers as processes.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use super::build::Programs;
use super::keys::{Keys, User};
use super::process::{Launch, Process};
use super::program::Program;
use super::supervisor::Supervisor;
use super::{Outcome, port};

/// The controllers that make up Flux in the bed.
pub(crate) const CONTROLLERS: [Program; 3] = [
    Program::SourceController,
    Program::HelmController,
    Program::KustomizeController,
];

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Returns Deployments with the names of the controllers, since clients look for them; kwok simulates their pods.
pub(crate) fn deployments() -> Vec<serde_json::Value> {
    let deployment = |program: Program| {
        let name = program.name();
        let app = serde_json::json!({"app": name});
        serde_json::json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": name, "namespace": "flux-system",
                "labels": {"app.kubernetes.io/part-of": "flux"},
            },
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": app},
                "template": {
                    "metadata": {"labels": app},
                    "spec": {"containers": [{
                        "name": "manager",
                        "image": format!("example.org/fluxcd/{name}:played"),
                    }]},
                },
            },
        })
    };
    CONTROLLERS.into_iter().map(deployment).collect()
}

/// Starts the three controllers; the API server must have their kinds already.
pub(crate) fn start(
    supervisor: &Supervisor,
    programs: &Programs,
    keys: &Keys,
    url: &str,
    folder: &Path,
) -> Outcome<Vec<Process>> {
    let storage = folder.join("sources");
    std::fs::create_dir_all(&storage)?;
    let storage_address = format!("127.0.0.1:{}", port::free()?);
    CONTROLLERS
        .into_iter()
        .map(|program| {
            let (user, own) = match program {
                Program::SourceController => (
                    User::SourceController,
                    vec![
                        format!("--storage-path={}", storage.display()),
                        format!("--storage-addr={storage_address}"),
                        format!("--storage-adv-addr={storage_address}"),
                        // How soon a missing include is looked for again.
                        "--requeue-dependency=1s".to_owned(),
                    ],
                ),
                Program::HelmController => (
                    User::HelmController,
                    vec![
                        "--requeue-dependency=1s".to_owned(),
                        // Tests that let Helm wait would hold up all others.
                        "--concurrent=20".to_owned(),
                    ],
                ),
                _ => (
                    User::KustomizeController,
                    vec!["--requeue-dependency=1s".to_owned()],
                ),
            };
            let health = format!("127.0.0.1:{}", port::free()?);
            let mut arguments = vec![
                "--events-addr=".to_owned(),
                format!("--metrics-addr=127.0.0.1:{}", port::free()?),
                format!("--health-addr={health}"),
                "--log-level=debug".to_owned(),
            ];
            arguments.extend(own);
            let kubeconfig = keys.kubeconfig(user, url, program.name())?;
            let temporary = folder.join(format!("{}-tmp", program.name()));
            std::fs::create_dir_all(&temporary)?;
            let launch = Launch::new(program.name(), programs.path(program), folder, arguments)
                .with("KUBECONFIG", kubeconfig)
                .with("RUNTIME_NAMESPACE", "flux-system")
                .with("TMPDIR", temporary);
            let mut process = Process::start(supervisor, launch)?;
            process.wait_until(STARTS_WITHIN, || TcpStream::connect(&health).is_ok())?;
            Ok(process)
        })
        .collect()
}
