//! Options of all commands that compile Armada documents to Flux objects.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::compile;
use crate::lower::{self, ArmadaHelm, SourceNamespace, Waits};
use crate::plan;
use crate::value::Text;
use crate::yaml::deliver::Delivery;

use super::input::{InputArguments, YamlReader};
use super::{Failure, name};

/// Options that change the objects.
#[derive(Debug, Args)]
pub(super) struct Choices {
    /// Types of values
    #[arg(long, value_enum, default_value_t = ValuesAs::Delivered, value_name = "HOW")]
    values_as: ValuesAs,
    /// Where values are written
    #[arg(long, value_enum, default_value_t = ValuesIn::Inline, value_name = "WHERE")]
    values_in: ValuesIn,
    /// Write values that look secret to a Secret for each release; a list that holds one goes there whole
    #[arg(long)]
    split_secrets: bool,
    /// Time limit of every chart, if Armada was run with one (`--timeout`)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=plan::MAX_TIMEOUT))]
    timeout: Option<i64>,
    /// Do not suspend the releases: for a cluster that has none of them yet
    #[arg(long)]
    new_cluster: bool,
    /// Name of the site, a label on every object and a part of the names of its sources; Manifests of one name in one
    /// cluster need different ones [default: the name of the Manifest]
    #[arg(long, value_name = "NAME", value_parser = name::site::<String>)]
    site: Option<String>,
    /// Namespace of source objects; `release` writes a copy to the namespace of each release
    #[arg(long, value_name = "NAME", default_value = "flux-system", value_parser = name::dns_label::<String>)]
    source_namespace: String,
    /// Source map: rules that say where Flux finds charts; `armada2flux source-map init` writes a first one
    #[arg(long, value_name = "FILE")]
    pub(super) source_map: Option<PathBuf>,
    /// How to keep Armada's own waits, which ran after Helm
    #[arg(long, value_enum, default_value_t = WaitsAs::Gates, value_name = "HOW")]
    waits: WaitsAs,
    /// With `--waits cel`: let Flux wait for this release before its post-install hooks, although Armada
    /// waited after them; safe if no Pod needs such a hook; may be given several times
    #[arg(long, value_name = "RELEASE")]
    cel_before_hooks: Vec<String>,
    /// How to keep the deletions of Jobs that Armada made before each upgrade
    #[arg(long, value_enum, default_value_t = PreDelete::Report, value_name = "HOW")]
    pre_delete: PreDelete,
    /// Helm version that Armada ran: decides how Flux waits where Helm waited
    #[arg(long, value_enum, default_value_t = HelmOfArmada::Three, value_name = "VERSION")]
    armada_helm: HelmOfArmada,
    /// Which releases depend on which
    #[arg(long, value_enum, default_value_t = Order::Exact, value_name = "FORM")]
    order: Order,
    /// Do not write Namespace objects
    #[arg(long)]
    no_namespaces: bool,
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
    /// As an annotation that `apply` acts on and plain Flux does not
    Gates,
    /// As the annotation, and as health checks in CEL where Helm waited for the same objects
    Cel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PreDelete {
    /// Warn: `apply` deletes the Jobs; in plain Flux an upgrade that changes one fails until it is deleted
    Report,
    /// Turn the Jobs into hooks, which Helm recreates at each upgrade, where Helm does not wait
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
    /// Armada's order: every release depends on all releases of the step before
    Exact,
    /// One release after another, as `armada apply --wait` does: a single dependency each
    Chain,
}

impl From<Order> for plan::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Exact => Self::Exact,
            Order::Chain => Self::Chain,
        }
    }
}

impl Choices {
    /// Converts them to the options of the compiler.
    pub(super) fn options(&self, input: &InputArguments) -> Result<compile::Options, Failure> {
        if !self.cel_before_hooks.is_empty() && self.waits != WaitsAs::Cel {
            let failure = Failure::new("`--cel-before-hooks` has no effect without health checks");
            return Err(failure.hint("add `--waits cel`"));
        }
        Ok(compile::Options {
            target: input.target_manifest.clone(),
            plan: plan::Options {
                timeout: self.timeout,
                order: self.order.into(),
            },
            lower: self.lower(input),
        })
    }

    fn lower(&self, input: &InputArguments) -> lower::Options {
        lower::Options {
            site: self.site.as_deref().map(Text::from),
            delivery: match (self.values_as, input.yaml_reader) {
                (ValuesAs::Delivered, YamlReader::PyYaml) => Delivery::Python,
                (ValuesAs::Written, YamlReader::PyYaml) => Delivery::Written,
                // go-yaml alone reads these documents, so values arrive as they are written.
                (ValuesAs::Delivered | ValuesAs::Written, YamlReader::GoYaml) => Delivery::Go,
            },
            values_in: match (self.values_in, self.split_secrets) {
                (ValuesIn::Inline, false) => lower::ValuesIn::Inline,
                (ValuesIn::Inline, true) => lower::ValuesIn::SplitSecrets,
                // Everything is in a Secret then.
                (ValuesIn::Secret, _) => lower::ValuesIn::Secret,
                (ValuesIn::ConfigMap, false) => lower::ValuesIn::ConfigMap,
                (ValuesIn::ConfigMap, true) => lower::ValuesIn::ConfigMapAndSecret,
            },
            pre_deletes: match self.pre_delete {
                PreDelete::Report => lower::PreDeletes::Reported,
                PreDelete::Hook => lower::PreDeletes::Hooks,
            },
            new_cluster: self.new_cluster,
            namespaces: !self.no_namespaces,
            source_namespace: match self.source_namespace.as_str() {
                "release" => SourceNamespace::Release,
                name => SourceNamespace::Shared(name.into()),
            },
            waits: match self.waits {
                WaitsAs::Gates => Waits::Gates,
                WaitsAs::Cel => Waits::Cel {
                    before_hooks: self
                        .cel_before_hooks
                        .iter()
                        .map(Text::from)
                        .collect::<BTreeSet<_>>(),
                },
            },
            armada_helm: match self.armada_helm {
                HelmOfArmada::Three => ArmadaHelm::Three,
                HelmOfArmada::Four => ArmadaHelm::Four,
            },
        }
    }
}
