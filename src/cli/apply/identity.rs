//! Who runs: this process by a name that no other has, and whether the process of another name is gone.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, getpid, test_kill_process};

use super::super::clock;
use crate::rollout::identity::{Identity, Place, Process};
use crate::value::Text;

/// Where the kernel shows processes.
const PROC: &str = "/proc";

/// The position of the start among the fields of `/proc/PID/stat` after the name, which ends with `)`.
const STARTED: usize = 19;

/// This process, for a run.
pub(super) fn own(run: Text) -> Identity {
    let user = ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|user| !user.is_empty());
    let number = getpid().as_raw_nonzero().get();
    let started = stat(number).map(|stat| stat.started);
    // Without a start, the number could be that of an earlier process.
    let place = started.as_ref().and_then(|_| place(number));
    Identity {
        user: user.unwrap_or_else(|| "somebody".to_owned()).into(),
        host: host(),
        run,
        process: Process {
            number,
            started: started.unwrap_or_else(clock::run_name),
            place,
        },
    }
}

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has ended.
    Gone,
    /// It runs on this machine.
    Alive,
    /// It runs elsewhere, or cannot be seen from here.
    Unknown,
}

/// What became of the process of an identity, seen by `own`.
pub(super) fn fate(of: &Identity, own: &Identity) -> Fate {
    if !own.is_of_same_place(of) {
        return Fate::Unknown;
    }
    let Some(number) = Pid::from_raw(of.process.number) else {
        return Fate::Unknown;
    };
    // Unlike `/proc`, which may hide the processes of other users, this finds every one.
    if test_kill_process(number) == Err(Errno::SRCH) {
        return Fate::Gone;
    }
    match stat(of.process.number) {
        Some(stat) if stat.started != of.process.started || stat.has_ended => Fate::Gone,
        Some(_) => Fate::Alive,
        None => Fate::Unknown,
    }
}

/// The name of this machine, as it calls itself.
fn host() -> Text {
    let name = rustix::system::uname();
    Text::from(&*name.nodename().to_string_lossy())
}

/// Where the number of this process counts; `None` where `/proc` is that of others.
fn place(number: i32) -> Option<Place> {
    let link = |name: &str| {
        let link = fs::read_link(format!("{PROC}/self{name}")).ok()?;
        Some(link.to_string_lossy().into_owned())
    };
    if link("")? != number.to_string() {
        return None;
    }
    let digits = |link: String| {
        link.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let processes = digits(link("/ns/pid")?);
    // Older kernels have no namespaces of times.
    let times = link("/ns/time").map_or_else(|| "0".to_owned(), digits);
    let boot = fs::read_to_string(format!("{PROC}/sys/kernel/random/boot_id")).ok()?;
    Some(Place {
        namespaces: format!("{processes}-{times}").into(),
        boot: boot.trim().into(),
    })
}

struct Stat {
    /// In clock ticks since the machine booted.
    started: Text,
    has_ended: bool,
}

fn stat(number: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("{PROC}/{number}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Some(Stat {
        started: Text::from(*fields.get(STARTED)?),
        // A process that its parent has not waited for, or that is just ending.
        has_ended: matches!(*fields.first()?, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn this_process_is_alive_and_reads_back() {
        let own = own("r1".into());
        assert_eq!(own.to_string().parse(), Ok(own.clone()));
        assert!(own.process.place.is_some());
        assert_eq!(fate(&own, &own), Fate::Alive);
        let mut earlier = own.clone();
        earlier.process.started = "1".into();
        assert_eq!(fate(&earlier, &own), Fate::Gone);
        for change in [
            |other: &mut Identity| other.host = "elsewhere".into(),
            |other: &mut Identity| other.process.place = None,
            |other: &mut Identity| {
                if let Some(place) = &mut other.process.place {
                    place.boot = "another".into();
                }
            },
        ] {
            let mut other = earlier.clone();
            change(&mut other);
            assert_eq!(fate(&other, &own), Fate::Unknown, "{other}");
        }
    }

    #[test]
    fn a_process_is_gone_when_it_has_ended() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let own = own("r1".into());
        let mut other = own.clone();
        other.process.number = i32::try_from(child.id()).unwrap();
        other.process.started = stat(other.process.number).unwrap().started;
        assert_eq!(fate(&other, &own), Fate::Alive);
        drop(child.stdin.take());
        // Ended, but not waited for.
        while fate(&other, &own) == Fate::Alive {
            std::thread::yield_now();
        }
        assert_eq!(fate(&other, &own), Fate::Gone);
        child.wait().unwrap();
        assert_eq!(fate(&other, &own), Fate::Gone);
    }
}
