//! `armada2flux rbac`

use clap::{Args, ValueEnum};

use crate::cluster::{FLUX_NAMESPACE, Rights};
use crate::flux::{Object, ObjectSet};
use crate::report::rbac::{self, Account};
use crate::rollout;
use crate::survey;
use crate::value::Text;

use super::choices::Choices;
use super::input::{InputArguments, TREES_TOO};
use super::{Failure, Levels, Output, name, objects, stdout};

/// Print an account with the permissions that a site needs in a cluster, and no more
///
/// Prints YAML: a ServiceAccount, a Role for each namespace of the site, a ClusterRole for what belongs to the whole
/// cluster, their bindings, and an admission policy. Roles are named after account and site, so one account may have those
/// of several sites. Comments say what the account could do at worst. The input is Armada
/// documents or a Flux tree, as for `diff` and `apply`. No cluster is asked.
#[derive(Debug, Args)]
#[command(mut_arg("files", |files| files.help(TREES_TOO)))]
#[command(after_help = "Examples:
  armada2flux rbac flux/ --for diff > rbac-diff.yaml
  armada2flux rbac flux/ --for diff --without-secrets | kubectl apply --server-side -f -
  armada2flux rbac flux/ --for apply --account change-window --account-namespace ops

Exit codes: 0 done, 1 failed (usage, documents, files)")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// What the account is for
    #[arg(long = "for", value_enum, value_name = "COMMAND")]
    purpose: Purpose,
    /// Name of the ServiceAccount [default: armada2flux-diff, armada2flux-apply]
    #[arg(long, value_name = "NAME", value_parser = name::dns_label::<String>)]
    account: Option<String>,
    /// Namespace of the ServiceAccount
    #[arg(long, value_name = "NAME", default_value = FLUX_NAMESPACE, value_parser = name::dns_label::<String>)]
    account_namespace: String,
    /// Namespace of the Lease and of the ConfigMap with the run's state, as for `apply`
    #[arg(long, value_name = "NAME", default_value = FLUX_NAMESPACE, value_parser = name::dns_label::<String>)]
    state_namespace: String,
    /// Leave out the permission to list Secrets for Helm's records: `diff` then does not see takeovers, and `plan` fails.
    /// It stays where the tree has Secrets of its own, which are compared. Only for `diff`
    #[arg(long)]
    without_secrets: bool,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    levels: Levels,
}

/// Commands that need a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Purpose {
    /// `diff` and `plan`
    Diff,
    /// `plan`, `apply` and `status`
    Apply,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    if arguments.without_secrets && arguments.purpose == Purpose::Apply {
        let failure = Failure::new("`apply` does not run without listing Helm's records");
        return Err(failure.hint("leave out `--without-secrets`, or use `--for diff`"));
    }
    let mut diagnostics = arguments.levels.sink();
    let set = objects::read(
        &arguments.input,
        &arguments.choices,
        output,
        &mut diagnostics,
    )?;
    let (rights, name, permissions) = match arguments.purpose {
        Purpose::Diff => {
            let set: ObjectSet = set.iter().map(rollout::as_applied).collect();
            let permissions = survey::permissions_of_diff(&set, !arguments.without_secrets);
            (Rights::Diff, "armada2flux-diff", permissions)
        }
        Purpose::Apply => {
            let rollout = super::rollout::rollout(&set)?;
            let permissions = survey::permissions_of_apply(&rollout, &arguments.state_namespace);
            (Rights::Apply, "armada2flux-apply", permissions)
        }
    };
    let account = Account {
        name: arguments.account.clone().unwrap_or_else(|| name.to_owned()),
        namespace: arguments.account_namespace.clone(),
        sites: set
            .iter()
            .filter_map(Object::site)
            .map(Text::from)
            .collect(),
        rights,
    };
    stdout::write(&rbac::yaml(&account, &permissions))
}
