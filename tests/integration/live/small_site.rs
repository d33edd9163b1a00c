//! Sites of three small releases in two stages. Each is in one namespace that also has the Lease and the state of its
//! runs, so many fit on one bed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Scope, convert, ensure, run_to_end, site, to_error};
use crate::bed::documents::{self, ChartDocument, GitSource};
use crate::bed::program::Program;
use crate::bed::proxy::Proxy;
use crate::bed::{Bed, Outcome, until};
use crate::support::{self, ProgramOutput};

/// Releases of the first stage, which are written in parallel.
pub(super) const FIRST: [&str; 2] = ["aux", "db"];
/// The release of the second stage.
pub(super) const LAST: &str = "last";
/// The Job that releases a held first stage.
const OPENER: &str = "opener";

/// Time limit for an immediate action of a controller on a busy machine.
pub(super) const WITHIN: Duration = Duration::from_secs(90);

/// The release with a Job that is awaited and deleted before upgrades.
pub(super) const DB: &str = "db";

/// Commits the small chart to the test's repository; returns the commit.
pub(super) fn commit(scope: &Scope<'_>) -> Outcome<String> {
    scope.bed.git.commit_chart(&scope.namespace, "small")
}

/// A variation of one release; YAML that is indented like `values` and `data` of a Chart.
#[derive(Clone, Debug, Default)]
pub(super) struct Variation {
    /// The release that differs.
    pub(super) release: &'static str,
    /// Additional fields.
    pub(super) fields: String,
    /// Additional values.
    pub(super) values: String,
}

/// A site of three small releases in its namespace.
pub(super) struct SmallSite<'b> {
    bed: &'b Bed,
    /// Its namespace, its site and the name of its Manifest.
    pub(super) name: String,
    /// The working folder of its runs, with their journals.
    pub(super) folder: PathBuf,
    location: String,
    commit: String,
}

impl<'b> SmallSite<'b> {
    /// Creates the namespace and the folder.
    pub(super) fn create(scope: &Scope<'b>, commit: &str, name: &str) -> Outcome<Self> {
        let bed = scope.bed;
        bed.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))?;
        let folder = bed.path().join(format!("site-{name}"));
        fs::create_dir_all(&folder)?;
        Ok(Self {
            bed,
            name: name.to_owned(),
            folder,
            location: bed.git.url(&scope.namespace),
            commit: commit.to_owned(),
        })
    }

    /// Returns the documents; `marker` is in every ConfigMap and is the tag of the Job's image.
    pub(super) fn documents(&self, marker: &str, variations: &[Variation]) -> String {
        let Self {
            name,
            location,
            commit,
            ..
        } = self;
        let mut text = String::new();
        for release in FIRST.into_iter().chain([LAST]) {
            let variation = variations.iter().find(|one| one.release == release);
            let Variation { fields, values, .. } = variation.cloned().unwrap_or_default();
            let (waits, job) = if release == DB {
                (
                    format!(
                        "  wait: {{timeout: 60, labels: {{release_group: grain-{DB}}}, resources: [{{type: job}}]}}
  upgrade: {{pre: {{delete: [{{type: job, labels: {{release_group: grain-{DB}}}}}]}}}}"
                    ),
                    format!("    job: 'example.org/job:{marker}'\n"),
                )
            } else {
                (
                    "  wait: {timeout: 60, resources: []}".to_owned(),
                    String::new(),
                )
            };
            let waits = if fields.contains("  wait:") {
                ""
            } else {
                &*waits
            };
            let tests = if fields.contains("  test:") {
                ""
            } else {
                "  test: {enabled: false}\n"
            };
            text.push_str(&documents::chart(&ChartDocument {
                name: release,
                namespace: name,
                source: GitSource {
                    location,
                    commit,
                    subpath: "small",
                },
                fields: &format!(
                    "{tests}{waits}
{fields}"
                ),
                values: &format!(
                    "    marker: '{marker}'
{job}{values}"
                ),
            }));
        }
        text.push_str(&documents::group("first", &FIRST));
        text.push_str(&documents::group("second", &[LAST]));
        text.push_str(&documents::manifest(name, "grain", &["first", "second"]));
        text
    }

    /// Converts the documents; returns the tree.
    pub(super) fn tree(&self, marker: &str, variations: &[Variation]) -> Outcome<PathBuf> {
        self.tree_with(marker, variations, &[])
    }

    /// Like [`SmallSite::tree`], with more options of `convert`.
    pub(super) fn tree_with(
        &self,
        marker: &str,
        variations: &[Variation],
        options: &[&str],
    ) -> Outcome<PathBuf> {
        let documents = self.folder.join(format!("{marker}.yaml"));
        fs::write(&documents, self.documents(marker, variations))?;
        let tree = self.folder.join(format!("tree-{marker}"));
        let place = format!("--source-namespace={}", self.name);
        let fixed = ["--new-cluster", "--no-namespaces", &place];
        convert(&documents, &tree, &[&fixed, options].concat())?;
        Ok(tree)
    }

    /// Returns `apply` of a tree with `--yes`.
    pub(super) fn command(&self, kubeconfig: &Path, tree: &Path, arguments: &[&str]) -> Command {
        let mut command = support::program();
        command
            .current_dir(&self.folder)
            .args(self.arguments(kubeconfig, tree, arguments));
        command
    }

    fn arguments(&self, kubeconfig: &Path, tree: &Path, arguments: &[&str]) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut line = vec![
            "apply".to_owned(),
            path(tree),
            "--yes".to_owned(),
            format!("--state-namespace={}", self.name),
            "--kubeconfig".to_owned(),
            path(kubeconfig),
        ];
        line.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        line
    }

    /// Returns `apply` of a tree with another folder and another state namespace.
    pub(super) fn command_in(
        &self,
        folder: &Path,
        state_namespace: &str,
        tree: &Path,
        arguments: &[&str],
    ) -> Command {
        let mut command = support::program();
        let ours = format!("--state-namespace={}", self.name);
        let line = self.arguments(&self.bed.kubeconfig, tree, arguments);
        let line = line.into_iter().filter(|argument| *argument != ours);
        command
            .current_dir(folder)
            .args(line)
            .arg(format!("--state-namespace={state_namespace}"));
        command
    }

    /// Runs `apply` with the bed's kubeconfig until it ends.
    pub(super) fn apply(&self, tree: &Path, arguments: &[&str]) -> Outcome<ProgramOutput> {
        self.apply_at(&self.bed.kubeconfig, tree, arguments)
    }

    /// Like [`SmallSite::apply`], with another kubeconfig.
    pub(super) fn apply_at(
        &self,
        kubeconfig: &Path,
        tree: &Path,
        arguments: &[&str],
    ) -> Outcome<ProgramOutput> {
        let mut command = self.command(kubeconfig, tree, arguments);
        run_to_end(&mut command)
    }

    /// Runs `apply` behind a proxy; `rules` adds rules for its process id before its first request.
    pub(super) fn apply_with(
        &self,
        proxy: &Proxy,
        tree: &Path,
        arguments: &[&str],
        rules: impl FnOnce(u32),
    ) -> Outcome<ProgramOutput> {
        let mut child = self.start_waiting(&proxy.kubeconfig, tree, arguments)?;
        rules(child.id());
        drop(child.stdin.take());
        ProgramOutput::new(child.wait_with_output()?).map_err(to_error)
    }

    /// Starts a process that becomes `apply` when its input ends, so that rules can have its process id.
    fn start_waiting(&self, kubeconfig: &Path, tree: &Path, arguments: &[&str]) -> Outcome<Child> {
        let script = "read -r _; exec \"$0\" \"$@\"";
        let mut command = self.shell_command(script, kubeconfig, tree, arguments);
        Ok(command.stdin(Stdio::piped()).spawn()?)
    }

    /// Returns a shell script that runs `apply` as `"$0" "$@"`.
    pub(super) fn shell_command(
        &self,
        script: &str,
        kubeconfig: &Path,
        tree: &Path,
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .env_clear()
            .current_dir(&self.folder)
            .args(["-c", script])
            .arg(support::program_path())
            .args(self.arguments(kubeconfig, tree, arguments))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts `apply` without waiting for its end.
    pub(super) fn start(
        &self,
        kubeconfig: &Path,
        tree: &Path,
        arguments: &[&str],
    ) -> Outcome<Running> {
        Running::start(self.command(kubeconfig, tree, arguments))
    }

    /// Returns a variation that keeps the first stage waiting until [`SmallSite::release_first_stage`].
    pub(super) fn held_first_stage() -> Variation {
        Variation {
            release: FIRST[0],
            fields: format!(
                "  wait: {{timeout: 100, labels: {{release_group: grain-{}}}, resources: [{{type: deployment}}]}}",
                FIRST[0]
            ),
            values: format!(
                "    replicas: 1\n    labels: {{armada2flux.example/ready-after-job: {OPENER}}}"
            ),
        }
    }

    /// Waits until the first stage waits only for that, in the `nth` run of the journal.
    pub(super) fn wait_until_held(&self, nth: usize) -> Outcome {
        let has = |run: &[Value], kind: &str, release: &str| {
            run.iter().any(|line| {
                let entry = &line["entry"];
                entry["type"] == kind && entry["item"]["name"] == format!("grain-{release}")
            })
        };
        until(WITHIN, || {
            let lines = self.journal_entries()?;
            let mut begun = lines
                .iter()
                .enumerate()
                .filter(|(_, line)| line["entry"]["type"] == "run-started");
            let Some((begun, _)) = begun.nth(nth - 1) else {
                return Ok(None);
            };
            let run = &lines[begun..];
            Ok((has(run, "item-finished", DB) && has(run, "done", FIRST[0])).then_some(()))
        })?;
        let path = self.path(FIRST[0]);
        let ready = self.bed.wait(&path, WITHIN, |object| {
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && crate::bed::has_condition(object, "Ready")
        });
        ready.map(drop)
    }

    /// Lets the first stage finish.
    pub(super) fn release_first_stage(&self) -> Outcome {
        self.bed.apply(&json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": OPENER, "namespace": self.name},
            "spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.org/opener:1"}],
            }}},
        }))
    }

    /// Returns the default path of the journal.
    pub(super) fn journal(&self) -> PathBuf {
        self.folder
            .join(format!("armada2flux-{}.journal", self.name))
    }

    /// Reads the complete lines of the journal.
    pub(super) fn journal_entries(&self) -> Outcome<Vec<Value>> {
        let text = match fs::read_to_string(self.journal()) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// Returns the path of the Lease.
    pub(super) fn lease_path(&self) -> String {
        format!(
            "/apis/coordination.k8s.io/v1/namespaces/{0}/leases/armada2flux-{0}",
            self.name
        )
    }

    /// Patches the Lease, past whoever holds it.
    pub(super) fn patch_lease(&self, spec: &Value) -> Outcome {
        let name = format!("armada2flux-{}", self.name);
        let place = format!("--namespace={}", self.name);
        let patch = format!("--patch={}", json!({"spec": spec}));
        let arguments = ["patch", "lease", &name, &place, "--type=merge", &patch];
        self.bed.run(Program::Kubectl, &arguments).map(drop)
    }

    /// Returns the path of a HelmRelease.
    pub(super) fn path(&self, release: &str) -> String {
        site::helm_release(&self.name, &format!("grain-{release}"))
    }

    /// Reads a HelmRelease; null if it does not exist.
    pub(super) fn release(&self, release: &str) -> Outcome<Value> {
        Ok(self.bed.get(&self.path(release))?.unwrap_or_default())
    }

    /// Reads the Job; null if it does not exist.
    pub(super) fn job(&self) -> Outcome<Value> {
        let path = format!("/apis/batch/v1/namespaces/{}/jobs/grain-{DB}", self.name);
        Ok(self.bed.get(&path)?.unwrap_or_default())
    }

    /// Fails unless all releases are deployed and Ready at their last generation, with this marker.
    pub(super) fn expect_deployed(&self, marker: &str) -> Outcome {
        for release in FIRST.into_iter().chain([LAST]) {
            let object = self.release(release)?;
            let (status, generation) = (&object["status"], &object["metadata"]["generation"]);
            ensure(
                object["spec"]["values"]["marker"] == marker
                    && status["observedGeneration"] == *generation
                    && status["lastAttemptedGeneration"] == *generation
                    && status["history"][0]["status"] == "deployed"
                    && crate::bed::has_condition(&object, "Ready"),
                || format!("{release}: {object}"),
            )?;
            let path = format!(
                "/api/v1/namespaces/{}/configmaps/grain-{release}",
                self.name
            );
            let map = self.bed.get(&path)?.unwrap_or_default();
            ensure(map["data"]["marker"] == marker, || {
                format!("{release}: {map}")
            })?;
        }
        let job = self.job()?;
        let image = &job["spec"]["template"]["spec"]["containers"][0]["image"];
        ensure(
            *image == format!("example.org/job:{marker}")
                && crate::bed::has_condition(&job, "Complete"),
            || job.to_string(),
        )
    }

    /// Fails unless the last run of the journal is complete; returns how many processes it took.
    pub(super) fn expect_complete(&self) -> Outcome<usize> {
        let lines = self.journal_entries()?;
        let begun = lines
            .iter()
            .rposition(|line| line["entry"]["type"] == "run-started");
        let run = lines.get(begun.unwrap_or_default()..).unwrap_or_default();
        let one = run.iter().all(|line| line["run"] == run[0]["run"]);
        let last = run.last().map(|line| &line["entry"]);
        let complete =
            last.is_some_and(|last| last["type"] == "run-ended" && last["result"] == "complete");
        ensure(one && complete, || format!("{}: {last:?}", self.name))?;
        Ok(1 + run
            .iter()
            .filter(|line| line["entry"]["type"] == "run-resumed")
            .count())
    }
}

/// A running `apply`; dropping it kills the process.
pub(super) struct Running(Option<Child>);

impl Running {
    /// Starts a command.
    pub(super) fn start(mut command: Command) -> Outcome<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Self(Some(command.spawn()?)))
    }

    /// Returns the pipe to its standard input.
    pub(super) fn input(&mut self) -> Option<std::process::ChildStdin> {
        self.0.as_mut()?.stdin.take()
    }

    /// Waits until it ends, at most `within`.
    pub(super) fn end_within(mut self, within: Duration) -> Outcome<ProgramOutput> {
        until(within, || Ok(self.has_ended()?.then_some(())))?;
        self.end()
    }

    /// Sends a signal, by name without `SIG`.
    pub(super) fn signal(&self, name: &str) -> Outcome {
        let child = self.0.as_ref().ok_or("it has ended")?;
        let process = child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &process])
            .status()?;
        ensure(sent.success(), || format!("{name} cannot be sent"))
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> Outcome<bool> {
        let child = self.0.as_mut().ok_or("it has ended")?;
        Ok(child.try_wait()?.is_some())
    }

    /// Waits until it ends.
    pub(super) fn end(mut self) -> Outcome<ProgramOutput> {
        let child = self.0.take().ok_or("it has ended")?;
        ProgramOutput::new(child.wait_with_output()?).map_err(to_error)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Fails unless a run ended with `code` and printed all texts.
pub(super) fn ended(ran: &ProgramOutput, code: i32, texts: &[&str]) -> Outcome {
    let ProgramOutput {
        stdout,
        stderr,
        code: found,
    } = ran;
    let missing: Vec<&&str> = texts
        .iter()
        .filter(|text| !stdout.contains(**text) && !stderr.contains(**text))
        .collect();
    ensure(*found == Some(code) && missing.is_empty(), || {
        format!("code {found:?} for {code}, not printed {missing:?}:\n{stdout}\n{stderr}")
    })
}
