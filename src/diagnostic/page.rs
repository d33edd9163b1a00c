//! The documentation of each code: why it matters and what to do. `docs/diagnostics.md` is made of it.

use super::Code;

/// What is to be known of a code, beside its title.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Why it matters.
    pub why: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

impl Code {
    /// The documentation of the code.
    #[must_use]
    pub fn page(self) -> Page {
        page(self)
    }
}

macro_rules! pages {
    ($($code:ident: $why:literal, $fix:literal;)*) => {
        /// A code without a page does not compile.
        fn page(code: Code) -> Page {
            match code {
                $(Code::$code => Page { why: $why, fix: $fix },)*
            }
        }
    };
}

pages! {
    AliasLimit:
        "A few anchors that refer to one another can stand for more text than any machine holds. Helm refuses such files too.",
        "Write the repeated part out, or split the document. The message names the limit.";
    AnchorDuplicate:
        "Armada's YAML reader refuses the whole document, so no release was ever made of it.",
        "Rename one of the two anchors.";
    ChartInTwoGroups:
        "Armada processes the chart at both places. In a tree a release has one place; it keeps the first, so whatever stands between the two places no longer precedes its second run.",
        "Remove the chart from one of the groups, the one whose order does not matter.";
    ChartNotRendered:
        "A raw Deckhand chart lacks what layers and substitutions fill in: its source, often its release name, its passwords. Armada never sees it in this form.",
        "Render the site (`pegleg site -r REPOSITORY render SITE`) or export what runs (`shipyard get renderedconfigdocs --cleartext-secrets`), and convert that. Without `--cleartext-secrets` charts with secrets come out as a single digest.";
    CommentLost:
        "Comments inside values are kept at the entry they belong to; this one belongs to none that is written.",
        "Nothing, or move the comment to a line of its own above an entry.";
    DepthLimit:
        "Deep nesting is how hostile files exhaust memory. Real documents stay far below the limit, which the message names.",
        "Flatten the document, or check that the file is what it should be.";
    DependencyCycle:
        "Armada follows dependencies until it runs out of stack.",
        "Remove one dependency of the circle.";
    DependencyNotCarried:
        "Armada empties the chart's `charts` folder and puts the named charts there. For charts and dependencies from Git repositories the tree does the same. A published archive cannot be changed that way: Flux installs it with the subcharts that were packaged into it.",
        "Check that the archive holds the dependency in the right version, as archives of StarlingX do; otherwise package it again, or map the source to a Git repository.";
    DeployFault:
        "Armada's validation does not look at the field, its deployment does: the run fails at this chart. A release that runs was not made from the document as it is.",
        "Correct the field. For a chart that no Manifest deploys it is a warning.";
    DocumentDuplicate:
        "Armada takes the first of two documents with the same kind and name and does not say so. Whoever edits the second changes nothing.",
        "Remove the one that is not meant. If the second is meant, remove the first: the release will change.";
    DocumentSkipped:
        "Armada ignores documents of other schemas, and so does this program. The count tells whether a file was given by mistake.",
        "Nothing.";
    FieldIgnored:
        "The field never had an effect, whatever its author expected.",
        "Remove it, or say what it meant in the place that Armada reads.";
    FieldMisread:
        "No schema checks the lists under v2's `wait.resources`, and Python takes many things for true: the text `\"false\"`, for one.",
        "Write `true` or `false`, or a number, as it is meant. What counted is carried over.";
    FieldMissing:
        "Armada's schema requires the field; it refuses the document.",
        "Add the field. If the documents come from Deckhand, render the site first.";
    FieldNotCarried:
        "The field had an effect in Armada. This version of the program does not write it into the tree.",
        "Do by hand what the help says, and look for it in the report after the next version.";
    FieldType:
        "Armada's schema asks for another type and refuses the document.",
        "Correct the value. Quotes decide: `\"900\"` is a string, `900` an integer.";
    FieldUnknown:
        "Armada's schema refuses the document. A misspelt field would otherwise be lost without a word.",
        "Correct the name or remove the field.";
    GateNotCarried:
        "After Helm and its hooks were done Armada waited for Jobs, pods and others by label before it went on. Flux has nothing that waits after hooks: what it can wait for, it waits for before them, and charts whose pods need a post-install hook then never come up. So the wait is kept word for word in the annotation `armada2flux.dev/gates`: `apply` acts on it, plain Flux does not, and dependents may start earlier than they did. With `--waits cel` health checks stand for it where Helm waited for the same objects, and for releases named with `--cel-before-hooks`; they see objects of the chart only, never pods of controllers, and do not miss an object that is not there.",
        "Deploy with `apply`, or check that the next stages tolerate an early start. Use `--waits cel` if no pod of the chart needs a post-install hook.";
    GroupEmpty:
        "Armada fails on an empty group unless it is sequenced.",
        "Remove the group from the Manifest.";
    GroupUnlisted:
        "No Manifest deploys the group; its charts are not converted.",
        "List it in a Manifest if it is meant.";
    InputEmpty:
        "There is nothing to convert.",
        "Give the files that hold the Manifest and the documents it names.";
    InputEncoding:
        "Armada reads UTF-8; so does this program. A wrong guess would change passwords and names silently.",
        "Save the file as UTF-8, or leave it out.";
    InputLimit:
        "All input is held in memory. The limit is far above any real site.",
        "Convert the site in parts, and check that the files are what they should be.";
    KeyCollision:
        "YAML keeps `1` and `\"1\"` apart, JSON does not. Helm kept one of them, and which one could differ from run to run.",
        "Remove one of the two keys; look at the live release to see which one counted.";
    KeyDuplicate:
        "Armada takes the last one and says nothing; other programs refuse the file. Whoever edits the first changes nothing.",
        "Remove the one that is not meant.";
    KeyRetyped:
        "Armada writes keys without quotes wherever it can, and Helm reads some of them as truth values or numbers. The chart saw the delivered key.",
        "Nothing for a live release: the delivered key is written. For a new one use `--values-as written` or rename the key.";
    KeyType:
        "Lists, mappings and null cannot be keys of values. A mapping as key is most often an unquoted `{{ … }}`.",
        "Quote the template, or correct the key.";
    ManifestAmbiguous:
        "Each Manifest is a site of its own, and they often hold the same releases. Armada refuses to guess, too.",
        "Choose one with `--target-manifest`.";
    ManifestMissing:
        "The Manifest says which groups are deployed and in which order.",
        "Give the file that holds it, or correct the name after `--target-manifest`.";
    ManifestOverlap:
        "A release has one owner. Two trees that both hold it undo each other's order and digests for ever, and the Manifests of a rendered Airship site mostly repeat one another.",
        "Make a tree of one of the Manifests: the one that holds all releases that are to stay. The bootstrap Manifest of an Airship site is a part of the full one.";
    NameInvalid:
        "Helm takes release names of at most 53 characters; Kubernetes names are lower-case letters, digits and hyphens. A shortened or changed name would be another release.",
        "Correct the name in the document. If the release is live under another name, the document is not what was deployed.";
    NameRewritten:
        "A file name or label cannot hold the name as it is. Release names and namespaces are never changed.",
        "Give a name of your own with `--site`, or accept the changed one.";
    ObjectLarge:
        "Client-side `kubectl apply` keeps a copy of the object in an annotation of at most 256 KiB and fails beyond it. Helm's record of a release and every Secret or ConfigMap end at 1 MiB, the record holding values, templates and rendered objects together.",
        "Apply server-side. Near 1 MiB move large texts out of the values, or check that the chart renders little beside them.";
    ObjectTooLarge:
        "etcd takes objects up to 1.5 MiB. Armada kept values in Helm's compressed record only, Flux keeps them in the HelmRelease as they are.",
        "Move large texts into a ConfigMap or Secret and name it in the HelmRelease's `valuesFrom`.";
    OverrideInvalid:
        "Armada ends with an error, often a raw one of Python, and deploys nothing. A half-applied override would convert another site than the one that is meant.",
        "Write `--set KIND:NAME:path=value` with KIND one of chart, chart_group and manifest, a name that is in the input, and a path that leads through mappings only. In a file under `--values`, keep mappings where the document has mappings.";
    OverrideUnmatched:
        "Documents of override files are matched by kind, schema version and name. One that matches nothing changes nothing, and Armada does not say so.",
        "Correct the schema or the name, or remove the document.";
    PreDeleteAsHook:
        "Helm makes a hook anew at each upgrade, so a changed template is no longer refused. But hooks run one after another, by weight and name, after everything else of the release; plain Jobs run side by side. A Job that waits for one that runs later never ends, and the upgrade with it. Weights are given by the names of OpenStack-Helm's Jobs.",
        "Compare the order with what the Jobs wait for, and add a weight to the HelmRelease's `postRenderers` where it is wrong.";
    PreDeleteNotCarried:
        "Kubernetes refuses to change the template of an existing Job. Armada deleted the Jobs before every upgrade. Plain Flux has no counterpart, so an upgrade that changes one fails; `armada2flux apply` deletes what Armada deleted, before an upgrade that changes chart or values, and the tree carries it as an annotation.",
        "Upgrade with `armada2flux apply`. Where Git applies the tree, delete the Jobs by hand before such an upgrade, or let Flux make them hooks with `--pre-delete hook` where Helm does not wait.";
    ReferenceMissing:
        "Armada refuses a Manifest or group that names a document it cannot find.",
        "Give all files of the site, or correct the name.";
    ReleaseDuplicate:
        "Two HelmReleases for one Helm release upgrade each other's work away for ever.",
        "Rename one release, or remove one of the charts.";
    ReleaseRenamed:
        "Charts label their objects with the release's name, and a document selects them by it. A selector with another name was written for another release: then `release_prefix` or `release` has changed, Helm would install a second release beside the running one, and the waits and deletions of the document find nothing. Charts that take the label from elsewhere make it a false alarm.",
        "Compare with `helm list -A`: the name there is the one that must come out. Correct `release_prefix`, `release` or the label.";
    SchemaVersion:
        "Armada skips documents of versions it does not know, without failing.",
        "Correct the schema if the document was meant.";
    SourceMapInvalid:
        "A map that is read half would send some charts to the wrong place, so nothing is written while it has a fault.",
        "Correct the place; `armada2flux schema source-map` describes the file for editors, `docs/guide/sources.md` for people.";
    SourceMoving:
        "Armada deployed what the branch or tag pointed to when it ran, or what the version was when it was fetched. Flux follows it from now on, and deploys what it finds there when the chart's version is another one.",
        "Pin the commit or the version that runs, in the document or in a rule of the source map.";
    SourceRewritten:
        "Flux does not read the source the way Armada did: `git://` has no counterpart, and an archive that a forge packs of a commit has no chart index beside it. The same content is taken from another address of the same server.",
        "Check that the address answers; give another one in the source map if it does not.";
    SourceRuleUnused:
        "A rule without effect is most often a misspelt pattern, or stands behind a rule that matches the same sources. The charts it was written for are then taken from where they were.",
        "Compare the pattern with the location in the message of `source-map init`, move the rule up, or remove it.";
    SourceSecret:
        "Armada had the key or the proxy in its own configuration or in the document; Flux reads both from a Secret beside the source object. The tree holds the Secret without content, and the source stays unready until it has some.",
        "Fill the Secret in, encrypted if it goes to Git, or name one of your own in the source map. For ssh it needs `identity` and `known_hosts`: Armada did not check the host's key, Flux does.";
    SourceUnresolved:
        "Flux reads Git over http, https and ssh, and chart archives through the index of their repository. The release is written, with a reference to a source that is not there.",
        "Publish the chart where Flux can read it and say so in a source map: `armada2flux source-map init` writes one with what is missing.";
    SourceVersionSuffix:
        "Flux adds `+` and the first digits of the artifact's digest to the version of a chart from an OCIRepository, so the chart's version in Helm and in labels like `helm.sh/chart` changes. Taking over a running release is then always one upgrade.",
        "Nothing for a new cluster. To keep the plain version, make the rule a HelmRepository with an `oci://` address, or switch off the feature gate with `--feature-gates=DisableChartDigestTracking=true` at helm-controller.";
    TagUnknown:
        "Armada's YAML reader refuses a tag it does not know, and the whole document with it.",
        "Remove the tag.";
    TestOff:
        "Armada tests a release unless the chart or, in v1, its group says otherwise. These tests were off in Armada and stay off. Flux's own default is off; every other release is written with its tests on, so none is turned off on the way.",
        "Nothing if it is meant. To have the tests run, set `test.enabled: true` in the chart.";
    TextUnsafe:
        "Control characters, U+0085, a key `<<`, keys longer than 1,024 characters and minus zero are changed, \
         refused or dropped between a HelmRelease and Helm. Helm-controller passes over values that it cannot read: \
         of a release with one such key or character, created in a way that does not refuse it, no value at all \
         arrives. `docs/yaml.md` lists what happens on which way.",
        "Remove them, or write the values with `--values-in secret`: the text of a Secret carries all of them.";
    ValueNotFinite:
        "JSON has no infinity. Helm refuses the values, so no release was ever made of them.",
        "Write a number or a quoted string.";
    ValueRejected:
        "Armada's YAML reader refuses the value, and the whole document with it.",
        "Quote the value, or correct it.";
    ValueRetyped:
        "Armada writes values into a file that Helm reads by other rules: a quoted `\"08\"` arrives as the number 8, `\"y\"` as true. The running release was made with what arrived.",
        "Nothing for a live release: what arrived is written. For a new cluster use `--values-as written`.";
    YamlSyntax:
        "A document that cannot be read is not converted. The other documents of the file are still checked.",
        "Correct it at the place shown. Tabs as indentation are the most common cause.";
}
