# The commands of docs/testing.md under short names; `just` lists them.

_default:
    @{{ just_executable() }} --list --unsorted

# Format, lints and documentation, without tests
check:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --locked --no-deps --document-private-items

# All tests, or those whose name contains NAME
test NAME="":
    cargo test --locked {{ NAME }}

# Write what the program prints now as the expected output; read the difference before you commit it
golden NAME="":
    UPDATE_GOLDEN=1 cargo test --locked --test integration {{ NAME }}

# The tests in a real cluster, or those of one area: `just live safety`
live AREA="":
    cargo test --locked --test integration live::{{ AREA }}

# Measure `convert`, `diff`, `apply` or `waiting`; the machine must have nothing else to do
bench NAME="convert":
    cargo bench --locked --bench {{ NAME }}

# Fuzz one target; needs a nightly toolchain and cargo-fuzz
fuzz TARGET="convert" SECONDS="600":
    mkdir -p fuzz/corpus/{{ TARGET }}
    cargo +nightly fuzz run {{ TARGET }} fuzz/corpus/{{ TARGET }} testdata charts-examples/breakwater -- -max_total_time={{ SECONDS }} -max_len=8192 -timeout=60 -rss_limit_mb=4096 -dict=fuzz/yaml.dict

# Everything that a change must pass
ci:
    .ci/run
