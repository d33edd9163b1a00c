//! Starts a test bed for manual use, with the worked site installed as Armada would: `cargo run --example bed`.
//!
//! `cargo run --example bed -- empty` leaves the cluster empty, `-- helm4` installs with Helm 4.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it starts programs and waits for Enter"
)]
#![expect(dead_code, reason = "only live tests use all of the bed")]

mod bed;

use std::io;
use std::process::ExitCode;

use bed::armada::Site;
use bed::build::print_progress;
use bed::program::Program;
use bed::{Bed, Outcome};

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_progress(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(what: Option<&str>) -> Outcome {
    let helm = match what {
        None | Some("helm3") => Some(Program::Helm3),
        Some("helm4") => Some(Program::Helm4),
        Some("empty") => None,
        Some(other) => return Err(format!("`{other}`: expected empty, helm3 or helm4").into()),
    };
    let bed = Bed::start()?;
    if let Some(helm) = helm {
        for releases in bed.install_as_armada(&Site::worked(&bed, "worked")?, helm)? {
            let names: Vec<_> = releases
                .iter()
                .map(|(namespace, name)| format!("{namespace}/{name}"))
                .collect();
            print_progress(&format!("installed {}", names.join(", ")));
        }
    }
    print_progress(&format!("export KUBECONFIG={}", bed.kubeconfig.display()));
    for program in [Program::Kubectl, Program::Helm3, Program::Helm4] {
        print_progress(&format!(
            "{}: {}",
            program.name(),
            bed.programs.path(program).display()
        ));
    }
    print_progress("press Enter to stop");
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}
