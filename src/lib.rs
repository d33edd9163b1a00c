//! armada2flux: takes a site that Airship Armada runs and hands it to Flux.
//!
//! Data flows one way; each module uses only those named before it:
//!
//! ```text
//! bytes ─read→ Node ─decode→ Document ─resolve→ Manifest ─plan→ Plan{Stage{Step{Release}}} ─lower→ ObjectSet ─emit, render→ file tree
//! parallel · source · value · names · diagnostic · secret · emit · flux · gate · yaml · armada · resolve · source_map · plan · lower · render · compile · compare · rollout · cluster · survey · apply · report · cli
//! ```
//!
//! The library exists for the program and its tests; it makes no promise of stability.
#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        reason = "unit tests read recorded answers and ask PyYAML"
    )
)]

pub mod apply;
pub mod armada;
pub mod cli;
pub mod cluster;
pub mod compare;
pub mod compile;
pub mod diagnostic;
pub mod emit;
pub mod flux;
pub mod gate;
pub mod lower;
pub mod names;
pub mod parallel;
pub mod plan;
pub(crate) mod render;
pub mod report;
pub(crate) mod resolve;
pub mod rollout;
pub mod secret;
pub mod source;
pub mod source_map;
pub mod survey;
pub mod value;
pub mod yaml;
