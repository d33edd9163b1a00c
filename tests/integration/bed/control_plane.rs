//! etcd, API server, controller manager and scheduler of one bed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::build::Programs;
use super::keys::{Keys, User};
use super::process::{Launch, Paused, Process};
use super::program::Program;
use super::supervisor::Supervisor;
use super::{Outcome, port};

/// Time limit on two busy cores.
const STARTS_WITHIN: Duration = Duration::from_secs(90);

/// Kinds that steps wait for, by API group. The audit log has their objects after every write.
const AWAITED: [(&str, &[&str]); 5] = [
    ("helm.toolkit.fluxcd.io", &["helmreleases"]),
    (
        "source.toolkit.fluxcd.io",
        &["gitrepositories", "helmrepositories", "ocirepositories"],
    ),
    ("batch", &["jobs"]),
    ("apps", &["deployments", "statefulsets", "daemonsets"]),
    ("", &["pods"]),
];

/// Returns the audit policy: all writes, but reads only of the tester and of accounts that tests create. Reads of
/// controllers would hide the rest.
fn audit_policy() -> serde_json::Value {
    let machinery: Vec<_> = User::machinery()
        .chain(["system:apiserver", "system:anonymous"])
        .collect();
    let awaited: Vec<_> = AWAITED
        .iter()
        .map(|(group, kinds)| {
            let statuses = kinds.iter().map(|kind| format!("{kind}/status"));
            let kinds: Vec<_> = kinds
                .iter()
                .map(|kind| (*kind).to_owned())
                .chain(statuses)
                .collect();
            serde_json::json!({"group": group, "resources": kinds})
        })
        .collect();
    serde_json::json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            {"level": "None", "resources": [
                {"group": "coordination.k8s.io", "resources": ["leases"]},
                {"group": "", "resources": ["events"]},
                {"group": "events.k8s.io", "resources": ["events"]},
            ]},
            {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/openapi/*", "/version"]},
            {"level": "None", "users": machinery, "verbs": ["get", "list", "watch"]},
            {
                "level": "RequestResponse", "omitManagedFields": true, "resources": awaited,
                "verbs": ["create", "update", "patch", "delete"],
            },
            {"level": "Metadata"},
        ],
    })
}

/// The four processes, in the order in which they were started.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    pub(crate) url: String,
    pub(crate) etcd_url: String,
    pub(crate) audit_log: PathBuf,
    pub(crate) api_server: Process,
    others: Vec<Process>,
}

impl ControlPlane {
    /// Starts etcd and the API server, waits until it is ready, then starts the rest.
    pub(crate) fn start(
        supervisor: &Supervisor,
        programs: &Programs,
        keys: &Keys,
        folder: &Path,
    ) -> Outcome<Self> {
        let client_url = format!("http://127.0.0.1:{}", port::free()?);
        let etcd = Process::start(supervisor, etcd(programs, &client_url, folder)?)?;

        let port = port::free()?;
        let url = format!("https://127.0.0.1:{port}");
        let audit_log = folder.join("audit.jsonl");
        let launch = api_server(programs, keys, folder, &client_url, port, &audit_log)?;
        let mut api_server = Process::start(supervisor, launch)?;
        let tester = keys.kubeconfig(User::Tester, &url, "tester")?;
        let kubectl = programs.path(Program::Kubectl);
        api_server.wait_until(STARTS_WITHIN, || is_ready(&kubectl, &tester))?;

        let mut others = vec![etcd];
        for launch in [
            controller_manager(programs, keys, folder, &url)?,
            scheduler(programs, keys, folder, &url)?,
        ] {
            others.push(Process::start(supervisor, launch)?);
        }
        Ok(Self {
            url,
            etcd_url: client_url,
            audit_log,
            api_server,
            others,
        })
    }

    /// Kills the API server.
    pub(crate) fn kill_api_server(&mut self) {
        self.api_server.kill();
    }

    /// Restarts the API server on the same port and waits until it is ready.
    pub(crate) fn restart_api_server(
        &mut self,
        supervisor: &Supervisor,
        kubectl: &Path,
        tester: &Path,
    ) -> Outcome {
        self.api_server.kill();
        self.api_server = Process::start(supervisor, self.api_server.launch().clone())?;
        self.api_server
            .wait_until(STARTS_WITHIN, || is_ready(kubectl, tester))
    }

    /// Pauses one of the processes; `None` if the program is none of them.
    pub(crate) fn pause(&self, program: Program) -> Outcome<Option<Paused>> {
        let mut all = self.others.iter().chain([&self.api_server]);
        let process = all.find(|process| process.launch().name == program.name());
        process.map(Process::pause).transpose()
    }

    /// Returns a message for the first process that is no longer running.
    pub(crate) fn exited_processes(&mut self) -> Option<String> {
        self.others
            .iter_mut()
            .chain([&mut self.api_server])
            .find_map(Process::exit_message)
    }
}

fn is_ready(kubectl: &Path, kubeconfig: &Path) -> bool {
    std::process::Command::new(kubectl)
        .args([
            "--request-timeout=5s",
            "get",
            "--raw",
            "/readyz",
            "--kubeconfig",
        ])
        .arg(kubeconfig)
        .stdin(std::process::Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Returns the launch of etcd on loopback, without fsync: its data lives only as long as the bed.
pub(crate) fn etcd(programs: &Programs, client_url: &str, folder: &Path) -> Outcome<Launch> {
    let peer_url = format!("http://127.0.0.1:{}", port::free()?);
    let arguments = vec![
        "--name=bed".to_owned(),
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={client_url}"),
        format!("--advertise-client-urls={client_url}"),
        format!("--listen-peer-urls={peer_url}"),
        format!("--initial-advertise-peer-urls={peer_url}"),
        format!("--initial-cluster=bed={peer_url}"),
        "--unsafe-no-fsync".to_owned(),
    ];
    Ok(Launch::new(
        "etcd",
        programs.path(Program::Etcd),
        folder,
        arguments,
    ))
}

fn api_server(
    programs: &Programs,
    keys: &Keys,
    folder: &Path,
    etcd: &str,
    port: u16,
    audit_log: &Path,
) -> Outcome<Launch> {
    let policy = folder.join("audit-policy.json");
    fs::write(&policy, audit_policy().to_string())?;
    let arguments = vec![
        format!("--etcd-servers={etcd}"),
        format!("--cert-dir={}", folder.join("certificates").display()),
        format!("--tls-cert-file={}", keys.file("serving.pem")),
        format!("--tls-private-key-file={}", keys.file("serving.key")),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        // The endpoints of the `kubernetes` Service may not have a loopback address.
        "--endpoint-reconciler-type=none".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", keys.file("accounts.pub")),
        format!(
            "--service-account-signing-key-file={}",
            keys.file("accounts.key")
        ),
        format!("--token-auth-file={}", keys.file("tokens.csv")),
        format!("--audit-policy-file={}", policy.display()),
        format!("--audit-log-path={}", audit_log.display()),
        // In megabytes: after a rotation, writes would be missing from the log.
        "--audit-log-maxsize=4096".to_owned(),
    ];
    Ok(Launch::new(
        "kube-apiserver",
        programs.path(Program::KubeApiserver),
        folder,
        arguments,
    ))
}

fn controller_manager(
    programs: &Programs,
    keys: &Keys,
    folder: &Path,
    url: &str,
) -> Outcome<Launch> {
    let kubeconfig = keys.kubeconfig(User::ControllerManager, url, "controller-manager")?;
    let mut arguments = component_arguments(&kubeconfig, folder)?;
    arguments.extend([
        format!(
            "--service-account-private-key-file={}",
            keys.file("accounts.key")
        ),
        // Simulated nodes send no heartbeats: with the default of less than a minute all pods would become
        // not ready.
        "--node-monitor-grace-period=24h".to_owned(),
    ]);
    Ok(Launch::new(
        "kube-controller-manager",
        programs.path(Program::KubeControllerManager),
        folder,
        arguments,
    ))
}

/// Returns the arguments that the controller manager and the scheduler share.
fn component_arguments(kubeconfig: &Path, folder: &Path) -> Outcome<Vec<String>> {
    let kubeconfig = kubeconfig.display();
    Ok(vec![
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        format!("--secure-port={}", port::free()?),
        "--bind-address=127.0.0.1".to_owned(),
        "--leader-elect=false".to_owned(),
        format!("--cert-dir={}", folder.join("certificates").display()),
    ])
}

fn scheduler(programs: &Programs, keys: &Keys, folder: &Path, url: &str) -> Outcome<Launch> {
    let kubeconfig = keys.kubeconfig(User::Scheduler, url, "scheduler")?;
    let arguments = component_arguments(&kubeconfig, folder)?;
    Ok(Launch::new(
        "kube-scheduler",
        programs.path(Program::KubeScheduler),
        folder,
        arguments,
    ))
}
