//! kwok and its simulated nodes.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::build::Programs;
use super::keys::{Keys, User};
use super::process::{Launch, Process};
use super::program::Program;
use super::supervisor::Supervisor;
use super::{Outcome, port, stages};

/// Three replicas that may not share a node must fit.
const NODES: usize = 3;

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Labels by which OpenStack-Helm and StarlingX charts select nodes.
const LABELS: [(&str, &str); 10] = [
    ("kubernetes.io/os", "linux"),
    ("kubernetes.io/arch", "amd64"),
    ("node-role.kubernetes.io/control-plane", ""),
    ("openstack-control-plane", "enabled"),
    ("openstack-compute-node", "enabled"),
    ("openvswitch", "enabled"),
    ("linuxbridge", "enabled"),
    ("ceph-mon", "enabled"),
    ("ceph-osd", "enabled"),
    ("ucp-control-plane", "enabled"),
];

/// Returns the nodes to create.
pub(crate) fn nodes() -> impl Iterator<Item = Value> {
    (1..=NODES).map(|number| {
        let name = format!("node-{number}");
        let mut labels: serde_json::Map<_, _> = LABELS
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        labels.insert("kubernetes.io/hostname".to_owned(), json!(name));
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
    })
}

/// Starts kwok with its own stage for nodes and our stages for pods.
pub(crate) fn start(
    supervisor: &Supervisor,
    programs: &Programs,
    keys: &Keys,
    url: &str,
    folder: &Path,
) -> Outcome<Process> {
    let mut config =
        fs::read_to_string(programs.share(Program::Kwok).join("node-initialize.yaml"))?;
    for stage in stages::pods() {
        config.push_str("\n---\n");
        config.push_str(&stage.to_string());
    }
    let config_path = folder.join("kwok.yaml");
    fs::write(&config_path, config)?;
    let address = format!("127.0.0.1:{}", port::free()?);
    let arguments = vec![
        format!(
            "--kubeconfig={}",
            keys.kubeconfig(User::Kwok, url, "kwok")?.display()
        ),
        format!("--config={}", config_path.display()),
        "--manage-all-nodes=true".to_owned(),
        format!("--server-address={address}"),
    ];
    let launch = Launch::new("kwok", programs.path(Program::Kwok), folder, arguments);
    let mut process = Process::start(supervisor, launch)?;
    process.wait_until(STARTS_WITHIN, || TcpStream::connect(&address).is_ok())?;
    Ok(process)
}
