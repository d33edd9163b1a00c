//! What tests of several rooms share.

pub(crate) mod python;
pub(crate) mod vectors;
