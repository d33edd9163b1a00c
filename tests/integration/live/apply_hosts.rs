//! `apply` on two hosts with one journal: hosts are namespaces of the kernel, with a network, a name and processes of their
//! own. They reach the API server through a socket file, which all of them share.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::thread;

use serde_json::json;

use super::apply_locks::{PAST, copy, written_once};
use super::small_site::{Running, SmallSite, WITHIN, ended};
use super::{Scope, Skipped, Test};
use crate::bed::{Outcome, until};
use crate::support;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply_hosts::two_hosts_have_one_run", hosts),
        Test::shared("apply_hosts::two_containers_have_one_run", containers),
    ]
}

/// Listens on a port of loopback, passes on to a socket file, and ends with its standard input.
const RELAY: &str = r#"
import os, socket, sys, threading

def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end, how in ((source, socket.SHUT_RD), (sink, socket.SHUT_WR)):
        try:
            end.shutdown(how)
        except OSError:
            pass

def accept(listener):
    while True:
        near, _ = listener.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(sys.argv[2])
        for pair in ((near, far), (far, near)):
            threading.Thread(target=pump, args=pair, daemon=True).start()

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=accept, args=(listener,), daemon=True).start()
open(sys.argv[3], "w").close()
sys.stdin.read()
"#;

/// A host: the words of `unshare` that make it, and its name.
#[derive(Clone, Copy, Debug)]
struct Host<'h> {
    name: &'h str,
    namespaces: &'h [&'h str],
}

/// Another machine, as far as one kernel can show it: a name and a network of its own.
const MACHINE: &[&str] = &["--net", "--uts"];
/// A container that shares the name of its host and a folder: processes and a network of its own.
const CONTAINER: &[&str] = &[
    "--net",
    "--uts",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
];

/// A run on a host; the relay ends with it.
struct OnHost {
    running: Running,
    _relay: Option<ChildStdin>,
}

/// What hosts need to reach the API server.
struct Network {
    socket: PathBuf,
    port: u16,
    folder: PathBuf,
}

impl Network {
    fn start(scope: &Scope<'_>) -> Outcome<Self> {
        let kubeconfig = std::fs::read_to_string(&scope.bed.kubeconfig)?;
        let (_, server) = kubeconfig.split_once("https://").ok_or("no server")?;
        let end = server.find(|c: char| c != '.' && c != ':' && !c.is_ascii_digit());
        let address: SocketAddr = server[..end.unwrap_or(server.len())].parse()?;
        let folder = scope.bed.path().join(format!("hosts-{}", scope.namespace));
        std::fs::create_dir_all(&folder)?;
        // Socket files have short names only.
        let socket =
            std::env::temp_dir().join(format!("a2f-{}-{}", std::process::id(), address.port()));
        let socket = socket.with_extension(scope.namespace.len().to_string());
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket)?;
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(address) else {
                    continue;
                };
                pass_on(near, far);
            }
        });
        Ok(Self {
            socket,
            port: address.port(),
            folder,
        })
    }

    /// Starts `apply` on a host.
    fn run(
        &self,
        host: Host<'_>,
        site: &SmallSite<'_>,
        folder: &Path,
        tree: &Path,
        arguments: &[&str],
    ) -> Outcome<OnHost> {
        let ready = self.folder.join(format!(
            "{}-{}",
            host.name,
            crate::bed::build::unique_name()
        ));
        let script = "set -e; echo \"$1\" > /proc/sys/kernel/hostname; ip link set lo up; exec 3<&0; \
                      python3 -c \"$2\" \"$3\" \"$4\" \"$5\" <&3 >/dev/null 2>&1 & \
                      until [ -e \"$5\" ]; do sleep 0.05; done; \
                      shift 5; exec \"$@\" < /dev/null";
        let inner = site.command_in(folder, &site.name, tree, arguments);
        let mut command = Command::new("unshare");
        command
            .current_dir(folder)
            .args(["--user", "--map-root-user"])
            .args(host.namespaces)
            .args([
                "sh",
                "-c",
                script,
                "sh",
                host.name,
                RELAY,
                &self.port.to_string(),
            ])
            .arg(&self.socket)
            .arg(&ready)
            .arg(support::program_path())
            .args(inner.get_args())
            .stdin(Stdio::piped());
        let mut running = Running::start(command)?;
        let relay = running.input();
        Ok(OnHost {
            running,
            _relay: relay,
        })
    }

    /// Fails with [`Skipped`] where such hosts cannot be made.
    fn check(&self, host: Host<'_>) -> Outcome {
        let made = Command::new("unshare")
            .args(["--user", "--map-root-user"])
            .args(host.namespaces)
            .args(["sh", "-c", "echo a > /proc/sys/kernel/hostname && ip link set lo up && python3 -c 'print(\"made\")'"])
            .stdin(Stdio::null())
            .output();
        match made {
            Ok(made) if made.stdout.starts_with(b"made") => Ok(()),
            Ok(_) | Err(_) => Err(Skipped(
                "no right to make namespaces, or no `ip` or `python3`".to_owned(),
            )
            .into()),
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Passes bytes on in both directions until both have ended.
fn pass_on(near: UnixStream, far: TcpStream) {
    let (Ok(back), Ok(from)) = (near.try_clone(), far.try_clone()) else {
        return;
    };
    thread::spawn(move || pump(&near, &far, || far.shutdown(Shutdown::Write)));
    thread::spawn(move || pump(&from, &back, || back.shutdown(Shutdown::Write)));
}

fn pump<'s, R, W>(source: &'s R, sink: &'s W, end: impl FnOnce() -> io::Result<()>)
where
    &'s R: Read,
    &'s W: Write,
{
    let (mut source, mut sink) = (source, sink);
    // Either end may go at any time.
    let _ = io::copy(&mut source, &mut sink);
    let _ = end();
}

fn hosts(scope: &Scope<'_>) -> Outcome {
    let one = Host {
        name: "bastion-one",
        namespaces: MACHINE,
    };
    let two = Host {
        name: "bastion-two",
        namespaces: MACHINE,
    };
    one_run(scope, one, two)
}

fn containers(scope: &Scope<'_>) -> Outcome {
    // Two pods with one name for their host, and one volume.
    let host = Host {
        name: "bastion",
        namespaces: CONTAINER,
    };
    one_run(scope, host, host)
}

/// A run on one host, its journal copied to another one.
fn one_run(scope: &Scope<'_>, one: Host<'_>, two: Host<'_>) -> Outcome {
    let commit = scope.bed.git.commit_chart(&scope.namespace, "small")?;
    let network = Network::start(scope)?;
    network.check(one)?;
    let site = SmallSite::create(scope, &commit, &format!("{}-a", scope.namespace))?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let OnHost { running, _relay } = network.run(one, &site, &site.folder, &tree, &[])?;
    site.wait_until_held(1)?;
    let folder = copy(&site, "copy")?;
    let refused = |arguments: &[&str]| -> Outcome {
        let arguments = [&["--resume"], arguments].concat();
        let OnHost { running, _relay } = network.run(two, &site, &folder, &tree, &arguments)?;
        ended(
            &running.end_within(WITHIN)?,
            4,
            &[
                "another process carries out this run and holds the Lease",
                one.name,
            ],
        )
    };
    refused(&[])?;
    refused(&["--break-lock"])?;
    // A killed process may be alive for all that the other host knows.
    drop(running);
    drop(_relay);
    refused(&["--break-lock"])?;
    site.patch_lease(&json!({"renewTime": PAST}))?;
    let OnHost { running, _relay } = network.run(two, &site, &folder, &tree, &["--resume"])?;
    let path = site.lease_path();
    until(WITHIN, || {
        let lease = scope.bed.get(&path)?.unwrap_or_default();
        let holder = lease["spec"]["holderIdentity"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok((lease["spec"]["renewTime"] != PAST && holder.contains(two.name)).then_some(()))
    })?;
    // Now the first one is the copy.
    let OnHost {
        running: again,
        _relay: _again,
    } = network.run(one, &site, &site.folder, &tree, &["--resume"])?;
    ended(
        &again.end_within(WITHIN)?,
        4,
        &["another process carries out this run and holds the Lease"],
    )?;
    site.release_first_stage()?;
    ended(&running.end()?, 0, &[])?;
    drop(_relay);
    site.expect_deployed("one")?;
    written_once(scope, &site)
}
