//! Walking a rollout in a cluster, stage by stage.
//!
//! Every choice was made when the rollout was; here things are written, watched and told. What is told goes to
//! whoever called: nothing is printed, no file is touched.

pub mod event;
pub mod guard;
pub mod records;

pub use event::{Event, Moment};
