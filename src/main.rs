//! The `armada2flux` program.

fn main() {}
