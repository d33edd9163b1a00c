//! What a run says about itself, as versioned data.
//!
//! The types here are a copy made for readers outside: they change only with [`convert::VERSION`].

pub mod convert;
