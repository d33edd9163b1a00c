//! `apply` with failing releases: the run stops, names the object and the cause, and can be resumed.

use serde_json::json;

use super::parallel::on_sites;
use super::small_site::{self, DB, FIRST, LAST, SmallSite, Variation, WITHIN, ended};
use super::{Scope, Test, ensure};
use crate::bed::program::Program;
use crate::bed::{Outcome, until};

pub(super) fn tests() -> Vec<Test> {
    vec![Test::shared("apply_failures::each_names_its_cause", each)]
}

/// Long enough for a stage to reach the release that fails.
const ENOUGH: &str = "--stage-timeout=25s";
/// Enough if only that release is left.
const SHORT: &str = "--stage-timeout=5s";

/// The release that fails by default.
const AUX: &str = FIRST[0];

/// A test of one site.
type Act = fn(&Scope<'_>, &SmallSite<'_>) -> Outcome;

fn each(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    let acts: [(&str, Act); 8] = [
        ("job", job),
        ("tests", tests_fail),
        ("stalled", stalled),
        ("timeout", timeout),
        ("rollback", rollback),
        ("keys", keys),
        ("twice", twice),
        ("render", render),
    ];
    on_sites(scope, &commit, acts, |site, act| act(scope, site))
}

fn aux(fields: &str, values: &str) -> Variation {
    Variation {
        release: AUX,
        fields: fields.to_owned(),
        values: values.to_owned(),
    }
}

/// Fails if the second stage was started.
fn stopped(site: &SmallSite<'_>) -> Outcome {
    ensure(site.release(LAST)?.is_null(), || {
        "the second stage was begun".to_owned()
    })
}

fn object(site: &SmallSite<'_>, release: &str) -> String {
    format!("HelmRelease {}/grain-{release}", site.name)
}

/// Applies repaired input, which is another run.
fn repaired(site: &SmallSite<'_>, variations: &[Variation]) -> Outcome {
    let tree = site.tree("two", variations)?;
    let ran = site.apply(&tree, &[])?;
    ended(&ran, 4, &["holds a run that is not finished", "--journal"])?;
    ended(&site.apply(&tree, &["--journal=other.journal"])?, 0, &[])?;
    site.expect_deployed("two")
}

fn job(_: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    let wait = format!(
        "  wait: {{timeout: 60, labels: {{release_group: grain-{DB}}}, resources: [{{type: job}}]}}
  upgrade: {{pre: {{delete: [{{type: job, labels: {{release_group: grain-{DB}}}}}]}}}}"
    );
    let fails = |labels: &str| Variation {
        release: DB,
        fields: wait.clone(),
        values: format!("    job_labels: {{{labels}}}"),
    };
    let tree = site.tree("one", &[fails("armada2flux.example/fails: 'true'")])?;
    let ran = site.apply(&tree, &[ENOUGH])?;
    let job = format!("Job `grain-{DB}`: failed: ");
    let pod = format!("Pod `grain-{DB}-");
    ended(
        &ran,
        3,
        &[
            &object(site, DB),
            "gate 1 of 1",
            &job,
            "BackoffLimitExceeded",
            &pod,
            "--resume",
        ],
    )?;
    stopped(site)?;
    // Waiting again changes nothing.
    ended(&site.apply(&tree, &["--resume", SHORT])?, 3, &[&job])?;
    stopped(site)?;
    repaired(site, &[fails("fine: 'yes'")])
}

fn tests_fail(_: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    let tests = |labels: &str| {
        aux(
            "  test: {enabled: true}",
            &format!("    test: {{{labels}}}"),
        )
    };
    let tree = site.tree("one", &[tests("armada2flux.example/fails: 'true'")])?;
    let said = format!("its tests failed (grain-{AUX}-test)");
    ended(
        &site.apply(&tree, &[])?,
        3,
        &[&object(site, AUX), &said, "--resume"],
    )?;
    stopped(site)?;
    ended(&site.apply(&tree, &["--resume"])?, 3, &[&said])?;
    stopped(site)?;
    repaired(site, &[tests("fine: 'yes'")])
}

/// The cause of Helm's failure is removed, and the input is unchanged.
fn stalled(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": site.name},
        "spec": {"hard": {"count/deployments.apps": "0"}},
    });
    scope.bed.apply(&quota)?;
    let path = format!("/api/v1/namespaces/{}/resourcequotas/none", site.name);
    scope.bed.wait(&path, WITHIN, |quota| {
        quota["status"]["hard"] == quota["spec"]["hard"]
    })?;
    let tree = site.tree("one", &[aux("", "    replicas: 1")])?;
    let said = [&*object(site, AUX), "exceeded quota", "--resume"];
    ended(&site.apply(&tree, &[])?, 3, &said)?;
    stopped(site)?;
    let place = format!("--namespace={}", site.name);
    let kubectl = |arguments: &[&str]| {
        let arguments = [arguments, &[&*place]].concat();
        scope.bed.run(Program::Kubectl, &arguments)
    };
    kubectl(&["delete", "resourcequota", "none"])?;
    // The API server takes a moment to notice.
    until(WITHIN, || {
        let tried = kubectl(&[
            "create",
            "deployment",
            "probe",
            "--image=none",
            "--replicas=0",
        ]);
        Ok(tried.ok())
    })?;
    ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
    site.expect_deployed("one")?;
    let lines = site.journal_entries()?;
    let retries: Vec<_> = lines
        .iter()
        .filter(|line| line["entry"]["request"]["write"] == "retry")
        .collect();
    let [going, done] = retries[..] else {
        return Err(format!("{retries:?}").into());
    };
    let token = &going["entry"]["request"]["token"];
    let release = site.release(AUX)?;
    let annotations = &release["metadata"]["annotations"];
    ensure(
        going["entry"]["type"] == "intent"
            && done["entry"]["type"] == "done"
            && done["entry"]["request"]["token"] == *token
            && annotations["reconcile.fluxcd.io/resetAt"] == *token
            && annotations["reconcile.fluxcd.io/requestedAt"] == *token
            && release["status"]["lastHandledResetAt"] == *token,
        || format!("{retries:?} {release}"),
    )
}

fn timeout(_: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    let wait = format!(
        "  wait: {{timeout: 60, labels: {{release_group: grain-{AUX}}}, resources: [{{type: deployment}}]}}"
    );
    let pods = |labels: &str| aux(&wait, &format!("    replicas: 1\n    labels: {{{labels}}}"));
    let tree = site.tree("one", &[pods("armada2flux.example/never-ready: 'true'")])?;
    let pod = format!("Pod `grain-{AUX}-");
    let late = "gate 1 of 1: not ready after ";
    let said = [&*object(site, AUX), late, &pod, "--resume"];
    ended(&site.apply(&tree, &[ENOUGH])?, 3, &said)?;
    stopped(site)?;
    // The release itself is deployed, so Flux does not retry; only the gate is awaited again.
    ended(&site.apply(&tree, &["--resume", SHORT])?, 3, &[late])?;
    repaired(site, &[pods("fine: 'yes'")])
}

/// A rollback by Flux after a failure is not a success.
fn rollback(_: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    // Nothing deletes this Job, so an upgrade that changes it fails.
    let job = |image: &str| aux("", &format!("    job: 'example.org/job:{image}'"));
    ended(&site.apply(&site.tree("one", &[job("one")])?, &[])?, 0, &[])?;
    let tree = site.tree("two", &[job("two")])?;
    let file = tree.join(format!("010-first/grain-{AUX}.yaml"));
    let text = std::fs::read_to_string(&file)?;
    let edited = text.replace(
        "  upgrade:\n",
        "  upgrade:\n    remediation: {remediateLastFailure: true, strategy: rollback}\n",
    );
    ensure(edited != text, || text.clone())?;
    std::fs::write(&file, edited)?;
    ended(
        &site.apply(&tree, &[])?,
        3,
        &[
            &object(site, AUX),
            "Flux rolled back to revision 1 after a failure",
            "field is immutable",
            "--resume",
        ],
    )?;
    let last = site.release(LAST)?;
    ensure(last["spec"]["values"]["marker"] == "one", || {
        last.to_string()
    })
}

/// A key twice in a mapping, which only Flux's post-renderer refuses.
fn keys(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    let job = "    job: \"example.org/job:1\\n        image: example.org/job:2\"";
    repeated(scope, site, &aux("", job), "already defined")
}

/// An object twice, which only Flux's post-renderer refuses.
fn twice(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    let again = format!("apiVersion: v1\\nkind: ConfigMap\\nmetadata: {{name: grain-{AUX}}}");
    let job = format!("    job: \"example.org/job:1\\n---\\n{again}\"");
    repeated(scope, site, &aux("", &job), "already registered id")
}

/// A template that does not render.
fn render(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    let labels = "    replicas: 1\n    labels: 1.5";
    repeated(scope, site, &aux("", labels), "range can't iterate over")
}

/// Flux repeats it for ever; the run does not wait for that, on install and on upgrade.
fn repeated(_: &Scope<'_>, site: &SmallSite<'_>, broken: &Variation, cause: &str) -> Outcome {
    let few = |least: i64| -> Outcome {
        let release = site.release(AUX)?;
        let status = &release["status"];
        let failures = status["failures"].as_i64().unwrap_or_default();
        ensure((least..least + 2).contains(&failures), || {
            format!("{failures} failures: {status}")
        })
    };
    let said = "Helm failed 3 times in the same way before it stored a revision";
    let said = [&*object(site, AUX), cause, said, "--resume"];
    let tree = site.tree("one", std::slice::from_ref(broken))?;
    let ran = site.apply(&tree, &[ENOUGH])?;
    few(3)?;
    ended(&ran, 3, &said)?;
    stopped(site)?;
    // Asked again, and told again.
    let ran = site.apply(&tree, &["--resume", ENOUGH])?;
    few(1)?;
    ended(&ran, 3, &said)?;

    let two = site.tree("two", &[])?;
    ended(&site.apply(&two, &["--journal=two.journal"])?, 0, &[])?;
    let three = site.tree("three", std::slice::from_ref(broken))?;
    let ran = site.apply(&three, &[ENOUGH, "--journal=three.journal"])?;
    few(3)?;
    ended(&ran, 3, &said)?;
    let history = &site.release(AUX)?["status"]["history"];
    ensure(
        history.as_array().is_some_and(|list| list.len() == 1),
        || history.to_string(),
    )
}
