//! What ends a run, and what ends a item of it.

use crate::cluster;

/// The journal could not be written; what it says is fit to be shown.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RecordError(pub String);

/// Why a run ended where it should not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The journal.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Nothing is wrong: the run was told to stop.
    #[error("the run was stopped")]
    Stopped,
}

/// Why a item does not get to its end.
#[derive(Debug)]
pub(super) enum PartError {
    /// It is about this item alone; the run goes on with the others of its step.
    Failed(String),
    /// It is about the whole run.
    Run(Error),
}

impl From<Error> for PartError {
    fn from(error: Error) -> Self {
        PartError::Run(error)
    }
}

impl From<cluster::Error> for PartError {
    fn from(error: cluster::Error) -> Self {
        PartError::Run(error.into())
    }
}
