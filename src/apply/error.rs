//! Errors that end a run, and errors that end an item.

use crate::cluster;

/// The journal could not be written. The text is fit to be shown.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RecordError(pub String);

/// Why a run could not continue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The journal.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The run was stopped.
    #[error("the run was stopped")]
    Stopped,
}

/// Why an item could not be finished.
#[derive(Debug)]
pub(super) enum PartError {
    /// The reason concerns only this item; the other items of the step continue.
    Failed(String),
    /// The reason concerns the whole run.
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
