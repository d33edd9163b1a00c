//! The plan to Flux objects. Lowering sees documents and plan, never a cluster.

mod fingerprint;
mod namespace;
mod order;
mod pre_delete;
mod release;
mod size;
mod source;
mod substitution;
mod values;
mod waits;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::Object;
use crate::flux::helm_release::{self, SourceReference};
use crate::names;
use crate::parallel::{self, Workers};
use crate::plan::{Plan, Stage, Step};
use crate::source::Span;
use crate::source_map::SourceMap;
use crate::value::{Entry, Text};
use crate::yaml::deliver::Delivery;

pub use pre_delete::PreDeletes;
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

/// Releases that are lowered together: enough to keep several cores busy, and few, since the values of a
/// whole site are large. Steps stay whole.
const BATCH: usize = 64;

/// Makes the objects of a plan and hands them to `sink` one by one: namespaces, sources, then the
/// releases in order.
pub fn lower<'p>(
    plan: &'p Plan<'_, '_>,
    options: &Options,
    diagnostics: &mut Diagnostics,
    mut sink: impl FnMut(Role<'p>, Object),
) -> Totals {
    lower_batches(plan, options, Workers::ONE, diagnostics, |batch| {
        for (role, object) in batch {
            sink(role, object);
        }
    })
}

/// Reports that a name could not be kept.
fn report_rewritten(from: &str, to: &str, span: Span, diagnostics: &mut Diagnostics) {
    let message = format!(
        "`{}` cannot be a label, `{to}` is used",
        from.escape_debug()
    );
    diagnostics.push(
        Diagnostic::new(Code::NameRewritten, message)
            .at(
                span,
                "kubernetes takes letters, digits, `-`, `_` and `.`, at most 63",
            )
            .help("give a name of your own with --site"),
    );
}

/// As [`lower`], on several cores: `sink` gets several objects at a time and may do the same with them.
pub fn lower_batches<'p>(
    plan: &'p Plan<'_, '_>,
    options: &Options,
    workers: Workers,
    diagnostics: &mut Diagnostics,
    mut sink: impl FnMut(Vec<(Role<'p>, Object)>),
) -> Totals {
    let site = names::label_value(options.site.as_ref().unwrap_or(&plan.manifest));
    if options.site.is_none() && site != plan.manifest {
        report_rewritten(&plan.manifest, &site, plan.manifest_span, diagnostics);
    }
    let mut totals = Totals {
        site: site.clone(),
        ..Totals::default()
    };
    if options.namespaces {
        let objects = namespace::objects(plan, &site).into_iter();
        let objects: Vec<_> = objects.map(|object| (Role::Namespace, object)).collect();
        totals.namespaces = objects.len();
        sink(objects);
    }
    let sources = source::Sources::new(
        plan,
        &options.source_namespace,
        &options.source_map,
        &site,
        diagnostics,
    );
    let objects = sources.objects().iter().cloned();
    let objects: Vec<_> = objects.map(|object| (Role::Source, object)).collect();
    let secrets = objects.iter().filter(|(_, object)| object.kind == "Secret");
    totals.empty_secrets = secrets.count();
    totals.sources = objects.len() - totals.empty_secrets;
    totals.unresolved = sources.unresolved();
    sink(objects);
    let mut order = order::Order::default();
    for places in batches(plan) {
        let members = places.iter().flat_map(|place| {
            let releases = place.step.releases.iter();
            releases.map(|release| (place.position, release))
        });
        let members: Vec<_> = members.collect();
        let mut lowered = parallel::map(members, workers, |(position, release)| {
            let mut said = Diagnostics::default();
            let lowered = release::lower(release, position, &sources, options, &site, &mut said);
            (lowered, said)
        })
        .into_iter();
        let mut objects = Vec::new();
        for Place { stage, step, .. } in places {
            let depends_on = helm_release::depends_on(order.dependencies());
            let of_step: Vec<_> = lowered.by_ref().take(step.releases.len()).collect();
            let made = of_step.iter().filter_map(|(lowered, _)| lowered.as_ref());
            let digest = order.leave(step, made.map(|made| made.fingerprint.clone()).collect());
            let mut releases = Vec::new();
            for (release, (lowered, said)) in step.releases.iter().zip(of_step) {
                diagnostics.append(said);
                let Some(lowered) = lowered else { continue };
                let release::Lowered {
                    mut object,
                    values,
                    secrets,
                    nulls,
                    health_checked,
                    bytes,
                    fingerprint: _,
                    has_variable,
                } = lowered;
                let bytes = bytes + depends_on.as_ref().map_or(0, Entry::json_bytes);
                size::check(release, bytes, diagnostics);
                if let Some(depends_on) = &depends_on {
                    helm_release::depend_on(&mut object, depends_on.clone());
                    let list = depends_on.value.as_sequence();
                    totals.dependencies += list.map_or(0, <[_]>::len);
                }
                object.set_annotation(crate::flux::DIGEST_ANNOTATION, digest.clone());
                if has_variable {
                    substitution::keep(&mut object);
                }
                totals.releases += 1;
                totals.health_checked += usize::from(health_checked);
                totals.suspended += usize::from(!options.new_cluster);
                totals.secrets += secrets;
                if options.values_in.keeps_secrets_apart() {
                    totals.secrets_apart += secrets;
                }
                totals.releases_with_secrets += usize::from(secrets > 0);
                totals.nulls += nulls;
                let source = sources.of(release);
                totals.by_release.push(Lowered {
                    name: release.name.clone(),
                    namespace: release.namespace.clone(),
                    source: source.chart.source().clone(),
                    rule: source.rule,
                    commit: source.commit.clone(),
                    unresolved: source.unresolved.clone(),
                    secrets,
                    nulls,
                    bytes,
                    values_from: values.iter().map(|object| object.title().into()).collect(),
                });
                let chart = &*release.chart.head.name.value;
                for object in values {
                    totals.values_objects += 1;
                    let role = Role::Values {
                        stage: stage.number,
                        group: &stage.group,
                        chart,
                        release: &release.name,
                    };
                    objects.push((role, object));
                }
                let role = Role::Release {
                    stage: stage.number,
                    group: &stage.group,
                    chart,
                };
                releases.push((role, object));
            }
            objects.append(&mut releases);
        }
        sink(objects);
    }
    totals
}

/// A step and where it stands.
struct Place<'p, 'd, 't> {
    position: release::Position<'p>,
    stage: &'p Stage<'d, 't>,
    step: &'p Step<'d, 't>,
}

/// The steps in order, taken together until they hold [`BATCH`] releases.
fn batches<'p, 'd, 't>(plan: &'p Plan<'d, 't>) -> Vec<Vec<Place<'p, 'd, 't>>> {
    let mut batches = Vec::new();
    let mut open = Vec::new();
    let mut held = 0;
    for stage in &plan.stages {
        for (at, step) in stage.steps.iter().enumerate() {
            held += step.releases.len();
            let position = release::Position {
                stage: stage.number,
                group: &stage.group,
                step: at + 1,
            };
            open.push(Place {
                position,
                stage,
                step,
            });
            if held >= BATCH {
                batches.push(std::mem::take(&mut open));
                held = 0;
            }
        }
    }
    batches.push(open);
    batches
}
