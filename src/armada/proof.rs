//! What proves the statements about Armada on the pages of diagnostics and fields.
//!
//! A statement is either about what a recorded run of Armada's own code shows, about what PyYAML answers when a test
//! asks it, or about Armada's schemas, or it is not made. The tests check that every page that speaks of Armada has a
//! proof, and that what a proof names exists.

use crate::diagnostic::Code;

use super::behaviour::Behaviour;

/// Something that shows what Armada does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Recorded answers of Armada's handlers to whole inputs.
    Handlers(&'static [&'static str]),
    /// Recorded answers of Armada's wait code.
    Waits(&'static [&'static str]),
    /// Recorded answers of single functions of Armada, in `testdata/armada.json`.
    Functions(&'static [&'static str]),
    /// A document, and whether PyYAML constructs it.
    PyYaml(&'static str, bool),
    /// The recorded readings of scalars by PyYAML, by Helm through Armada and by go-yaml.
    Scalars,
    /// Armada's own schemas, with which the decoder is compared.
    Schemas,
    /// The recorded plans of two real sites.
    Plans,
}

use Proof::{Functions, Handlers, Plans, PyYaml, Scalars, Schemas, Waits};

/// The proofs of the pages of diagnostics.
pub const CODES: &[(Code, &[Proof])] = &[
    (
        Code::AnchorDuplicate,
        &[PyYaml("{a: &x 1, b: &x 2}", false)],
    ),
    (
        Code::ChartInTwoGroups,
        &[Handlers(&["chart-in-two-groups"])],
    ),
    (
        Code::DependencyNotCarried,
        &[Handlers(&["dependencies-nested"]), Plans],
    ),
    (
        Code::DeployFault,
        &[
            Handlers(&["wait-bad-type"]),
            Waits(&["timeout-negative", "timeout-cli-zero", "config-type-plural"]),
            Functions(&[
                "download-type-unknown",
                "download-type-unknown-in-dependency",
                "test-limit-zero",
                "delete-limit-zero",
            ]),
        ],
    ),
    (
        Code::DocumentDuplicate,
        &[Handlers(&["duplicate-chart-docs"])],
    ),
    (Code::DocumentSkipped, &[Handlers(&["unknown-schema-doc"])]),
    (
        Code::FieldIgnored,
        &[Functions(&["download-local-proxy"]), Plans],
    ),
    (
        Code::FieldMisread,
        &[
            Waits(&["required-string", "required-null"]),
            Functions(&["limit-zero-without-waits"]),
        ],
    ),
    (
        Code::FieldMissing,
        &[Schemas, Handlers(&["missing-release"])],
    ),
    (Code::FieldNotCarried, &[Functions(&["download-tar-proxy"])]),
    (Code::FieldType, &[Schemas]),
    (Code::FieldUnknown, &[Schemas]),
    (
        Code::GateNotCarried,
        &[Waits(&["v1-no-wait-block-all-ready"]), Plans],
    ),
    (Code::GroupEmpty, &[Handlers(&["empty-group-sequenced"])]),
    (Code::KeyDuplicate, &[PyYaml("{a: 1, a: 2}", true)]),
    (Code::KeyRetyped, &[Scalars]),
    (Code::KeyType, &[PyYaml("{[a]: b}", false)]),
    (
        Code::ManifestAmbiguous,
        &[Functions(&["manifest-name-twice", "manifest-names-differ"])],
    ),
    (
        Code::OverrideInvalid,
        &[Handlers(&[
            "set-empty",
            "set-no-equals",
            "set-null-key",
            "set-quote",
            "set-unknown-kind",
            "set-unknown-doc",
            "values-merge",
        ])],
    ),
    (
        Code::OverrideUnmatched,
        &[Handlers(&["values-unknown-doc-ignored"])],
    ),
    (Code::PreDeleteAsHook, &[Plans]),
    (
        Code::PreDeleteNotCarried,
        &[Handlers(&["v2-upgrade-options"]), Plans],
    ),
    (
        Code::ReferenceMissing,
        &[Handlers(&["group-missing-chart", "manifest-missing-group"])],
    ),
    (Code::SchemaVersion, &[Handlers(&["schema-v3"])]),
    (
        Code::SourceMoving,
        &[Handlers(&["git-source"]), Functions(&["clone-proxy"])],
    ),
    (Code::SourceRewritten, &[Handlers(&["git-source"])]),
    (
        Code::SourceSecret,
        &[Functions(&["clone-ssh", "clone-proxy"])],
    ),
    (Code::TagUnknown, &[PyYaml("a: !upper web", false)]),
    (
        Code::TestOff,
        &[Handlers(&["test-true", "v2-defaults"]), Plans],
    ),
    (Code::ValueRejected, &[PyYaml("a: =", false)]),
    (Code::ValueRetyped, &[Scalars]),
    (
        Code::ValueShared,
        &[Functions(&[
            "values-share-a-wait",
            "values-share-no-wait",
            "values-share-a-wait-of-a-mapping",
        ])],
    ),
];

/// The proofs of what Armada did with fields, by kind of document and path.
pub const FIELDS: &[(&str, &str, &[Proof])] = &[
    (
        "Manifest",
        "data.release_prefix",
        &[Handlers(&["ok-basic", "set-prefix"]), Plans],
    ),
    (
        "Manifest",
        "data.chart_groups",
        &[Handlers(&["two-manifests-other-broken"]), Plans],
    ),
    (
        "ChartGroup",
        "data.sequenced",
        &[Handlers(&["ok-sequenced"]), Plans],
    ),
    ("ChartGroup", "data.test_charts", &[Plans]),
    (
        "ChartGroup",
        "data.chart_group",
        &[Handlers(&["chart-in-two-groups", "empty-group-sequenced"])],
    ),
    ("Chart", "data.release", &[Handlers(&["ok-basic"]), Plans]),
    (
        "Chart",
        "data.namespace",
        &[
            Handlers(&["ok-basic"]),
            Functions(&["limit-zero-without-waits"]),
        ],
    ),
    ("Chart", "data.values", &[Scalars, Plans]),
    (
        "Chart",
        "data.dependencies",
        &[Handlers(&["dependencies-nested"]), Plans],
    ),
    ("Chart", "data.protected", &[Plans]),
    ("Chart", "data.protected.continue_processing", &[Plans]),
    ("Chart", "data.delete", &[Handlers(&["delete-timeout"])]),
    (
        "Chart",
        "data.delete.timeout",
        &[Functions(&["delete-limit-zero"])],
    ),
    (
        "Chart",
        "data.timeout",
        &[Waits(&["timeout-deprecated", "timeout-both"])],
    ),
    (
        "Chart",
        "data.source",
        &[
            Handlers(&["git-source"]),
            Functions(&["download-git-proxy"]),
        ],
    ),
    (
        "Chart",
        "data.source.type",
        &[Functions(&[
            "download-type-unknown",
            "download-local-proxy",
        ])],
    ),
    (
        "Chart",
        "data.source.location",
        &[Handlers(&["git-source"])],
    ),
    (
        "Chart",
        "data.source.subpath",
        &[Handlers(&["git-source", "source-no-subpath-v1"])],
    ),
    (
        "Chart",
        "data.source.reference",
        &[Functions(&["clone-proxy"]), Handlers(&["git-source"])],
    ),
    (
        "Chart",
        "data.source.proxy_server",
        &[Functions(&[
            "download-tar-proxy",
            "download-git-proxy",
            "clone-proxy",
        ])],
    ),
    (
        "Chart",
        "data.source.auth_method",
        &[Functions(&["clone-ssh", "clone-proxy"])],
    ),
    ("Chart", "data.wait", &[Waits(&["several-v1-list"]), Plans]),
    (
        "Chart",
        "data.wait.timeout",
        &[
            Waits(&["timeout-wait", "timeout-default", "timeout-cli-zero"]),
            Handlers(&["timeout-precedence", "flag-timeout"]),
        ],
    ),
    (
        "Chart",
        "data.wait.native",
        &[Handlers(&["wait-native-off"])],
    ),
    (
        "Chart",
        "data.wait.native.enabled",
        &[
            Handlers(&["wait-native-off", "v2-defaults"]),
            Waits(&["v2-native-on"]),
        ],
    ),
    (
        "Chart",
        "data.wait.labels",
        &[
            Waits(&[
                "labels-absent-selects-all-v1",
                "labels-absent-selects-all-v2",
            ]),
            Functions(&["label-key-boolean"]),
        ],
    ),
    (
        "Chart",
        "data.wait.resources",
        &[Waits(&[
            "v1-resources-empty-list",
            "v1-resources-null",
            "v1-resources-empty-map",
            "v2-resources-false",
            "v2-map-removes-type",
            "v2-map-override-makes-required",
            "v2-map-order-kept",
            "v1-list-job-becomes-required",
            "required-false-pod-unready",
        ])],
    ),
    (
        "Chart",
        "data.wait.resources[]",
        &[Waits(&[
            "several-second-unready",
            "v2-list-same-type-twice",
        ])],
    ),
    (
        "Chart",
        "data.wait.resources[].type",
        &[Waits(&[
            "config-type-plural",
            "pod-owned-job-v1",
            "pod-hook-test-v1",
            "pod-owned-replicaset-unready-v1",
            "pod-owned-replicaset-unready",
        ])],
    ),
    (
        "Chart",
        "data.wait.resources[].labels",
        &[
            Waits(&["labels-item-overrides", "labels-item-empty"]),
            Handlers(&["wait-labels-merge"]),
        ],
    ),
    (
        "Chart",
        "data.wait.resources[].min_ready",
        &[Waits(&[
            "deployment-min-ready-of-updated-not-replicas",
            "min-ready-daemonset-67pct-2-of-3",
            "min-ready-statefulset-66pct-2-of-3",
            "config-min-ready-on-pod",
            "min-ready-text-word",
        ])],
    ),
    (
        "Chart",
        "data.wait.resources[].required",
        &[Waits(&[
            "required-true-pod-none",
            "required-false-pod-none",
            "config-v1-required-key",
        ])],
    ),
    (
        "Chart",
        "data.wait.resources[].allow_async_updates",
        &[Waits(&[
            "statefulset-ondelete-updated-async",
            "statefulset-ondelete-updated",
            "config-v1-async-key",
        ])],
    ),
    ("Chart", "data.test", &[Handlers(&["test-true"]), Plans]),
    (
        "Chart",
        "data.test.enabled",
        &[Handlers(&["v2-defaults"]), Plans],
    ),
    (
        "Chart",
        "data.test.timeout",
        &[
            Functions(&["test-limit-one-minute"]),
            Handlers(&["ok-basic"]),
        ],
    ),
    ("Chart", "data.upgrade", &[Plans]),
    (
        "Chart",
        "data.upgrade.no_hooks",
        &[Handlers(&["upgrade-no_hooks-missing"]), Plans],
    ),
    (
        "Chart",
        "data.upgrade.options",
        &[Handlers(&["v2-upgrade-options"])],
    ),
    (
        "Chart",
        "data.upgrade.options.no_hooks",
        &[Handlers(&["v2-upgrade-options"])],
    ),
    (
        "Chart",
        "data.upgrade.options.force",
        &[Handlers(&["v2-upgrade-options"])],
    ),
    (
        "Chart",
        "data.upgrade.pre",
        &[Handlers(&["v2-upgrade-options"]), Plans],
    ),
    (
        "Chart",
        "data.upgrade.pre.delete",
        &[Handlers(&["v2-upgrade-options"]), Plans],
    ),
    (
        "Chart",
        "data.upgrade.pre.delete[].type",
        &[Functions(&[
            "pre-delete-job-v1",
            "pre-delete-job-v2",
            "pre-delete-type-unknown",
        ])],
    ),
    (
        "Chart",
        "data.upgrade.pre.delete[].labels",
        &[Functions(&[
            "pre-delete-job-v1",
            "pre-delete-without-labels",
        ])],
    ),
    (
        "Chart",
        "data.upgrade.pre.update",
        &[Functions(&["pre-update-daemonset"])],
    ),
    (
        "Chart",
        "data.upgrade.pre.update[].type",
        &[Functions(&["pre-update-daemonset"])],
    ),
    (
        "Chart",
        "data.upgrade.pre.update[].labels",
        &[Functions(&["pre-update-daemonset"])],
    ),
    (
        "Chart",
        "data.upgrade.pre.update[].name",
        &[Functions(&["pre-update-daemonset"])],
    ),
];

/// Returns what proves the page of a code; nothing for a page that does not speak of Armada.
#[must_use]
pub fn of_code(code: Code) -> &'static [Proof] {
    let found = CODES.iter().find(|(known, _)| *known == code);
    found.map_or(&[], |(_, proofs)| proofs)
}

/// Returns what proves what Armada did with a field.
#[must_use]
pub fn of_field(behaviour: &Behaviour) -> &'static [Proof] {
    let found = FIELDS
        .iter()
        .find(|(document, path, _)| *document == behaviour.document && *path == behaviour.path);
    found.map_or(&[], |(_, _, proofs)| proofs)
}

/// Says what proves a statement, for the docs.
#[must_use]
pub fn describe(proofs: &[Proof]) -> String {
    let cases = |of: &str, names: &[&str]| format!("{of} (`{}`)", names.join("`, `"));
    let said: Vec<String> = proofs
        .iter()
        .map(|proof| match *proof {
            Handlers(names) => cases("recorded runs of Armada's handlers", names),
            Waits(names) => cases("recorded runs of Armada's wait code", names),
            Functions(names) => cases("recorded runs of single functions of Armada", names),
            PyYaml(text, true) => format!("PyYAML, which reads `{text}`"),
            PyYaml(text, false) => format!("PyYAML, which refuses `{text}`"),
            Scalars => "recorded readings of scalars".to_owned(),
            Schemas => "Armada's schemas".to_owned(),
            Plans => "recorded plans of two sites".to_owned(),
        })
        .collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::armada::behaviour;

    #[test]
    fn every_page_that_speaks_of_armada_has_a_proof() {
        for code in Code::ALL {
            let page = code.page();
            // A document of Armada's is no statement about the program.
            let text = [code.title(), page.why, page.fix]
                .join("\n")
                .replace("no Armada document", "");
            let speaks =
                text.contains("Armada") || text.contains("PyYAML") || text.contains("Python");
            assert_eq!(speaks, !of_code(*code).is_empty(), "{code}: {text}");
        }
        for behaviour in behaviour::ALL {
            assert!(
                !of_field(behaviour).is_empty(),
                "{} {}",
                behaviour.document,
                behaviour.path
            );
        }
        assert_eq!(FIELDS.len(), behaviour::ALL.len());
        let codes: std::collections::BTreeSet<Code> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes.len(), CODES.len());
    }
}
