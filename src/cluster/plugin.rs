//! Runs credential plugins (`exec` of a kubeconfig).

use std::io::Read as _;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;

use super::error::lower_first;

/// The longest output that is read, in bytes.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// What a plugin issued.
#[derive(Default)]
pub(super) struct Issued {
    pub(super) token: Option<String>,
    pub(super) expires: Option<Timestamp>,
    /// A certificate and its key, in PEM.
    pub(super) certificate: Option<(String, String)>,
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs a plugin to its end; blocks. The error is the reason, without the output, which may hold the token.
pub(super) fn run(plugin: &ExecConfig) -> Result<Issued, String> {
    let mut child = command(plugin)?.spawn().map_err(|error| {
        format!(
            "the credential plugin cannot be started: {}",
            lower_first(&error.to_string())
        )
    })?;
    let mut output = Vec::new();
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(OUTPUT_LIMIT + 1).read_to_end(&mut output),
        None => Ok(0),
    };
    let too_long = u64::try_from(output.len()).is_ok_and(|length| length > OUTPUT_LIMIT);
    if too_long || read.is_err() {
        // It may have ended already.
        drop(child.kill());
    }
    let ended = child.wait();
    if too_long {
        return Err(format!(
            "the credential plugin printed more than {OUTPUT_LIMIT} bytes"
        ));
    }
    match (read, ended) {
        (Ok(_), Ok(status)) if status.success() => issued(&output),
        (Ok(_), Ok(status)) => Err(format!("the credential plugin failed ({status})")),
        (Err(error), _) | (_, Err(error)) => Err(format!(
            "the output of the credential plugin cannot be read: {}",
            lower_first(&error.to_string())
        )),
    }
}

fn command(plugin: &ExecConfig) -> Result<Command, String> {
    let program = plugin.command.as_deref();
    let program = program.ok_or_else(|| "the credential plugin has no command".to_owned())?;
    let mut command = Command::new(program);
    command.args(plugin.args.iter().flatten());
    for variable in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    let interactive = plugin.interactive_mode != Some(ExecInteractiveMode::Never);
    let mut spec = json!({"interactive": interactive});
    if plugin.provide_cluster_info {
        spec["cluster"] = serde_json::to_value(&plugin.cluster)
            .map_err(|_| "the cluster cannot be described to the credential plugin".to_owned())?;
    }
    let info = json!({"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec});
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    command.stdout(Stdio::piped());
    if !interactive {
        command.stdin(Stdio::null()).stderr(Stdio::null());
    }
    Ok(command)
}

fn issued(output: &[u8]) -> Result<Issued, String> {
    let none = || "the credential plugin printed no credentials".to_owned();
    // client-go reads YAML, too.
    let read: ExecCredential = serde_saphyr::from_slice(output).map_err(|_| none())?;
    let Status {
        expiration_timestamp,
        token,
        client_certificate_data,
        client_key_data,
    } = read.status.ok_or_else(none)?;
    let expires = expiration_timestamp.map(|time| time.parse()).transpose();
    let issued = Issued {
        token: token.filter(|token| !token.is_empty()),
        expires: expires.map_err(|_| "the expiry of the token is not a valid date".to_owned())?,
        certificate: client_certificate_data.zip(client_key_data),
    };
    if issued.token.is_none() && issued.certificate.is_none() {
        return Err(none());
    }
    Ok(issued)
}
