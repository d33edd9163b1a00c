//! What a cluster holds and what it would say: questions to its API server, and rules over the answers.
//!
//! Nothing is written and nothing is printed. Warnings and reasons to refuse are data, errors are those of
//! [`crate::cluster`]; the rooms above put both into words.

mod armada;
mod assess;
mod guard;
mod live;
mod needs;
mod outcome;
mod records;
mod sites;

pub(crate) use armada::active;
pub(crate) use assess::{Assessed, Assessment, assess};
pub(crate) use guard::Guard;
pub(crate) use live::{Compared, compare_all};
pub(crate) use needs::needs;
pub(crate) use sites::Sites;

use crate::cluster::Missing;
use crate::value::Text;

/// Something that stops nothing and that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// Something is missing without which the question can still be answered.
    Missing(Missing),
    /// Runs over sites leave their state in this namespace, and it may not be read.
    RunsUnreadable {
        /// The namespace.
        namespace: Text,
    },
    /// Runs over sites hold their lock in this namespace, and it may not be read.
    LocksUnreadable {
        /// The namespace.
        namespace: Text,
    },
}

/// Takes a warning as soon as it is known.
pub(crate) type Warn<'w> = dyn Fn(Warning) + 'w;
