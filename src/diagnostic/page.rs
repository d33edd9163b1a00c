//! The documentation of each code: why it matters and what to do. `docs/diagnostics.md` is generated from it.

use super::Code;

/// The documentation of a code, beside its title.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Why it matters.
    pub why: &'static str,
    /// The advice.
    pub fix: &'static str,
}

impl Code {
    /// Returns why the code matters and what to do.
    #[must_use]
    pub fn page(self) -> Page {
        page(self)
    }
}

macro_rules! pages {
    ($($code:ident: $why:literal, $fix:literal;)*) => {
        /// Returns the page of a code; a code without one does not compile.
        fn page(code: Code) -> Page {
            match code {
                $(Code::$code => Page { why: $why, fix: $fix },)*
            }
        }
    };
}

pages! {
    AliasLimit:
        "A few anchors that refer to one another can expand to more text than fits in memory. Helm rejects such files, too.",
        "Write out the repeated part, or split the document. The message shows the limit.";
    AnchorDuplicate:
        "Armada's YAML reader rejects the whole document, so it never deployed a release from it.",
        "Rename one of the two anchors.";
    ChartInTwoGroups:
        "Armada processes the chart at both places. In a tree a release has one place, the first. What is between the two places no longer precedes the second run of the chart.",
        "Remove the chart from the group in which its order does not matter.";
    ChartNotRendered:
        "A raw Deckhand chart lacks the fields that layers and substitutions fill in: its source, its passwords, often its release name. It is not what is deployed. In an export without secrets the whole `data` of a chart with secrets is one digest.",
        "Render the site (`pegleg site -r REPOSITORY render SITE`) or export what is deployed (`shipyard get renderedconfigdocs --cleartext-secrets`), and convert that.";
    CommentLost:
        "Comments inside values are kept at their entry; this one has no entry in the output.",
        "To keep the comment, move it to a line of its own above an entry.";
    DepthLimit:
        "Deep nesting can exhaust memory. Real documents stay far below the limit, which the message shows.",
        "Flatten the document, or check that it is the right file.";
    DependencyCycle:
        "No order builds charts that depend on one another.",
        "Remove one of the dependencies in the circle.";
    DependencyNotCarried:
        "Armada empties the chart's `charts` folder and puts the named charts there. For charts and dependencies from Git repositories the tree does the same. A published archive cannot be changed that way: Flux installs it with the subcharts that were packaged into it.",
        "Check that the archive holds the dependency in the right version, as archives of StarlingX do; otherwise package it again, or map the source to a Git repository.";
    DeployFault:
        "Armada's validation does not check this, but its deployment does: the run fails at this chart. The diagnostic is a warning for a chart that the chosen Manifest does not deploy, and for what fails only when a failed release is uninstalled.",
        "Correct the document at the place shown.";
    DocumentDuplicate:
        "Armada silently takes the first of two documents with the same kind and name. Changes to the second have no effect.",
        "Remove the document that is not meant. If the second is meant, remove the first: the release then changes.";
    DocumentSkipped:
        "Armada ignores documents of other schemas, and so does this program. The count helps to find a file that was given by mistake.",
        "Nothing is needed, unless a file was given by mistake.";
    FieldIgnored:
        "The field never had an effect.",
        "Remove it, or set the field that Armada reads.";
    FieldMisread:
        "No schema checks the lists under v2's `wait.resources`, and Python reads many values as true, for example the text `\"false\"`. A time limit that is not positive is 300 s for Helm, where Armada itself waits for nothing.",
        "Write what is meant. The value that Armada used is carried over.";
    FieldMissing:
        "Armada's schema requires the field. Armada rejects the document.",
        "Add the field. If the documents come from Deckhand, render the site first.";
    FieldNotCarried:
        "The field had an effect in Armada. The program does not write it into the tree.",
        "Follow the help of the message. The report of `convert` lists every such field.";
    FieldType:
        "Armada's schema requires another type. Armada rejects the document.",
        "Correct the value. Quotes decide: `\"900\"` is a string, `900` an integer.";
    FieldUnknown:
        "Armada's schema rejects the document. A misspelt field would otherwise be lost silently.",
        "Correct the name or remove the field.";
    GateNotCarried:
        "After Helm and its hooks finished, Armada waited for Jobs, pods and other objects by label before it continued. Flux cannot wait after hooks. It waits before them, and charts whose pods need a post-install hook then never become ready. So the tree keeps the wait unchanged in the annotation `armada2flux.dev/gates`. `apply` acts on it. Plain Flux does not, and dependents may start earlier than in Armada. With `--waits cel` health checks replace the wait where Helm waited for the same objects, and for releases named with `--cel-before-hooks`. They check only objects of the chart, never pods of controllers, and they pass when an object is missing.",
        "Deploy with `apply`, or check that the next stages tolerate an early start. Use `--waits cel` if no pod of the chart needs a post-install hook.";
    GroupEmpty:
        "An empty group deploys nothing. Armada passes it where it is sequenced.",
        "Remove the group from the Manifest.";
    GroupUnlisted:
        "No Manifest deploys the group, so its charts are not converted.",
        "To deploy the group, list it in a Manifest.";
    InputEmpty:
        "Nothing can be converted.",
        "Give the files that hold the Manifest and the documents that it names.";
    InputEncoding:
        "Documents are read as UTF-8. Guessing another encoding could silently change passwords and names.",
        "Save the file as UTF-8, or leave it out.";
    InputLimit:
        "All input is kept in memory. The limit is far above any real site.",
        "Check that these are the right files, or convert the site in parts.";
    KeyCollision:
        "YAML keeps `1` and `\"1\"` apart, JSON does not. Helm kept one of them, possibly another one in each run.",
        "Remove one of the two keys. `helm get values` shows which one the running release has.";
    KeyDuplicate:
        "Armada silently takes the last one. Other programs reject the file. Changes to the first have no effect.",
        "Remove the entry that is not meant.";
    KeyRetyped:
        "Armada writes keys without quotes where it can, and Helm reads some of them as booleans or numbers. The chart received the delivered key.",
        "A running release needs nothing: the delivered key is written. For a new release use `--values-as written` or rename the key.";
    KeyType:
        "Lists, mappings and null cannot be keys of values. A mapping as key is usually an unquoted `{{ … }}`.",
        "Quote the template, or correct the key.";
    ManifestAmbiguous:
        "Each Manifest is a site of its own, and Manifests often hold the same releases. Armada does not choose, either. It refuses two Manifests of one name, even where another one is chosen.",
        "Choose one with `--target-manifest`. Rename or remove one of two with the same name.";
    ManifestMissing:
        "The Manifest sets which groups are deployed and in which order.",
        "Give the file that holds the Manifest, or correct the name after `--target-manifest`.";
    ManifestOverlap:
        "A release has one owner. Two trees with the same release keep overwriting each other's order and digests. The Manifests of a rendered Airship site mostly hold the same releases.",
        "Convert the Manifest that holds all releases that are to stay. The bootstrap Manifest of an Airship site is a part of the full one.";
    NameInvalid:
        "Helm allows release names of at most 53 characters. Kubernetes names are lower-case letters, digits and hyphens. A shortened or changed name would be another release.",
        "Correct the name in the document. If the release runs under another name, another document was deployed.";
    NameRewritten:
        "The name is not valid as a file name or label. Release names and namespaces are never changed.",
        "Set another name with `--site`, or accept the changed name.";
    ObjectDuplicate:
        "The API server would hold what was sent last. Which one that is depends on the program that applies the tree; `kubectl kustomize` refuses it.",
        "Leave one of the two. Of two sites that deploy to one namespace, one writes it: convert the other with `--no-namespaces`.";
    ObjectInvalid:
        "A tree holds one object in each document, with `apiVersion`, `kind` and `metadata.name`. What else stands in its files would be neither compared nor applied.",
        "Correct the document, or leave it out of the tree. Write the items of a list as documents of their own.";
    ObjectLarge:
        "Client-side `kubectl apply` keeps a copy of the object in an annotation of at most 256 KiB and fails above that. Helm's record of a release and every Secret or ConfigMap hold at most 1 MiB. The record holds values, templates and rendered objects together.",
        "Use server-side apply. Near 1 MiB move large texts out of the values, or check that the rendered objects of the chart are small.";
    ObjectTooLarge:
        "etcd allows objects up to 1.5 MiB. Helm's record holds values compressed, a HelmRelease holds them as they are.",
        "Move large texts into a ConfigMap or Secret and name it in the HelmRelease's `valuesFrom`.";
    OverrideInvalid:
        "Armada ends with an error, often a Python traceback, and deploys nothing. A partly applied override would convert a different site.",
        "Write `--set KIND:NAME:path=value` with KIND as chart, chart_group or manifest, a name that is in the input, and a path that leads through mappings only. In a file under `--values`, keep mappings where the document has mappings.";
    OverrideUnmatched:
        "Documents of override files are matched by kind, schema version and name. A document that matches nothing has no effect, and Armada does not report it.",
        "Correct the schema or the name, or remove the document.";
    PreDeleteAsHook:
        "Helm recreates a hook at each upgrade, so Kubernetes accepts a changed template. But hooks run one after another, by weight and name, after all other objects of the release. Plain Jobs run in parallel. A Job that waits for a later one never finishes, and neither does the upgrade. Weights follow the names of OpenStack-Helm's Jobs.",
        "Compare the order with the dependencies of the Jobs, and add a weight to the HelmRelease's `postRenderers` where the order is wrong.";
    PreDeleteNotCarried:
        "Kubernetes refuses to change the template of an existing Job. Armada deleted the Jobs before every upgrade. Plain Flux has no counterpart, so an upgrade that changes a Job fails. The tree keeps the deletion as an annotation, and `armada2flux apply` deletes the same objects before an upgrade that changes chart or values.",
        "Upgrade with `armada2flux apply`. Where Git applies the tree, delete the Jobs with `kubectl delete job` before such an upgrade, or convert with `--pre-delete hook`, which turns them into hooks where Helm does not wait.";
    ReferenceMissing:
        "Armada rejects a Manifest or group that names a missing document.",
        "Give all files of the site, or correct the name.";
    ReleaseDuplicate:
        "Two HelmReleases for one Helm release keep overwriting each other's upgrades.",
        "Rename one release, or remove one of the charts.";
    ReleaseRenamed:
        "Charts label their objects with the release's name, and a document selects them by this label. A selector with another name was written for another release. If `release_prefix` or `release` has changed since, Helm installs a second release beside the running one, and the waits and deletions of the document find nothing. The warning is a false alarm for charts that set the label in another way.",
        "Compare with `helm list -A`: the converted release must have the name shown there. Correct `release_prefix`, `release` or the label.";
    SchemaVersion:
        "Armada skips documents of versions that it does not know, without failing.",
        "Correct the schema if the document is meant.";
    SourceMapInvalid:
        "A source map that is read in part would take some charts from the wrong source, so nothing is written until it is valid.",
        "Correct the map at the place shown. `armada2flux schema source-map` prints a schema for editors, `docs/guide/sources.md` explains the file.";
    SourceMoving:
        "Armada deployed the commit to which the branch or tag pointed at that time, or the version of that time. Flux follows the source, and deploys again when the chart's version changes.",
        "Pin the deployed commit or version, in the document or in a rule of the source map.";
    SourceRewritten:
        "Flux does not read the source the way Armada did: it does not support `git://`, and an archive that a forge packs from a commit has no chart index. The same content is read from another address of the same server.",
        "Check that the address works. If not, set another one in the source map.";
    SourceRuleUnused:
        "A rule without effect usually has a misspelt pattern, or follows a rule that matches the same sources. Its charts then keep their old source.",
        "Compare the pattern with the location that `source-map init` prints, move the rule up, or remove it.";
    SourceSecret:
        "Armada had the key or the proxy in its own configuration or in the document. Flux reads both from a Secret in the namespace of the source object. The tree holds the Secret without content, and the source is not ready until the Secret is filled in.",
        "Fill in the Secret, encrypted if it goes to Git, or name another one in the source map. For SSH it needs `identity` and `known_hosts`: Armada did not check the host key, Flux does.";
    SourceUnresolved:
        "Flux reads Git over HTTP, HTTPS and SSH, and chart archives through the index of their repository. The release is written with a reference to a missing source.",
        "Publish the chart where Flux can read it, and map it there in a source map. `armada2flux source-map init` writes a source map with one rule for each such source.";
    SourceVersionSuffix:
        "Flux adds `+` and the first digits of the artifact's digest to the version of a chart from an OCIRepository, so the chart's version changes in Helm and in labels such as `helm.sh/chart`. A takeover of a running release is then always an upgrade.",
        "A new cluster needs nothing. To keep the plain version, use a HelmRepository with an `oci://` address in the rule, or start helm-controller with `--feature-gates=DisableChartDigestTracking=true`.";
    TagUnknown:
        "Armada's YAML reader rejects a document with a tag that it does not know.",
        "Remove the tag.";
    TestOff:
        "Armada runs the tests of a release unless the chart or, in v1, its group turns them off. These tests were off in Armada and stay off. The default of Flux is off, so every other release is written with its tests on.",
        "To run the tests, set `test.enabled: true` in the chart. Otherwise nothing is needed.";
    TextUnsafe:
        "Control characters, U+0085, a key `<<`, keys longer than 1,024 characters and minus zero are changed, \
         rejected or dropped between a HelmRelease and Helm. helm-controller ignores values that it cannot read: \
         if an object with one such key or character was created by a tool that does not reject it, the release \
         gets no values at all. `docs/yaml.md` lists the effect of each tool.",
        "Remove them, or write the values with `--values-in secret`: the text of a Secret keeps all of them.";
    ValueNotFinite:
        "JSON has no infinity. Helm rejects the values, so it never deployed a release with them.",
        "Write a number or a quoted string.";
    ValueRejected:
        "Armada's YAML reader rejects the value, and with it the whole document.",
        "Quote the value, or correct it.";
    ValueRetyped:
        "Armada writes values into a file that Helm reads by other rules: a quoted `\"08\"` arrives as the number 8, `\"y\"` as true. The running release has the delivered values.",
        "A running release needs nothing: the delivered value is written. For a new cluster use `--values-as written`.";
    ValueShared:
        "An anchor and its aliases are one object in Python. Armada completes the entries of `wait.resources` with their labels and replaces the names in `dependencies` by the charts, both in place. Where values share such an object, Helm received what Armada wrote into it. The output holds the values as they are written.",
        "Write the shared part out at both places. `helm get values` shows what the running release has.";
    YamlSyntax:
        "A document that cannot be read is not converted. The other documents of the file are still checked.",
        "Correct the document at the place shown. Tabs as indentation are the most common cause.";
}
