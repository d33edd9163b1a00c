//! `armada2flux convert`

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::armada::Documents;
use crate::diagnostic::Diagnostics;
use crate::flux::Object;
use crate::lower::{self, ArmadaHelm, Role, SourceNamespace, Totals, Waits};
use crate::plan::Plan;
use crate::render::File;
use crate::render::plain::Plain;
use crate::report::{self, markdown, text};
use crate::source::Sources;
use crate::source_map::SourceMap;
use crate::value::Text;
use crate::yaml::deliver::Delivery;
use crate::{plan, resolve};

use super::input::{Armada, Input, InputArguments};
use super::show::{self, count, count_of};
use super::write::{Staging, Written};
use super::{Failure, Levels, Output, ReportTarget};

/// Convert Armada documents to a Flux tree
///
/// Reads Manifest, ChartGroup and Chart documents (v1 and v2) and writes HelmReleases, their sources and
/// namespaces. Values are typed as Helm really received them from Armada. Releases are written suspended.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux convert site.yaml -o flux/
  armada2flux convert rendered/ --target-manifest full-site -o flux/
  pegleg site -r . render mysite | armada2flux convert - --target-manifest full-site

Exit codes: 0 done, 1 failed (usage, documents, files)")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Write the tree into this folder instead of one YAML stream to stdout
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// How values are typed
    #[arg(long, value_enum, default_value_t = ValuesAs::Delivered, value_name = "HOW")]
    values_as: ValuesAs,
    /// Where values are written
    #[arg(long, value_enum, default_value_t = ValuesIn::Inline, value_name = "WHERE")]
    values_in: ValuesIn,
    /// Write what looks secret in values to a Secret of its own for each release; a list with a secret in it
    /// goes there whole
    #[arg(long)]
    split_secrets: bool,
    /// Time limit of every chart, if armada was run with one (`--timeout`)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=plan::MAX_TIMEOUT))]
    timeout: Option<i64>,
    /// Write releases running, for a cluster that has none of them yet
    #[arg(long)]
    new_cluster: bool,
    /// Name of the site, a label on every object [default: the Manifest's name]
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Namespace of source objects; `release` makes a copy in each release's namespace
    #[arg(long, value_name = "NAME", default_value = "flux-system")]
    source_namespace: String,
    /// Where flux finds charts instead: rules that `armada2flux source-map init` writes to begin with
    #[arg(long, value_name = "FILE")]
    source_map: Option<PathBuf>,
    /// What becomes of what armada itself waited for after helm
    #[arg(long, value_enum, default_value_t = WaitsAs::Gates, value_name = "HOW")]
    waits: WaitsAs,
    /// With `--waits cel`: let flux wait for this release before its post-install hooks, although armada
    /// waited after them; safe if no pod needs such a hook; may be given several times
    #[arg(long, value_name = "RELEASE")]
    cel_before_hooks: Vec<String>,
    /// What becomes of jobs that armada deleted before each upgrade
    #[arg(long, value_enum, default_value_t = PreDelete::Report, value_name = "HOW")]
    pre_delete: PreDelete,
    /// The helm that armada ran, which decides how flux waits where helm waited
    #[arg(long, value_enum, default_value_t = HelmOfArmada::Three, value_name = "VERSION")]
    armada_helm: HelmOfArmada,
    /// Which releases depend on which
    #[arg(long, value_enum, default_value_t = Order::Exact, value_name = "FORM")]
    order: Order,
    /// Leave Namespace objects out
    #[arg(long)]
    no_namespaces: bool,
    /// Delete files of an earlier run that the tree no longer has
    #[arg(long, requires = "output")]
    delete_stale: bool,
    /// Write a report as text, json or markdown; may be given several times
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = super::parse_report::<ReportFormat>)]
    report: Vec<ReportTarget<ReportFormat>>,
    /// Largest markdown report, in bytes; what is cut is counted
    #[arg(long, value_name = "BYTES", default_value_t = markdown::DEFAULT_LIMIT, value_parser = parse_limit)]
    report_limit: usize,
    #[command(flatten)]
    levels: Levels,
}

fn parse_limit(text: &str) -> Result<usize, String> {
    let limit: usize = text
        .parse()
        .map_err(|_| "give a number of bytes".to_owned())?;
    if limit < markdown::MIN_LIMIT {
        return Err(format!(
            "the summary alone takes up to {} bytes",
            markdown::MIN_LIMIT
        ));
    }
    Ok(limit)
}

/// The formats of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// Everything, as `armada2flux schema report` describes it
    Json,
    /// Summary, then release by release, then every field
    Text,
    /// The same for a comment on a change: details folded, below --report-limit
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ValuesAs {
    /// As Helm received them from Armada
    Delivered,
    /// As the author wrote them
    Written,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ValuesIn {
    /// In the HelmRelease
    Inline,
    /// In a Secret for each release
    Secret,
    /// In a ConfigMap for each release
    #[value(name = "configmap")]
    ConfigMap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WaitsAs {
    /// An annotation that apply acts on; plain flux does not
    Gates,
    /// The annotation, and health checks in CEL where helm waited for the same objects
    Cel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PreDelete {
    /// A warning; an upgrade that changes such a job fails until it is deleted
    Report,
    /// Where helm does not wait, flux makes the jobs hooks of the release, which helm makes anew
    Hook,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HelmOfArmada {
    /// Helm 3
    #[value(name = "3")]
    Three,
    /// Helm 4
    #[value(name = "4")]
    Four,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Order {
    /// Armada's: every release on all of the step before
    Exact,
    /// One after another, as `armada apply --wait` goes: a single dependency each
    Chain,
}

impl Order {
    /// The plan in this order.
    pub(super) fn of<'d, 't>(self, plan: Plan<'d, 't>) -> Plan<'d, 't> {
        match self {
            Order::Exact => plan,
            Order::Chain => plan.one_by_one(),
        }
    }
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let to_stdout = arguments
        .report
        .iter()
        .filter(|target| target.file.is_none());
    if to_stdout.count() > usize::from(arguments.output.is_some()) {
        let failure = Failure::new("the report and the tree would both go to standard output");
        return Err(
            failure.hint("write the tree with -o DIR, or the report with --report json=FILE")
        );
    }
    let mut diagnostics = arguments.levels.sink();
    let mut input = Input::read(&arguments.input, &mut diagnostics)?;
    let source_map = input.source_map(arguments.source_map.as_deref(), &mut diagnostics)?;
    let (documents, ledgers) = input.decode(&mut diagnostics);
    let sources = &input.sources;
    let plan = make_plan(arguments, &documents, &mut diagnostics);
    let plan = plan.map(|plan| arguments.order.of(plan));
    check_before_hooks(arguments, plan.as_ref())?;
    let outcome = match (&plan, source_map) {
        (Some(plan), Some(source_map)) => {
            let options = options(arguments, source_map);
            write_tree(arguments, plan, &options, sources, &mut diagnostics)
        }
        (None, _) | (_, None) => Ok(Outcome::default()),
    };
    let Outcome {
        totals,
        written,
        stream,
    } = match outcome {
        Ok(outcome) => outcome,
        Err(failure) => {
            show::diagnostics(diagnostics.list(), sources, &input.all_trees(), output);
            return Err(failure);
        }
    };
    show::diagnostics(diagnostics.list(), sources, &input.all_trees(), output);
    let report = report::convert::report(
        sources,
        &documents,
        &ledgers,
        plan.as_ref(),
        &totals,
        &diagnostics,
    );
    if !output.quiet {
        let summary = Summary {
            arguments,
            totals: &totals,
            plan: plan.as_ref(),
            written: written.as_ref(),
            documents: &documents,
            diagnostics: &diagnostics,
        };
        show::say(summary.text(output).trim_end());
    }
    if output.verbose > 1 {
        show::say(text::text(&report).trim_end());
    }
    for target in &arguments.report {
        let text = match target.format {
            ReportFormat::Json => super::json_text(&report)?,
            ReportFormat::Text => text::text(&report),
            ReportFormat::Markdown => markdown::markdown(&report, arguments.report_limit),
        };
        target.write(&text)?;
    }
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    if let Some(stream) = stream {
        std::io::stdout()
            .write_all(stream.as_bytes())
            .and_then(|()| std::io::stdout().flush())
            .map_err(Failure::stdout)?;
    }
    Ok(())
}

/// The plan, unless something is wrong with the documents.
fn make_plan<'d, 't>(
    arguments: &Arguments,
    documents: &'d Documents<'t>,
    diagnostics: &mut Diagnostics,
) -> Option<Plan<'d, 't>> {
    if !documents.not_rendered.is_empty() || documents.is_empty() {
        return None;
    }
    let target = arguments.input.target_manifest.as_deref();
    let site = resolve::resolve(documents, target, diagnostics)?;
    let options = plan::Options {
        timeout: arguments.timeout,
    };
    plan::plan(site, options, diagnostics)
}

/// A name that no release has would be an option without effect.
fn check_before_hooks(arguments: &Arguments, plan: Option<&Plan<'_, '_>>) -> Result<(), Failure> {
    let names = &arguments.cel_before_hooks;
    if !names.is_empty() && arguments.waits != WaitsAs::Cel {
        let failure = Failure::new("--cel-before-hooks has no effect without health checks");
        return Err(failure.hint("add --waits cel"));
    }
    let Some(plan) = plan else { return Ok(()) };
    for name in names {
        if !plan.releases().any(|release| release.name == name.as_str()) {
            let failure = Failure::new(format!("--cel-before-hooks: there is no release `{name}`"));
            return Err(failure.hint("give the name with its prefix, as the report lists it"));
        }
    }
    Ok(())
}

/// What writing came to.
#[derive(Default)]
struct Outcome {
    totals: Totals,
    written: Option<Written>,
    stream: Option<String>,
}

fn write_tree(
    arguments: &Arguments,
    plan: &Plan<'_, '_>,
    options: &lower::Options,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Result<Outcome, Failure> {
    let mut staging = match &arguments.output {
        Some(folder) => Some(Staging::new(folder)?),
        None => None,
    };
    let mut stream = String::new();
    let mut failure = None;
    let mut layout = Plain::new(plan.stages.len(), sources);
    let sink = |role: Role<'_>, object: Object| match &mut staging {
        None => {
            stream.push_str("---\n");
            crate::emit::write_yaml(&object.value, crate::emit::View::Clear, &mut stream);
        }
        Some(staging) => {
            if failure.is_none()
                && let Some(file) = layout.file(role, &object)
            {
                failure = staging.add(&file).err();
            }
        }
    };
    let totals = lower::lower(plan, options, diagnostics, sink);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let mut outcome = Outcome {
        totals,
        written: None,
        stream: None,
    };
    if diagnostics.errors() > 0 {
        // Dropping the staging folder leaves the target as it was.
        return Ok(outcome);
    }
    match staging {
        None => outcome.stream = Some(stream),
        Some(mut staging) => {
            let rest: Vec<File> = layout.finish();
            rest.iter().try_for_each(|file| staging.add(file))?;
            outcome.written = Some(staging.commit(arguments.delete_stale)?);
        }
    }
    Ok(outcome)
}

fn options(arguments: &Arguments, source_map: SourceMap) -> lower::Options {
    lower::Options {
        site: arguments.site.as_deref().map(Text::from),
        delivery: match (arguments.values_as, arguments.input.armada) {
            (ValuesAs::Written, _) => Delivery::Written,
            (ValuesAs::Delivered, Armada::Python) => Delivery::Python,
            (ValuesAs::Delivered, Armada::Go) => Delivery::Go,
        },
        values_in: match (arguments.values_in, arguments.split_secrets) {
            (ValuesIn::Inline, false) => lower::ValuesIn::Inline,
            (ValuesIn::Inline, true) => lower::ValuesIn::SplitSecrets,
            // All of it is in a Secret then.
            (ValuesIn::Secret, _) => lower::ValuesIn::Secret,
            (ValuesIn::ConfigMap, false) => lower::ValuesIn::ConfigMap,
            (ValuesIn::ConfigMap, true) => lower::ValuesIn::ConfigMapAndSecret,
        },
        pre_deletes: match arguments.pre_delete {
            PreDelete::Report => lower::PreDeletes::Reported,
            PreDelete::Hook => lower::PreDeletes::Hooks,
        },
        new_cluster: arguments.new_cluster,
        namespaces: !arguments.no_namespaces,
        source_namespace: match arguments.source_namespace.as_str() {
            "release" => SourceNamespace::Release,
            name => SourceNamespace::Shared(name.into()),
        },
        source_map,
        waits: match arguments.waits {
            WaitsAs::Gates => Waits::Gates,
            WaitsAs::Cel => Waits::Cel {
                before_hooks: arguments
                    .cel_before_hooks
                    .iter()
                    .map(Text::from)
                    .collect::<BTreeSet<_>>(),
            },
        },
        armada_helm: match arguments.armada_helm {
            HelmOfArmada::Three => ArmadaHelm::Three,
            HelmOfArmada::Four => ArmadaHelm::Four,
        },
    }
}

/// What is said at the end.
struct Summary<'a> {
    arguments: &'a Arguments,
    totals: &'a Totals,
    plan: Option<&'a Plan<'a, 'a>>,
    written: Option<&'a Written>,
    documents: &'a Documents<'a>,
    diagnostics: &'a Diagnostics,
}

impl Summary<'_> {
    fn text(&self, output: &Output) -> String {
        let mut lines = Vec::new();
        let failed = self.diagnostics.errors();
        if failed == 0 {
            self.push_tree(&mut lines);
        }
        lines.extend(show::totals(self.diagnostics));
        if failed > 0 {
            lines.push(super::show::paint(output, "nothing was written", "1"));
        }
        lines.join("\n")
    }

    fn push_tree(&self, lines: &mut Vec<String>) {
        let Totals {
            site,
            namespaces,
            sources,
            empty_secrets,
            releases,
            suspended,
            dependencies: _,
            health_checked,
            values_objects,
            secrets,
            secrets_apart,
            releases_with_secrets,
            nulls,
            unresolved,
            by_release: _,
        } = self.totals;
        let skipped: usize = self.documents.skipped.values().sum();
        let folder = self.arguments.output.as_deref().map(Path::display);
        lines.push(format!(
            "{site}: {} in {}, {}, {}",
            count(*releases, "release"),
            count(self.plan.map_or(0, |plan| plan.stages.len()), "stage"),
            count(*namespaces, "namespace"),
            count(*sources, "source"),
        ));
        if let (Some(written), Some(folder)) = (self.written, folder) {
            lines.push(format!(
                "written: {} to {folder}",
                count(written.files, "file")
            ));
            for path in &written.stale {
                let fate = if self.arguments.delete_stale {
                    "deleted"
                } else {
                    "no longer part of the tree, --delete-stale deletes it"
                };
                lines.push(format!("stale: {} ({fate})", path.display()));
            }
        }
        if let Some(plan) = self.plan {
            let order = report::order::order(plan, self.totals);
            if order.steps > 1 {
                lines.push(format!(
                    "order: {} one after another, {}; when all change, flux rests up to {} between them",
                    count(order.steps, "step"),
                    count_of(order.dependencies, "dependency", "dependencies"),
                    report::duration(order.rest_seconds)
                ));
            }
        }
        if *values_objects > 0 {
            lines.push(format!(
                "values outside of helmreleases: {}",
                count(*values_objects, "object")
            ));
        }
        if *health_checked > 0 {
            lines.push(format!(
                "health checks for armada's waits: {}",
                count(*health_checked, "release")
            ));
        }
        if *suspended > 0 {
            lines.push(format!(
                "written suspended: {suspended} of {}, flux leaves them alone until they are resumed",
                count(*releases, "release")
            ));
        }
        if *secrets > 0 {
            let place = if secrets == secrets_apart {
                ", all in Secrets: encrypt those files"
            } else {
                ""
            };
            lines.push(format!(
                "clear-text secrets written: {} in {}{place}",
                count(*secrets, "value"),
                count(*releases_with_secrets, "release")
            ));
        }
        if *nulls > 0 {
            lines.push(format!(
                "nulls in values: {nulls}, apply with `kubectl apply --server-side` or they are lost"
            ));
        }
        if *empty_secrets > 0 {
            lines.push(format!(
                "secrets of sources to be filled in: {empty_secrets}, written without content"
            ));
        }
        if *unresolved > 0 {
            lines.push(format!(
                "sources that flux cannot read: {unresolved}, `armada2flux source-map init` begins a map for them"
            ));
        }
        if skipped > 0 {
            lines.push(format!("skipped documents of other schemas: {skipped}"));
        }
    }
}
