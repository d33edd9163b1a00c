//! A real cluster for tests: API server, controllers, scheduler, Flux and Helm as processes, nodes simulated by kwok.
//!
//! `docs/testbed.md` describes it. Tests share one bed; a test that breaks things starts its own.

pub(crate) mod armada;
pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod charts;
pub(crate) mod control_plane;
pub(crate) mod documents;
pub(crate) mod failure;
pub(crate) mod flux;
pub(crate) mod freezer;
pub(crate) mod git;
pub(crate) mod history;
pub(crate) mod http;
pub(crate) mod keys;
pub(crate) mod kwok;
pub(crate) mod order;
pub(crate) mod port;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod registry;
pub(crate) mod renamed;
pub(crate) mod run_folder;
pub(crate) mod stages;
pub(crate) mod supervisor;
pub(crate) mod tasks;
pub(crate) mod webhook;

use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::Request;
use hyper::body::Incoming;
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use tokio::runtime::Runtime;

use build::Programs;
use charts::ChartRepository;
use control_plane::ControlPlane;
use freezer::Freezer;
use git::GitServer;
use keys::{Keys, User};
use process::{Paused, Process};
use program::Program;
use proxy::Proxy;
use registry::Registry;
use run_folder::RunFolder;
use supervisor::Supervisor;

/// Any error of a bed or a live test; only its text is used.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of bed functions and live tests.
pub(crate) type Outcome<T = ()> = Result<T, Error>;

/// How often a bed is started again if another process took one of its ports.
const START_ATTEMPTS: usize = 3;

/// What servers log if a port is in use.
const PORT_TAKEN: &str = "address already in use";

/// Time limit for simulated pods to become ready.
const PLAYED_WITHIN: Duration = Duration::from_secs(60);

/// The pause between two reads of an object that a test waits for.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Returns cargo's target folder.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    )
}

/// A running cluster. All its processes end when it is dropped, or when this process ends in any way.
pub(crate) struct Bed {
    /// Declared first, so that it is dropped first: one signal ends all processes.
    supervisor: Supervisor,
    control_plane: Mutex<ControlPlane>,
    others: Mutex<Vec<Process>>,
    pub(crate) programs: Programs,
    pub(crate) charts: ChartRepository,
    pub(crate) git: GitServer,
    pub(crate) registry: Registry,
    /// Connects to the API server directly, as the tester.
    pub(crate) kubeconfig: PathBuf,
    pub(crate) client: Client,
    url: String,
    audit_log: PathBuf,
    keys: Keys,
    runtime: Runtime,
    folder: RunFolder,
}

impl Bed {
    /// Returns the bed that all tests of this process share; starts it at the first call.
    pub(crate) fn shared() -> Outcome<&'static Self> {
        static SHARED: OnceLock<Result<Bed, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start().map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|error| format!("the shared bed did not start: {error}").into())
    }

    /// Starts a new bed.
    pub(crate) fn start() -> Outcome<Self> {
        let programs = Programs::get()?;
        let mut attempt = 1;
        loop {
            let folder = RunFolder::make(&build::cache_folder())?;
            match Self::start_in(folder, &programs) {
                Err(error)
                    if attempt < START_ATTEMPTS && error.to_string().contains(PORT_TAKEN) =>
                {
                    attempt += 1
                }
                result => return result,
            }
        }
    }

    /// Starts everything in `folder`. If that fails, the logs are moved out of it before it is removed.
    fn start_in(folder: RunFolder, programs: &Programs) -> Outcome<Self> {
        let start = Instant::now();
        let path = folder.path().to_owned();
        let kept = target_folder().join("testbed-failures").join("start");
        let supervisor = Supervisor::start()?;
        let moved = |error: Error| -> Error {
            let (old, new) = (path.display().to_string(), kept.display().to_string());
            match run_folder::move_logs(&path, &kept) {
                Ok(()) => error.to_string().replace(&old, &new).into(),
                Err(second) => format!("{error} (logs could not be kept: {second})").into(),
            }
        };
        let keys = Keys::make(&path.join("keys"))?;
        let control_plane =
            ControlPlane::start(&supervisor, programs, &keys, &path).map_err(moved)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let url = control_plane.url.clone();
        let audit_log = control_plane.audit_log.clone();
        let kubeconfig = keys.kubeconfig(User::Tester, &url, "tester")?;
        let client = connect(&runtime, &kubeconfig)?;
        let helpers = connect(&runtime, &keys.kubeconfig(User::Bed, &url, "bed")?)?;
        tasks::start(runtime.handle(), &helpers);
        let bed = Self {
            charts: ChartRepository::start(runtime.handle(), programs.path(Program::Helm3), &path)?,
            git: GitServer::start(runtime.handle(), &path)?,
            registry: Registry::start(runtime.handle())?,
            programs: programs.clone(),
            control_plane: Mutex::new(control_plane),
            others: Mutex::default(),
            supervisor,
            kubeconfig,
            client,
            url,
            audit_log,
            keys,
            runtime,
            folder,
        };
        bed.populate().map_err(moved)?;
        build::print_progress(&format!(
            "cluster up in {:.1} s; kubeconfig {}",
            start.elapsed().as_secs_f64(),
            bed.kubeconfig.display()
        ));
        Ok(bed)
    }

    /// Creates nodes and Flux's kinds, and starts kwok and the controllers.
    fn populate(&self) -> Outcome {
        for program in flux::CONTROLLERS {
            let share = self.programs.share(program).display().to_string();
            self.run(
                Program::Kubectl,
                &["apply", "--server-side", "--force-conflicts", "-f", &share],
            )?;
        }
        self.apply(&serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"},
        }))?;
        for object in kwok::nodes().chain(flux::deployments()) {
            self.apply(&object)?;
        }
        let kwok = kwok::start(
            &self.supervisor,
            &self.programs,
            &self.keys,
            &self.url,
            self.path(),
        )?;
        let flux = flux::start(
            &self.supervisor,
            &self.programs,
            &self.keys,
            &self.url,
            self.path(),
        )?;
        lock(&self.others).extend([kwok].into_iter().chain(flux));
        for program in flux::CONTROLLERS {
            let name = program.name();
            let path = format!("/apis/apps/v1/namespaces/flux-system/deployments/{name}");
            self.wait(&path, PLAYED_WITHIN, |object| {
                object["status"]["availableReplicas"] == 1
            })?;
        }
        Ok(())
    }

    /// Returns the folder of logs, keys and data.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a future to its end.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Starts a proxy in front of the API server; `name` is part of the file name of its kubeconfig.
    pub(crate) fn proxy(&self, name: &str) -> Outcome<Proxy> {
        Proxy::start(self.runtime.handle(), &self.keys, &self.url, name)
    }

    /// Starts a proxy whose open connections can be turned silent.
    pub(crate) fn freezer(&self, name: &str) -> Outcome<Freezer> {
        Freezer::start(self.runtime.handle(), &self.keys, &self.url, name)
    }

    /// Starts an HTTPS server on loopback with the bed's certificate; returns its address.
    pub(crate) fn serve<F, A>(&self, answer: F) -> Outcome<SocketAddr>
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = http::Answer> + Send + 'static,
    {
        http::serve(self.runtime.handle(), Some(http::tls(&self.keys)?), answer)
    }

    /// Returns the certificate (PEM) of the authority that signed the bed's certificates.
    pub(crate) fn authority(&self) -> Outcome<String> {
        Ok(std::fs::read_to_string(self.keys.file("authority.pem"))?)
    }

    /// Writes an object into etcd unchanged, past the API server, as an older server might have stored it.
    pub(crate) fn write_to_etcd(&self, key: &str, object: &Value) -> Outcome {
        let etcd = lock(&self.control_plane).etcd_url.parse()?;
        let put = serde_json::json!({
            "key": BASE64.encode(key), "value": BASE64.encode(object.to_string()),
        });
        let request = Request::post("/v3/kv/put").body(put.to_string().into_bytes())?;
        self.block_on(async {
            let client = Client::try_from(Config::new(etcd))?;
            client.request::<Value>(request).await?;
            Ok(())
        })
    }

    /// Reads the audit log so far.
    pub(crate) fn audit(&self) -> Outcome<Vec<audit::Entry>> {
        audit::read(&self.audit_log)
    }

    /// Kills the API server. Only for a private bed.
    pub(crate) fn kill_api_server(&self) {
        lock(&self.control_plane).kill_api_server();
    }

    /// Stops Flux's controllers and kwok, so that nothing acts on objects. Only for a private bed.
    pub(crate) fn stop_controllers(&self) {
        lock(&self.others).clear();
    }

    /// Starts the API server again.
    pub(crate) fn restart_api_server(&self) -> Outcome {
        let kubectl = self.programs.path(Program::Kubectl);
        lock(&self.control_plane).restart_api_server(&self.supervisor, &kubectl, &self.kubeconfig)
    }

    /// Kills a controller of Flux, or kwok, and starts it again. Only for a private bed.
    pub(crate) fn restart(&self, program: Program) -> Outcome {
        let mut others = lock(&self.others);
        let mut others = others.iter_mut();
        let process = others.find(|process| process.launch().name == program.name());
        let process = process.ok_or_else(|| format!("{} is not running", program.name()))?;
        process.kill();
        *process = Process::start(&self.supervisor, process.launch().clone())?;
        Ok(())
    }

    /// Pauses etcd, the API server, a controller of Flux, or kwok, until the returned value is dropped. Only for a
    /// private bed.
    pub(crate) fn pause(&self, program: Program) -> Outcome<Paused> {
        if let Some(paused) = lock(&self.control_plane).pause(program)? {
            return Ok(paused);
        }
        let others = lock(&self.others);
        let mut others = others.iter();
        let process = others.find(|process| process.launch().name == program.name());
        let process = process.ok_or_else(|| format!("{} is not running", program.name()))?;
        process.pause()
    }

    /// Returns a message for each process that exited unexpectedly.
    pub(crate) fn exited_processes(&self) -> Vec<String> {
        let mut dead: Vec<_> = lock(&self.control_plane)
            .exited_processes()
            .into_iter()
            .collect();
        dead.extend(
            lock(&self.others)
                .iter_mut()
                .filter_map(Process::exit_message),
        );
        dead
    }

    /// Runs a client program as the tester and returns its stdout.
    pub(crate) fn run<A: AsRef<str>>(&self, program: Program, arguments: &[A]) -> Outcome<String> {
        self.run_with(program, arguments, "")
    }

    /// Like [`Bed::run`], with `input` on its stdin.
    pub(crate) fn run_with<A: AsRef<str>>(
        &self,
        program: Program,
        arguments: &[A],
        input: &str,
    ) -> Outcome<String> {
        let home = self.path().join("home");
        let mut child = Command::new(self.programs.path(program))
            .args(arguments.iter().map(AsRef::as_ref))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // If the program ends without reading, its exit status counts.
            drop(stdin.write_all(input.as_bytes()));
        }
        let output = child.wait_with_output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let words: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} {}: {}", program.name(), words.join(" "), stderr.trim()).into())
    }

    /// Applies an object server-side, as the tester.
    pub(crate) fn apply(&self, object: &Value) -> Outcome {
        let arguments = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=tester",
            "--validate=strict",
            "-f",
            "-",
        ];
        self.run_with(Program::Kubectl, &arguments, &object.to_string())
            .map(drop)
    }

    /// Returns the object at an API path; `None` if it does not exist.
    pub(crate) fn get(&self, path: &str) -> Outcome<Option<Value>> {
        let request = Request::get(path).body(Vec::new())?;
        match self.block_on(self.client.request::<Value>(request)) {
            Ok(object) => Ok(Some(object)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the object at an API path satisfies `wanted`, and returns it.
    pub(crate) fn wait(
        &self,
        path: &str,
        within: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Outcome<Value> {
        let start = Instant::now();
        loop {
            let object = self.get(path)?;
            if let Some(object) = object.as_ref().filter(|object| wanted(object)) {
                return Ok(object.clone());
            }
            if start.elapsed() > within {
                let state = object.map_or_else(
                    || "absent".to_owned(),
                    |object| object["status"].to_string(),
                );
                let seconds = within.as_secs();
                return Err(format!(
                    "{path} is not as wanted after {seconds} s: {state}{}",
                    self.exit_messages()
                )
                .into());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn exit_messages(&self) -> String {
        self.exited_processes()
            .iter()
            .map(|message| format!("; {message}"))
            .collect()
    }
}

/// Calls `look` until it returns a value, and returns that.
pub(crate) fn until<T>(
    within: Duration,
    mut look: impl FnMut() -> Outcome<Option<T>>,
) -> Outcome<T> {
    let start = Instant::now();
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        if start.elapsed() > within {
            return Err(format!("timed out after {} s", within.as_secs()).into());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Fails with `message` unless `holds`.
pub(crate) fn ensure(holds: bool, message: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(message().into()) }
}

/// Whether a condition of an object is `True` for the object's current generation.
pub(crate) fn has_condition(object: &Value, kind: &str) -> bool {
    let current = object["status"]["observedGeneration"]
        .as_i64()
        .is_none_or(|seen| {
            object["metadata"]["generation"]
                .as_i64()
                .is_none_or(|generation| generation == seen)
        });
    let conditions = object["status"]["conditions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    current
        && conditions
            .iter()
            .any(|condition| condition["type"] == kind && condition["status"] == "True")
}

fn connect(runtime: &Runtime, kubeconfig: &Path) -> Outcome<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    runtime.block_on(async {
        let config =
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Client::try_from(config)?)
    })
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
