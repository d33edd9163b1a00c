//! The plan to Flux objects. Lowering sees documents and plan, never a cluster.

mod fingerprint;
mod namespace;
mod options;
mod order;
mod pre_delete;
mod release;
mod size;
mod source;
mod substitution;
mod totals;
mod values;
mod waits;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::{DIGEST_ANNOTATION, Object, helm_release};
use crate::names;
use crate::parallel::{self, Workers};
use crate::plan::{Plan, Release, Stage, Step};
use crate::printable::escape;
use crate::source::Span;
use crate::source_map::SourceMap;
use crate::value::{Entry, Text};

use order::Order;
use source::Sources;

pub use options::{Options, SourceNamespace};
pub use pre_delete::PreDeletes;
pub use source::survey::{Surveyed, Verdict, survey};
pub use totals::{Lowered, Totals};
pub use values::ValuesIn;
pub use waits::{ArmadaHelm, Waits};

/// The role of an object in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role<'p> {
    /// A Namespace of a release.
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

/// Builds the objects of a plan for a [`site`]: namespaces, sources, then the releases in order. `sink` receives several
/// objects at a time; neither the objects nor the totals depend on the number of workers.
pub(crate) fn lower<'p>(
    plan: &'p Plan<'_, '_>,
    site: Text,
    source_map: &SourceMap,
    options: &Options,
    workers: Workers,
    diagnostics: &mut Diagnostics,
    mut sink: impl FnMut(Vec<(Role<'p>, Object)>),
) -> Totals {
    let mut totals = Totals {
        site: site.clone(),
        ..Totals::default()
    };
    if options.namespaces {
        let objects = namespace::objects(plan, &site);
        totals.namespaces = objects.len();
        sink(of_role(Role::Namespace, objects));
    }
    let sources = Sources::new(
        plan,
        &options.source_namespace,
        source_map,
        &site,
        diagnostics,
    );
    totals.add_sources(sources.objects(), sources.unresolved());
    sink(of_role(Role::Source, sources.objects().to_vec()));
    let lowering = Lowering {
        sources,
        options,
        site,
    };
    let mut order = Order::default();
    for places in batches(plan) {
        let mut made = lowering.make(&places, workers).into_iter();
        let mut objects = Vec::new();
        for place in places {
            let of_step = made.by_ref().take(place.step.releases.len()).collect();
            let finished = lowering.finish(&place, of_step, &mut order, diagnostics);
            let mut releases = Vec::new();
            for Finished {
                values,
                release,
                lowered,
            } in finished
            {
                objects.extend(values);
                releases.push(release);
                totals.add(lowered);
            }
            objects.append(&mut releases);
        }
        sink(objects);
    }
    totals
}

/// Returns the name of the site as a valid label value.
pub(crate) fn site(plan: &Plan<'_, '_>, options: &Options, diagnostics: &mut Diagnostics) -> Text {
    let site = names::label_value(options.site.as_ref().unwrap_or(&plan.manifest));
    if options.site.is_none() && site != plan.manifest {
        report_rewritten(&plan.manifest, &site, plan.manifest_span, diagnostics);
    }
    site
}

/// Reports that a name was changed.
fn report_rewritten(from: &str, to: &str, span: Span, diagnostics: &mut Diagnostics) {
    let message = format!(
        "`{}` is not a valid label value, `{to}` is used",
        escape::name(from)
    );
    diagnostics.push(
        Diagnostic::new(Code::NameRewritten, message)
            .at(
                span,
                "Kubernetes allows letters, digits, `-`, `_` and `.`, at most 63 characters",
            )
            .help("set another name with `--site`"),
    );
}

fn of_role(role: Role<'_>, objects: Vec<Object>) -> Vec<(Role<'_>, Object)> {
    objects.into_iter().map(|object| (role, object)).collect()
}

/// The settings that all releases of a plan share.
struct Lowering<'o> {
    sources: Sources,
    options: &'o Options,
    site: Text,
}

/// A release from [`Lowering::make`] with its diagnostics; `None` after an error.
type Made = (Option<release::Made>, Diagnostics);

/// A release with its place in the order.
struct Finished<'p> {
    values: Vec<(Role<'p>, Object)>,
    release: (Role<'p>, Object),
    lowered: Lowered,
}

impl Lowering<'_> {
    /// Builds the releases of several steps, without what depends on the previous step.
    fn make(&self, places: &[Place<'_, '_, '_>], workers: Workers) -> Vec<Made> {
        let members: Vec<_> = places
            .iter()
            .flat_map(|place| {
                place
                    .step
                    .releases
                    .iter()
                    .map(|release| (place.position, release))
            })
            .collect();
        parallel::map(members, workers, |(position, release)| {
            let mut found = Diagnostics::default();
            let made = release::make(
                release,
                position,
                &self.sources,
                self.options,
                &self.site,
                &mut found,
            );
            (made, found)
        })
    }

    /// Adds the releases of a step to the order.
    fn finish<'p>(
        &self,
        place: &Place<'p, '_, '_>,
        made: Vec<Made>,
        order: &mut Order,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Finished<'p>> {
        let step = place.step;
        let depends_on = helm_release::depends_on(order.dependencies());
        let bytes_of_dependencies = depends_on.as_ref().map_or(0, Entry::json_bytes);
        let fingerprints = made
            .iter()
            .filter_map(|(made, _)| Some(made.as_ref()?.fingerprint.clone()))
            .collect();
        let digest = order.leave(step, fingerprints);
        let mut finished = Vec::new();
        for (release, (made, found)) in step.releases.iter().zip(made) {
            diagnostics.append(found);
            let Some(mut made) = made else { continue };
            if let Some(depends_on) = &depends_on {
                helm_release::depend_on(&mut made.object, depends_on.clone());
            }
            made.bytes += bytes_of_dependencies;
            size::check(release, made.bytes, diagnostics);
            made.object
                .set_annotation(DIGEST_ANNOTATION, digest.clone());
            if made.has_variable {
                substitution::keep(&mut made.object);
            }
            let dependencies = depends_on
                .as_ref()
                .and_then(|list| list.value.as_sequence())
                .map_or(0, <[_]>::len);
            finished.push(self.finished(place, release, made, dependencies));
        }
        finished
    }

    fn finished<'p>(
        &self,
        place: &Place<'p, '_, '_>,
        release: &'p Release<'_, '_>,
        made: release::Made,
        dependencies: usize,
    ) -> Finished<'p> {
        let release::Made {
            object,
            values,
            secrets,
            nulls,
            health_checked,
            bytes,
            fingerprint: _,
            has_variable: _,
        } = made;
        let source = self.sources.source_of(release);
        let lowered = Lowered {
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
            dependencies,
            health_checked,
            suspended: !self.options.new_cluster,
            secrets_apart: self.options.values_in.keeps_secrets_apart(),
        };
        let (stage, group) = (place.stage.number, &*place.stage.group);
        let chart = &*release.chart.head.name.value;
        let role = Role::Values {
            stage,
            group,
            chart,
            release: &release.name,
        };
        Finished {
            values: of_role(role, values),
            release: (
                Role::Release {
                    stage,
                    group,
                    chart,
                },
                object,
            ),
            lowered,
        }
    }
}

/// A step and its position.
struct Place<'p, 'd, 't> {
    position: release::Position<'p>,
    stage: &'p Stage<'d, 't>,
    step: &'p Step<'d, 't>,
}

/// Returns the steps in order, taken together until they hold [`BATCH`] releases.
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
