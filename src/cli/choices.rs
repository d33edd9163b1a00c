//! What commands that compile Armada documents to Flux objects let the user choose.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::compile;
use crate::lower::{self, ArmadaHelm, SourceNamespace, Waits};
use crate::plan;
use crate::value::Text;
use crate::yaml::deliver::Delivery;

use super::Failure;
use super::input::{Armada, InputArguments};

/// Choices that change the objects.
#[derive(Debug, Args)]
pub(super) struct Choices {
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
    pub(super) source_map: Option<PathBuf>,
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
    /// A warning; apply deletes them, in plain flux an upgrade that changes one fails until somebody does
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

impl From<Order> for plan::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Exact => Self::Exact,
            Order::Chain => Self::Chain,
        }
    }
}

impl Choices {
    /// The choices as the compiler takes them.
    pub(super) fn options(&self, input: &InputArguments) -> Result<compile::Options, Failure> {
        if !self.cel_before_hooks.is_empty() && self.waits != WaitsAs::Cel {
            let failure = Failure::new("--cel-before-hooks has no effect without health checks");
            return Err(failure.hint("add --waits cel"));
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
            delivery: match (self.values_as, input.armada) {
                (ValuesAs::Delivered, Armada::Python) => Delivery::Python,
                (ValuesAs::Written, Armada::Python) => Delivery::Written,
                // go-yaml alone reads these documents, so values arrive as they are written.
                (ValuesAs::Delivered | ValuesAs::Written, Armada::Go) => Delivery::Go,
            },
            values_in: match (self.values_in, self.split_secrets) {
                (ValuesIn::Inline, false) => lower::ValuesIn::Inline,
                (ValuesIn::Inline, true) => lower::ValuesIn::SplitSecrets,
                // All of it is in a Secret then.
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
