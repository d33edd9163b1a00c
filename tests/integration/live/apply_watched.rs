//! What other clients do to a release during a run: seven acts at four moments. The run ends for that release, says who did
//! it, and undoes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::parallel::{self, in_parallel};
use super::small_site::{self, Running, SmallSite, WITHIN};
use super::{Scope, Test, convert, ensure};
use crate::bed::charts;
use crate::bed::documents::{self, ChartDocument, GitSource};
use crate::bed::program::Program;
use crate::bed::proxy::{Fault, Kind, Proxy, Rule};
use crate::bed::{Outcome, until};
use crate::support::ProgramOutput;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply_watched::before_its_turn", before_turn),
        Test::shared("apply_watched::before_its_write", before_write),
        Test::shared("apply_watched::while_it_reconciles", reconciling),
        Test::shared("apply_watched::while_gates_are_awaited", gates),
        Test::shared("apply_watched::a_failure_ends_the_gates", failing),
    ]
}

/// The release that holds the first stage.
const HOLD: &str = "hold";

/// The manager of what another client does.
const BY: &str = "--field-manager=oncall";

/// What another client does to a release; the release has the name of the act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Edit,
    Suspend,
    Delete,
    Recreate,
    RunHelm,
    AddToKustomization,
    GiveToOtherSite,
}

/// When it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// An earlier stage is awaited.
    Turn,
    /// The dry run is answered, the write is not.
    Write,
    /// Helm works.
    Reconcile,
    /// The release is ready, its gates are not open.
    Gates,
}

const ACTS: [Act; 7] = [
    Act::Edit,
    Act::Suspend,
    Act::Delete,
    Act::Recreate,
    Act::RunHelm,
    Act::AddToKustomization,
    Act::GiveToOtherSite,
];

impl Act {
    fn name(self) -> &'static str {
        match self {
            Act::Edit => "edit",
            Act::Suspend => "suspend",
            Act::Delete => "delete",
            Act::Recreate => "recreate",
            Act::RunHelm => "helm",
            Act::AddToKustomization => "kustom",
            Act::GiveToOtherSite => "site",
        }
    }

    /// What the run says of the release, one of these. None: the act is harmless at that moment.
    fn said(self, moment: Moment) -> &'static [&'static str] {
        match (self, moment) {
            (Act::Edit, Moment::Turn | Moment::Write) => &["is owned by `oncall`"],
            (Act::Edit, Moment::Reconcile | Moment::Gates) => {
                &["was changed during the run by `oncall`"]
            }
            (Act::Suspend, _) => &["is suspended by `oncall`"],
            (Act::Delete, _) => &["is being deleted", "it was deleted "],
            (Act::Recreate, Moment::Turn | Moment::Write) => {
                &["it was deleted and created again during the run"]
            }
            // The watch shows that it is gone.
            (Act::Recreate, Moment::Reconcile | Moment::Gates) => {
                &["it was deleted during the run"]
            }
            (Act::RunHelm, Moment::Turn) => &["Helm holds revision 1 of the release"],
            (Act::RunHelm, Moment::Write) => &["another client of Helm installed the release"],
            // Helm's own lock refuses it.
            (Act::RunHelm, Moment::Reconcile) => &[],
            (Act::RunHelm, Moment::Gates) => &["another client of Helm made revision 2"],
            (Act::AddToKustomization, _) => &["is applied by Kustomization `flux-system/apps`"],
            (Act::GiveToOtherSite, _) => &["belongs to site `other`"],
        }
    }

    /// Does it to the release of its name.
    fn carry_out(self, site: &SmallSite<'_>, scope: &Scope<'_>, moment: Moment) -> Outcome {
        let name = format!("grain-{}", self.name());
        let place = format!("--namespace={}", site.name);
        let kubectl = |arguments: &[&str], input: &str| {
            let arguments = [arguments, &[&*place]].concat();
            scope.bed.run_with(Program::Kubectl, &arguments, input)
        };
        let patch = |content: &Value| {
            let content = content.to_string();
            let words = [
                "patch",
                "helmrelease",
                &name,
                "--type=merge",
                BY,
                "-p",
                &content,
            ];
            kubectl(&words, "").map(drop)
        };
        let label = |labels: &[&str]| {
            let words = [&["label", "helmrelease", &name, "--overwrite", BY], labels].concat();
            kubectl(&words, "").map(drop)
        };
        match self {
            Act::Edit => patch(&json!({"spec": {"values": {"marker": "somebodys"}}})),
            Act::Suspend => patch(&json!({"spec": {"suspend": true}})),
            Act::Delete => kubectl(&["delete", "helmrelease", &name, "--wait=false"], "").map(drop),
            Act::Recreate => {
                let mut object = site.release(self.name())?;
                for field in ["uid", "resourceVersion", "managedFields", "finalizers"] {
                    if let Some(metadata) = object["metadata"].as_object_mut() {
                        metadata.remove(field);
                    }
                }
                // Without its finalizer it is gone at once, and Helm's records stay.
                patch(&json!({"metadata": {"finalizers": null}}))?;
                kubectl(&["delete", "helmrelease", &name, "--wait=false"], "")?;
                patch(&json!({"metadata": {"finalizers": null}})).ok();
                until(WITHIN, || {
                    Ok(kubectl(&["create", BY, "-f", "-"], &object.to_string()).ok())
                })
                .map(drop)
            }
            Act::RunHelm => {
                let chart = charts::test_chart("small").display().to_string();
                let command = ["upgrade", "--install", &*name, &*chart, "--reuse-values"];
                let arguments = [&command[..], &["--set=marker=somebodys", &*place]].concat();
                match (moment, scope.bed.run(Program::Helm3, &arguments)) {
                    (Moment::Reconcile, Err(refused)) => {
                        let refused = refused.to_string();
                        ensure(refused.contains("another operation"), || refused.clone())
                    }
                    (Moment::Reconcile, Ok(_)) => Err("Helm's lock is not held".into()),
                    (Moment::Turn | Moment::Write | Moment::Gates, ran) => ran.map(drop),
                }
            }
            Act::AddToKustomization => label(&[
                "kustomize.toolkit.fluxcd.io/name=apps",
                "kustomize.toolkit.fluxcd.io/namespace=flux-system",
            ]),
            Act::GiveToOtherSite => label(&["armada2flux.dev/site=other"]),
        }
    }
}

/// A site with a release for each act in its second stage.
struct Watched<'s, 'b> {
    scope: &'s Scope<'b>,
    site: SmallSite<'b>,
    commit: String,
    moment: Moment,
}

impl<'s, 'b> Watched<'s, 'b> {
    fn create(scope: &'s Scope<'b>, moment: Moment) -> Outcome<Self> {
        let commit = small_site::commit(scope)?;
        let site = SmallSite::create(scope, &commit, &scope.namespace)?;
        Ok(Self {
            scope,
            site,
            commit,
            moment,
        })
    }

    /// Writes a tree of these releases; `held` ones wait for the opener.
    fn tree(&self, marker: &str, releases: &[&str], held: bool) -> Outcome<PathBuf> {
        let wait = |name: &str, held: bool, native: bool| {
            let gate = if held && !native {
                format!(
                    "labels: {{release_group: grain-{name}}}, resources: [{{type: deployment}}]"
                )
            } else {
                "resources: []".to_owned()
            };
            let native = format!("native: {{enabled: {native}}}");
            format!("  test: {{enabled: false}}\n  wait: {{timeout: 100, {native}, {gate}}}")
        };
        let opener = "    replicas: 1\n    labels: {armada2flux.example/ready-after-job: opener}\n";
        let location = self.scope.bed.git.url(&self.scope.namespace);
        let mut text = String::new();
        for &name in [HOLD].iter().chain(releases) {
            let first = name == HOLD;
            let held =
                held && first == (self.moment == Moment::Turn) && self.moment != Moment::Write;
            let native = held && self.moment == Moment::Reconcile;
            text.push_str(&documents::chart(&ChartDocument {
                name,
                namespace: &self.site.name,
                source: GitSource {
                    location: &location,
                    commit: &self.commit,
                    subpath: "small",
                },
                fields: &wait(name, held, native),
                values: &format!("    marker: '{marker}'\n{}", if held { opener } else { "" }),
            }));
        }
        text.push_str(&documents::group("first", &[HOLD]));
        text.push_str(&documents::group("second", releases));
        let name = &self.site.name;
        text.push_str(&documents::manifest(name, "grain", &["first", "second"]));
        let documents = self.site.folder.join(format!("{marker}.yaml"));
        fs::write(&documents, text)?;
        let tree = self.site.folder.join(format!("tree-{marker}"));
        let place = format!("--source-namespace={name}");
        convert(
            &documents,
            &tree,
            &["--new-cluster", "--no-namespaces", &place],
        )?;
        Ok(tree)
    }

    /// Installs what exists before the run under test.
    fn install(&self) -> Outcome {
        let names = ACTS.iter().filter(|act| **act != Act::RunHelm);
        let names: Vec<&str> = names.map(|act| act.name()).collect();
        let tree = self.tree("one", &names, false)?;
        small_site::ended(&self.site.apply(&tree, &[])?, 0, &[])
    }

    /// Whether the second run has written such an entry about a release.
    fn has(&self, kind: &str, release: &str) -> Outcome<bool> {
        let lines = self.site.journal_entries()?;
        let mut runs = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line["entry"]["type"] == "run-started");
        let second = runs.nth(1).map_or(lines.len(), |(second, _)| second);
        let second = &lines[second..];
        Ok(second.iter().any(|line| {
            let entry = &line["entry"];
            entry["type"] == kind && entry["item"]["name"] == format!("grain-{release}")
        }))
    }

    /// Waits until the moment has come for a release.
    fn wait_for_moment(&self, act: Act) -> Outcome {
        let name = act.name();
        match self.moment {
            Moment::Turn => until(WITHIN, || Ok(self.has("done", HOLD)?.then_some(()))),
            Moment::Write => until(WITHIN, || Ok(self.has("intent", name)?.then_some(()))),
            Moment::Reconcile | Moment::Gates => {
                until(WITHIN, || Ok(self.has("done", name)?.then_some(())))?;
                // The Deployment waits for the opener.
                let bed = self.scope.bed;
                let place = format!("/apis/apps/v1/namespaces/{}/deployments", self.site.name);
                bed.wait(&format!("{place}/grain-{name}"), WITHIN, |_| true)?;
                if self.moment == Moment::Gates {
                    bed.wait(&self.site.path(name), WITHIN, |object| {
                        object["spec"]["values"]["marker"] == "two"
                            && crate::bed::has_condition(object, "Ready")
                    })?;
                }
                Ok(())
            }
        }
    }

    /// What is wrong after an act.
    fn check(&self, act: Act, ran: &ProgramOutput) -> Outcome {
        let (name, moment) = (act.name(), self.moment);
        let title = format!("HelmRelease {}/grain-{name}", self.site.name);
        let said = act.said(moment);
        let told = ran.stdout.lines().chain(ran.stderr.lines());
        let told: Vec<&str> = told.collect();
        let named = told.iter().any(|line| line.contains(&title));
        let live = self.site.release(name)?;
        let marker = live["spec"]["values"]["marker"]
            .as_str()
            .unwrap_or_default();
        if !said.is_empty() {
            let text = told.join("\n");
            ensure(named && said.iter().any(|said| text.contains(said)), || {
                format!("not said: {said:?}")
            })?;
        }
        if act == Act::Suspend {
            ensure(live["spec"]["suspend"] == true, || "resumed".to_owned())?;
        }
        if act == Act::Delete {
            let deleted = live.is_null() || !live["metadata"]["deletionTimestamp"].is_null();
            return ensure(deleted, || format!("created again: {live}"));
        }
        let untouched = matches!(moment, Moment::Turn | Moment::Write);
        let marker_wanted = match (act, untouched) {
            (Act::Edit, _) => "somebodys",
            (Act::RunHelm, true) if moment == Moment::Turn => "",
            (Act::RunHelm, _) | (_, false) => "two",
            (_, true) => "one",
        };
        ensure(marker == marker_wanted, || {
            format!("its marker is `{marker}`, not `{marker_wanted}`: {live}")
        })
    }
}

/// Does all acts at one moment of the second run, and looks at what became of each.
fn all(scope: &Scope<'_>, moment: Moment) -> Outcome {
    let watched = Watched::create(scope, moment)?;
    watched.install()?;
    let names: Vec<&str> = ACTS.iter().map(|act| act.name()).collect();
    let tree = watched.tree("two", &names, true)?;
    let proxy = scope.bed.proxy(&watched.site.name)?;
    let open = watch::Sender::new(false);
    if moment == Moment::Write {
        hold_writes(&watched, &proxy, &open);
    }
    let running = watched.site.start(&proxy.kubeconfig, &tree, &[])?;
    let acts = ACTS.iter().map(|act| {
        let watched = &watched;
        let act: parallel::Act<'_> = Box::new(move || {
            let done = watched.wait_for_moment(*act);
            let done = done.and_then(|()| act.carry_out(&watched.site, scope, moment));
            done.map_err(|error| format!("{act:?}: {error}").into())
        });
        act
    });
    in_parallel(acts.collect())?;
    open.send_replace(true);
    let ran = finish(&watched, running)?;
    ensure(ran.code == Some(3), || format!("{ran:?}"))?;
    let wrong = ACTS.iter().filter_map(|act| {
        let wrong = watched.check(*act, &ran).err()?;
        Some(format!("{act:?} at {moment:?}: {wrong}"))
    });
    let wrong: Vec<String> = wrong.collect();
    ensure(wrong.is_empty(), || {
        format!("{}\n{}\n{}", wrong.join("\n"), ran.stdout, ran.stderr)
    })
}

fn hold_writes(watched: &Watched<'_, '_>, proxy: &Proxy, open: &watch::Sender<bool>) {
    for act in ACTS {
        let rule = Rule::new(Fault::Hold(open.subscribe())).kind(Kind::Write);
        proxy.add_rule(rule.exactly(&watched.site.path(act.name())));
    }
}

/// Ends the run. Where releases wait for the opener, all that were acted on must have ended before it comes.
fn finish(watched: &Watched<'_, '_>, running: Running) -> Outcome<ProgramOutput> {
    let ended = |act: &Act| watched.has("item-finished", act.name());
    match watched.moment {
        Moment::Turn => watched.site.release_first_stage()?,
        Moment::Write => {}
        Moment::Reconcile | Moment::Gates => {
            // Another revision of Helm is seen when the gates are open.
            let acts = ACTS.iter().filter(|act| **act != Act::RunHelm);
            for act in acts {
                until(WITHIN, || Ok(ended(act)?.then_some(())))
                    .map_err(|error| format!("{act:?} is still awaited: {error}"))?;
            }
            watched.site.release_first_stage()?;
        }
    }
    running.end()
}

fn before_turn(scope: &Scope<'_>) -> Outcome {
    all(scope, Moment::Turn)
}

fn before_write(scope: &Scope<'_>) -> Outcome {
    all(scope, Moment::Write)
}

fn reconciling(scope: &Scope<'_>) -> Outcome {
    all(scope, Moment::Reconcile)
}

fn gates(scope: &Scope<'_>) -> Outcome {
    all(scope, Moment::Gates)
}

/// A release that fails while its gates are awaited, without a new generation.
fn failing(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    let site = SmallSite::create(scope, &commit, &scope.namespace)?;
    let tree: &Path = &site.tree("one", &[SmallSite::held_first_stage()])?;
    let running = site.start(&scope.bed.kubeconfig, tree, &[])?;
    site.wait_until_held(1)?;
    let name = format!("grain-{}", small_site::FIRST[0]);
    let status = json!({"status": {"conditions": [{
        "type": "Stalled", "status": "True", "reason": "RetriesExceeded", "message": "made to fail",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]}});
    let place = format!("--namespace={}", site.name);
    let status = status.to_string();
    let words = [
        "patch",
        "helmrelease",
        &name,
        "--type=merge",
        "--subresource=status",
        "-p",
        &status,
        &place,
    ];
    scope.bed.run(Program::Kubectl, &words)?;
    small_site::ended(&running.end()?, 3, &["RetriesExceeded", "made to fail"])?;
    ensure(site.release(small_site::LAST)?.is_null(), || {
        "the second stage was begun".to_owned()
    })
}
