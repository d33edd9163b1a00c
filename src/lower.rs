//! The plan to Flux objects. Lowering sees documents and plan, never a cluster.

mod fingerprint;
mod namespace;
mod order;
mod pre_delete;
mod release;
mod size;
mod slug;
mod source;
mod substitution;
mod values;
mod waits;

use crate::diagnostic::Diagnostics;
use crate::flux::Object;
use crate::flux::helm_release::SourceReference;
use crate::plan::Plan;
use crate::source_map::SourceMap;
use crate::value::Text;
use crate::yaml::deliver::Delivery;

pub use pre_delete::PreDeletes;
pub use slug::slug;
pub use source::survey::{Surveyed, Verdict, survey};
pub use values::ValuesIn;
pub use waits::{ArmadaHelm, Waits};

/// Where source objects go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceNamespace {
    /// One object for all releases, in this namespace.
    Shared(Text),
    /// A copy in the namespace of each release.
    Release,
}

/// Choices that change what is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the site; `None` takes the Manifest's.
    pub site: Option<Text>,
    /// How values are typed.
    pub delivery: Delivery,
    /// Where values are written.
    pub values_in: ValuesIn,
    /// What becomes of Jobs that Armada deletes before upgrades.
    pub pre_deletes: PreDeletes,
    /// Whether releases are written running instead of suspended.
    pub new_cluster: bool,
    /// Whether Namespace objects are written.
    pub namespaces: bool,
    /// Where source objects go.
    pub source_namespace: SourceNamespace,
    /// Where Flux finds charts instead of where Armada found them.
    pub source_map: SourceMap,
    /// What becomes of Armada's own waits.
    pub waits: Waits,
    /// The Helm that Armada ran.
    pub armada_helm: ArmadaHelm,
}

/// What lowering counts on its way.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Name of the site.
    pub site: Text,
    /// Namespace objects.
    pub namespaces: usize,
    /// Source objects.
    pub sources: usize,
    /// Secrets without content, which somebody has to fill in.
    pub empty_secrets: usize,
    /// Secrets and ConfigMaps with values.
    pub values_objects: usize,
    /// HelmReleases.
    pub releases: usize,
    /// HelmReleases written with `suspend: true`.
    pub suspended: usize,
    /// Entries of `dependsOn`, of all HelmReleases.
    pub dependencies: usize,
    /// HelmReleases with health checks that stand for waits of Armada.
    pub health_checked: usize,
    /// Leaves of values that are secret and written in clear text.
    pub secrets: usize,
    /// Those of them that stand in a Secret.
    pub secrets_apart: usize,
    /// HelmReleases that hold such leaves.
    pub releases_with_secrets: usize,
    /// Nulls in values, which client-side apply would drop.
    pub nulls: usize,
    /// Charts whose source nothing in Flux can read yet.
    pub unresolved: usize,
    /// What each release came to, in order of deployment.
    pub by_release: Vec<Lowered>,
}

/// What a release came to.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Name of the release.
    pub name: Text,
    /// Its namespace.
    pub namespace: Text,
    /// Its source object.
    pub source: SourceReference,
    /// Number of the source map's rule that decided, from 1; `None` when the document did.
    pub rule: Option<usize>,
    /// The commit of its chart, if it is pinned to one.
    pub commit: Option<Text>,
    /// The location that nothing in Flux can read, fit for messages.
    pub unresolved: Option<Text>,
    /// Secret values written in clear text.
    pub secrets: usize,
    /// Nulls in its values.
    pub nulls: usize,
    /// Bytes of the HelmRelease as JSON.
    pub bytes: usize,
    /// Objects that hold its values, as `KIND NAMESPACE/NAME`, in the order in which they are merged.
    pub values_from: Vec<Text>,
}

/// What an object is to the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role<'p> {
    /// A Namespace.
    Namespace,
    /// A source object, or a Secret that one needs.
    Source,
    /// A Secret or ConfigMap with values of a release of a stage.
    Values {
        /// Number of the stage, from 1.
        stage: usize,
        /// Name of its chart group.
        group: &'p str,
        /// Name of the Chart document.
        chart: &'p str,
        /// Name of the release.
        release: &'p str,
    },
    /// A HelmRelease of a stage.
    Release {
        /// Number of the stage, from 1.
        stage: usize,
        /// Name of its chart group.
        group: &'p str,
        /// Name of the Chart document.
        chart: &'p str,
    },
}

/// Makes the objects of a plan and hands them to `sink` one by one: namespaces, sources, then the
/// releases in order. One at a time, since the values of a whole site are large.
pub fn lower(
    plan: &Plan<'_, '_>,
    options: &Options,
    diagnostics: &mut Diagnostics,
    mut sink: impl FnMut(Role<'_>, Object),
) -> Totals {
    let site = slug::label_value(options.site.as_ref().unwrap_or(&plan.manifest));
    if options.site.is_none() && site != plan.manifest {
        slug::rewritten(&plan.manifest, &site, plan.manifest_span, diagnostics);
    }
    let mut totals = Totals {
        site: site.clone(),
        ..Totals::default()
    };
    if options.namespaces {
        for object in namespace::objects(plan, &site) {
            totals.namespaces += 1;
            sink(Role::Namespace, object);
        }
    }
    let sources = source::Sources::new(
        plan,
        &options.source_namespace,
        &options.source_map,
        &site,
        diagnostics,
    );
    for object in sources.objects() {
        let counted = match &*object.kind {
            "Secret" => &mut totals.empty_secrets,
            _ => &mut totals.sources,
        };
        *counted += 1;
        sink(Role::Source, object.clone());
    }
    totals.unresolved = sources.unresolved();
    let mut order = order::Order::default();
    for (stage, step) in plan.steps() {
        let position = order.enter(stage, step);
        let mut digests = Vec::new();
        let mut objects = Vec::new();
        for release in &step.releases {
            let lowered = release::lower(release, &position, &sources, options, &site, diagnostics);
            let Some(lowered) = lowered else { continue };
            totals.releases += 1;
            totals.dependencies += position.depends_on.len();
            totals.health_checked += usize::from(lowered.health_checked);
            totals.suspended += usize::from(!options.new_cluster);
            totals.secrets += lowered.secrets;
            if options.values_in.keeps_secrets_apart() {
                totals.secrets_apart += lowered.secrets;
            }
            totals.releases_with_secrets += usize::from(lowered.secrets > 0);
            totals.nulls += lowered.nulls;
            let source = sources.of(release);
            totals.by_release.push(Lowered {
                name: release.name.clone(),
                namespace: release.namespace.clone(),
                source: source.chart.source().clone(),
                rule: source.rule,
                commit: source.commit.clone(),
                unresolved: source.unresolved.clone(),
                secrets: lowered.secrets,
                nulls: lowered.nulls,
                bytes: size::check(release, &lowered.object, diagnostics),
                values_from: lowered.values.iter().map(object_name).collect(),
            });
            digests.push(fingerprint::fingerprint(
                &lowered.object,
                source.fingerprint.as_ref(),
            ));
            let chart = &*release.chart.head.name.value;
            for object in lowered.values {
                totals.values_objects += 1;
                let role = Role::Values {
                    stage: stage.number,
                    group: &stage.group,
                    chart,
                    release: &release.name,
                };
                sink(role, object);
            }
            objects.push((lowered.object, chart));
        }
        let digest = order.leave(step, digests);
        for (mut object, chart) in objects {
            object.annotate(crate::flux::DIGEST_ANNOTATION, digest.clone());
            substitution::keep(&mut object);
            let role = Role::Release {
                stage: stage.number,
                group: &stage.group,
                chart,
            };
            sink(role, object);
        }
    }
    totals
}

/// `KIND NAMESPACE/NAME`
fn object_name(object: &Object) -> Text {
    let namespace = object.namespace.as_deref().unwrap_or("");
    Text::from(format!("{} {namespace}/{}", object.kind, object.name))
}
