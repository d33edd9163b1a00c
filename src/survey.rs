//! What a cluster holds and would answer: questions to its API server, and rules over the answers.
//!
//! Nothing is written and nothing is printed. Warnings and reasons to refuse are data, errors are those of
//! [`crate::cluster`]; the rooms above turn them into text.

mod admission;
mod armada;
mod assess;
mod guard;
mod live;
mod needs;
mod outcome;
mod records;
mod sites;

pub(crate) use admission::Admission;
pub(crate) use armada::active;
pub(crate) use assess::{Assessed, Assessment, assess};
pub(crate) use guard::{Guard, find as find_guards};
pub(crate) use live::{Ask, Compared, WithoutRecords, compare_all};
pub(crate) use needs::{needs, permissions_of_apply, permissions_of_diff};
pub(crate) use records::{Record, Records, revision_of};
pub(crate) use sites::Sites;

use crate::cluster::Missing;
use crate::value::Text;

/// Something that a person should know and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// A requirement is missing, but the question can still be answered.
    Missing(Missing),
    /// Helm's records in this namespace may not be listed.
    RecordsUnreadable {
        /// The namespace.
        namespace: Text,
    },
    /// A webhook or a policy could refuse an object about which the server was not asked, since an apply does not
    /// change it.
    NotAsked {
        /// Its kind and name.
        name: Text,
    },
    /// The states of runs in this namespace may not be read.
    RunsUnreadable {
        /// The namespace.
        namespace: Text,
    },
    /// The Leases in this namespace may not be read.
    LocksUnreadable {
        /// The namespace.
        namespace: Text,
    },
}

/// Takes a warning as soon as it is known.
pub(crate) type Warn<'w> = dyn Fn(Warning) + 'w;
