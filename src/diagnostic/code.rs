//! The closed set of diagnostic codes; `docs/diagnostics.md` has a page for each.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information; nothing is lost.
    Note,
    /// The output differs from what Armada did, or needs a decision.
    Warning,
    /// The output cannot be produced.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $title:literal)*) => {
        /// The kind of a diagnostic; stable across versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
        pub enum Code {
            $(#[doc = $title] #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// All codes, in the order of their names.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// Returns the code as users write it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// Returns what the code means in one line.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }

            /// Returns the severity, unless an option changes it.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    AliasLimit "alias-limit" Error "a document's aliases expand to more nodes than the limit allows"
    AnchorDuplicate "anchor-duplicate" Error "an anchor is defined twice in one document"
    ChartInTwoGroups "chart-in-two-groups" Warning "a chart is listed twice; it keeps its first place"
    ChartNotRendered "chart-not-rendered" Error "a chart is not rendered by Deckhand, or its content is redacted"
    CommentLost "comment-lost" Note "a comment inside values has no place in the output"
    DepthLimit "depth-limit" Error "a document is nested deeper than the limit allows"
    DependencyCycle "dependency-cycle" Error "charts depend on one another in a cycle"
    DependencyNotCarried "dependency-not-carried" Warning "a chart dependency is not carried over"
    DeployFault "deploy-fault" Error "Armada accepts the document and fails when it deploys the chart"
    DocumentDuplicate "document-duplicate" Warning "two documents of one kind share a name; the first wins, as in Armada"
    DocumentSkipped "document-skipped" Note "documents of other schemas were skipped"
    FieldIgnored "field-ignored" Warning "Armada ignores this field, and so does the output"
    FieldMisread "field-misread" Warning "Armada reads a value as something other than it looks"
    FieldMissing "field-missing" Error "a required field is missing"
    FieldNotCarried "field-not-carried" Warning "the effect of this field is not carried over"
    FieldType "field-type" Error "a field has the wrong type"
    FieldUnknown "field-unknown" Error "a field that Armada's schema does not know"
    GateNotCarried "gate-not-carried" Warning "Armada itself waited after Helm, plain Flux does not"
    GroupEmpty "group-empty" Warning "a chart group lists no chart"
    GroupUnlisted "group-unlisted" Note "a chart group that no Manifest lists"
    InputEmpty "input-empty" Error "the input holds no Armada document"
    InputEncoding "input-encoding" Error "the input is not UTF-8"
    InputLimit "input-limit" Error "the input is larger than the limit allows"
    KeyCollision "key-collision" Warning "two different keys become one on the way to Helm"
    KeyDuplicate "key-duplicate" Warning "a key appears twice in a mapping; the last one wins, as in Armada"
    KeyRetyped "key-retyped" Warning "a key reached Helm as a different text than written"
    KeyType "key-type" Error "a key that Armada or Helm rejects"
    ManifestAmbiguous "manifest-ambiguous" Error "several Manifests, of which none is chosen or two have one name"
    ManifestMissing "manifest-missing" Error "no Manifest of that name"
    ManifestOverlap "manifest-overlap" Warning "two Manifests of the input deploy the same releases"
    NameInvalid "name-invalid" Error "a name that Helm, Kubernetes or Flux does not accept"
    NameRewritten "name-rewritten" Warning "a name was changed to fit a file name or a label"
    ObjectDuplicate "object-duplicate" Error "an object appears twice in a Flux tree"
    ObjectInvalid "object-invalid" Error "a document of a Flux tree is not a Kubernetes object"
    ObjectLarge "object-large" Warning "a HelmRelease is near a limit of Kubernetes, or above one of some tools"
    ObjectTooLarge "object-too-large" Warning "a HelmRelease is larger than Kubernetes can hold"
    OverrideInvalid "override-invalid" Error "an override on which Armada fails"
    OverrideUnmatched "override-unmatched" Warning "a document of an override file matches nothing and is ignored, as in Armada"
    PreDeleteAsHook "pre-delete-as-hook" Warning "Jobs that Armada deleted before each upgrade become hooks"
    PreDeleteNotCarried "pre-delete-not-carried" Warning "Armada deleted objects before each upgrade, plain Flux has no counterpart"
    ReferenceMissing "reference-missing" Error "a reference to a document that does not exist"
    ReleaseDuplicate "release-duplicate" Error "two charts deploy the same release"
    ReleaseRenamed "release-renamed" Warning "a release's labels name another release"
    SchemaVersion "schema-version" Warning "an Armada document of an unknown version was skipped, as in Armada"
    SourceMapInvalid "source-map-invalid" Error "the source map is not valid"
    SourceMoving "source-moving" Warning "a source is not pinned to a commit"
    SourceRewritten "source-rewritten" Warning "Flux reads a source in another way than Armada"
    SourceRuleUnused "source-rule-unused" Warning "a rule of the source map that no source uses"
    SourceSecret "source-secret" Warning "a source needs a Secret that only you can fill"
    SourceUnresolved "source-unresolved" Warning "a chart source that Flux cannot read"
    SourceVersionSuffix "source-version-suffix" Note "the version of a chart from a registry gets a suffix"
    TagUnknown "tag-unknown" Error "a YAML tag that Armada rejects"
    TestOff "test-off" Note "the documents turn the tests of a release off"
    TextUnsafe "text-unsafe" Warning "a value or a key that not every way to Helm keeps"
    ValueNotFinite "value-not-finite" Error "an infinite or undefined number, which Helm rejects"
    ValueRejected "value-rejected" Error "a value that Armada's YAML reader rejects"
    ValueRetyped "value-retyped" Warning "a value reached Helm as something other than written"
    ValueShared "value-shared" Warning "Armada writes into the values through an anchor that another field shares"
    YamlSyntax "yaml-syntax" Error "a document is not valid YAML"
}

impl Code {
    /// Returns whether something that Armada did, or a part of the input, is missing from the output.
    /// `--strict` fails on these codes.
    #[must_use]
    pub(crate) fn is_lossy(self) -> bool {
        LOSSY.contains(&self)
    }
}

/// The codes that `--strict` fails on.
const LOSSY: &[Code] = &[
    Code::ChartInTwoGroups,
    Code::DependencyNotCarried,
    Code::FieldNotCarried,
    Code::GateNotCarried,
    Code::KeyCollision,
    Code::ObjectTooLarge,
    Code::PreDeleteNotCarried,
    Code::SourceMoving,
    Code::SourceUnresolved,
    Code::TextUnsafe,
    Code::ValueShared,
];

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.name() == name)
            .ok_or(UnknownCode)
    }
}

/// No diagnostic has that code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no diagnostic has this code, docs/diagnostics.md lists them")]
pub struct UnknownCode;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sorted() {
        let names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names.len(), sorted.len());
    }

    #[test]
    fn losses_are_warnings_since_errors_fail_anyway() {
        for code in LOSSY {
            assert_eq!(code.severity(), Severity::Warning, "{code}");
        }
    }
}
