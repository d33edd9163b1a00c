//! Choices about the objects.

use crate::value::Text;
use crate::yaml::deliver::Delivery;

use super::pre_delete::PreDeletes;
use super::values::ValuesIn;
use super::waits::{ArmadaHelm, Waits};

/// Where source objects go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceNamespace {
    /// One object for all releases, in this namespace.
    Shared(Text),
    /// A copy in the namespace of each release.
    Release,
}

/// Options that change the output.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the site; `None` uses the Manifest's name.
    pub site: Option<Text>,
    /// How values are typed.
    pub delivery: Delivery,
    /// Where values are written.
    pub values_in: ValuesIn,
    /// How the tree handles Jobs that Armada deletes before upgrades.
    pub pre_deletes: PreDeletes,
    /// Whether releases are written running instead of suspended.
    pub new_cluster: bool,
    /// Whether Namespace objects are written.
    pub namespaces: bool,
    /// Where source objects go.
    pub source_namespace: SourceNamespace,
    /// How the tree handles Armada's own waits.
    pub waits: Waits,
    /// The Helm that Armada ran.
    pub armada_helm: ArmadaHelm,
}

impl Default for Options {
    /// Returns the defaults of `convert`.
    fn default() -> Self {
        Self {
            site: None,
            delivery: Delivery::Python,
            values_in: ValuesIn::default(),
            pre_deletes: PreDeletes::default(),
            new_cluster: false,
            namespaces: true,
            source_namespace: SourceNamespace::Shared("flux-system".into()),
            waits: Waits::default(),
            armada_helm: ArmadaHelm::default(),
        }
    }
}
