//! Where this program differs from Armada on purpose: the one list of it. `explain`, docs/differences.md and the
//! tests that run Armada's recorded answers draw from it.

use crate::diagnostic::Code;

/// A deliberate difference.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// Its name, as a topic of `explain`.
    pub name: &'static str,
    /// What Armada does; the case proves it.
    pub armada: &'static str,
    /// What this program does.
    pub here: &'static str,
    /// Why.
    pub why: &'static str,
    /// What proves it.
    pub case: Case,
    /// The diagnostics about it.
    pub codes: &'static [Code],
}

/// What proves what Armada does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Recorded answers of Armada's handlers, in each of which the named part differs from the answer here.
    Handlers(&'static [(&'static str, Answer)]),
    /// Recorded answers of Armada's wait code about objects that do not change.
    Waits(&'static [&'static str]),
    /// Recorded answers of Armada's wait code about objects that change while it waits.
    Watches(&'static [&'static str]),
    /// Recorded answers of Armada's handlers that are an error of Python's own, not one of Armada's.
    PythonErrors(&'static [&'static str]),
    /// A document on which PyYAML gives a result, as a test asks PyYAML itself.
    PyYaml(&'static str),
}

/// A part of the recorded answer of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Valid or invalid.
    Verdict,
    /// What is deployed, or that nothing is.
    Plan,
}

/// A mapping that is a string for PyYAML.
pub const MAPPING_AS_SCALAR: &str = "a: !!str {=: b}";

/// All differences.
pub const ALL: &[Difference] = &[
    Difference {
        name: "faults-before-deployment",
        armada: "Validation passes documents on which the deployment then fails: a type in `wait.resources` that cannot be awaited, for example.",
        here: "`validate` and `convert` report the fault as an error, where the chosen Manifest deploys the chart.",
        why: "A tree from such documents would be of a release that Armada never deployed.",
        case: Case::Handlers(&[("wait-bad-type", Answer::Verdict)]),
        codes: &[Code::DeployFault],
    },
    Difference {
        name: "chart-in-one-place",
        armada: "A chart that two groups list is processed in both.",
        here: "The release has one place in the tree, the first; the second is reported.",
        why: "A HelmRelease is one object, and `dependsOn` has no second visit.",
        case: Case::Handlers(&[("chart-in-two-groups", Answer::Plan)]),
        codes: &[Code::ChartInTwoGroups],
    },
    Difference {
        name: "status-missing",
        armada: "It reads a status that is not there yet, and ends with a raw AttributeError.",
        here: "The gate waits for the status.",
        why: "An object without status was created a moment ago; its controller fills it in.",
        case: Case::Waits(&[
            "deployment-status-missing",
            "statefulset-status-missing",
            "daemonset-status-missing",
            "job-status-missing",
            "pod-status-missing",
        ]),
        codes: &[],
    },
    Difference {
        name: "conditions-missing",
        armada: "It reads conditions that are not there yet, and ends with a raw TypeError.",
        here: "The gate waits for the conditions.",
        why: "As with a status that is not there yet.",
        case: Case::Waits(&[
            "deployment-zero-replicas-no-conditions",
            "pod-running-no-conditions",
            "several-error-after-waiting",
            "several-error-first",
        ]),
        codes: &[],
    },
    Difference {
        name: "counts-missing",
        armada: "Its client refuses an object without counts that the API server always gives.",
        here: "The counts are 0.",
        why: "A missing count is zero in the API types of Kubernetes.",
        case: Case::Waits(&[
            "statefulset-status-without-replicas",
            "daemonset-status-empty",
        ]),
        codes: &[],
    },
    Difference {
        name: "update-never-comes",
        armada: "It waits out its time limit for an update that only a change of the object can bring (`OnDelete`, a partition), then fails.",
        here: "The gate fails at once.",
        why: "The end is the same, and the operator has the time of the limit left.",
        case: Case::Waits(&[
            "statefulset-partition-updated",
            "statefulset-partition-updated-v1",
            "statefulset-partition-above-replicas",
            "statefulset-ondelete-updated",
            "statefulset-ondelete-updated-v1",
            "statefulset-ondelete-async-false",
            "daemonset-ondelete-updated",
            "daemonset-ondelete-async-false",
            "daemonset-strategy-type-missing",
        ]),
        codes: &[],
    },
    Difference {
        name: "update-strategy-missing",
        armada: "It reads an update strategy that is not there, and ends with a raw AttributeError.",
        here: "The gate fails and says why.",
        why: "The end is the same, with a reason.",
        case: Case::Waits(&["statefulset-strategy-missing", "daemonset-strategy-missing"]),
        codes: &[],
    },
    Difference {
        name: "deleted-is-not-ready",
        armada: "It takes an object that is deleted for ready, done or not.",
        here: "The gate waits for what comes in its place.",
        why: "A pod that is replaced is deleted first.",
        case: Case::Watches(&["events-last-pod-deleted-v1", "events-last-pod-deleted-v2"]),
        codes: &[],
    },
    Difference {
        name: "unknown-deletion",
        armada: "It ends with a raw KeyError when an object is deleted that it did not follow.",
        here: "The gate waits on.",
        why: "The deletion concerns no object that the gate waits for.",
        case: Case::Watches(&["events-unknown-deleted"]),
        codes: &[],
    },
    Difference {
        name: "watch-expired",
        armada: "It ends when the API server has forgotten the place of its watch.",
        here: "The gate lists the objects again.",
        why: "An expired watch is no fault of the objects.",
        case: Case::Watches(&["events-error-410"]),
        codes: &[],
    },
    Difference {
        name: "pod-adopted",
        armada: "It keeps its last word on a pod that a controller adopts, and waits out its time limit. Its next run leaves the pod out.",
        here: "The gate leaves the pod out at once.",
        why: "It is the only laxer answer; Armada gives it as well when it is asked once more.",
        case: Case::Watches(&["events-tracked-becomes-excluded"]),
        codes: &[],
    },
    Difference {
        name: "override-faults",
        armada: "A `--set` of an unknown kind, without `=`, with an empty value, with `null` in its path or with a quote in its value ends in an error of Python, which does not say where. So does a mapping of `--values` over a value that is not a mapping.",
        here: "It is an error with the place of the override.",
        why: "Nothing is deployed either way.",
        case: Case::PythonErrors(&[
            "set-unknown-kind",
            "set-no-equals",
            "set-empty",
            "set-null-key",
            "set-quote",
            "values-merge",
        ]),
        codes: &[Code::OverrideInvalid],
    },
    Difference {
        name: "mapping-as-scalar",
        armada: "A mapping with the tag of a scalar and a plain key `=` is read as the scalar under that key.",
        here: "It is refused.",
        why: "YAML 1.1 allows the form, and no document is known that has it. A reader takes it for a mistake.",
        case: Case::PyYaml(MAPPING_AS_SCALAR),
        codes: &[Code::ValueRejected],
    },
];

/// Finds a difference by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Difference> {
    ALL.iter().find(|difference| difference.name == name)
}
