//! Who carries out a run: a name for the Lease and the journal that no other process has.

use std::fmt;
use std::str::FromStr;

use crate::value::Text;

/// Separates the parts of an identity.
const BETWEEN: char = '/';

/// Who carries out a run: a user on a host, a process, a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user, for people.
    pub user: Text,
    /// The name of the host.
    pub host: Text,
    /// The name of the run.
    pub run: Text,
    /// The process.
    pub process: Process,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number, which means something only in its place.
    pub number: i32,
    /// When it started: in clock ticks since the host booted, or a time if that is not known.
    pub started: Text,
    /// Where its number counts; `None` if the system does not tell.
    pub place: Option<Place>,
}

/// Where the number of a process counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The namespaces of process numbers and of times: two containers may share everything else.
    pub namespaces: Text,
    /// The id that the host got when it booted.
    pub boot: Text,
}

impl Identity {
    /// Returns whether the process of another identity, if it still runs, is visible here under its number.
    #[must_use]
    pub fn is_of_same_place(&self, other: &Self) -> bool {
        let place = self.process.place.as_ref();
        self.host == other.host && place.is_some() && place == other.process.place.as_ref()
    }
}

/// Formats an identity as `USER@HOST/run:RUN/pid:NUMBER/start:TICKS/ns:NAMESPACES/boot:ID`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user,
            host,
            run,
            process:
                Process {
                    number,
                    started,
                    place,
                },
        } = self;
        let part = |text: &Text| text.as_str().replace(BETWEEN, "-");
        let (user, host, run, started) = (part(user), part(host), part(run), part(started));
        write!(f, "{user}@{host}/run:{run}/pid:{number}/start:{started}")?;
        match place {
            Some(Place { namespaces, boot }) => write!(f, "/ns:{namespaces}/boot:{boot}"),
            None => Ok(()),
        }
    }
}

/// A text is not an [`Identity`]: another program wrote it, or another version of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not name a host and a process")]
pub struct NotAnIdentity;

impl FromStr for Identity {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let mut parts = text.split(BETWEEN);
        let who = parts.next().unwrap_or_default();
        let (user, host) = who.rsplit_once('@').ok_or(NotAnIdentity)?;
        let mut named = |name: &str| {
            let part = parts.next()?.strip_prefix(name)?.strip_prefix(':')?;
            (!part.is_empty()).then(|| Text::from(part))
        };
        let run = named("run").ok_or(NotAnIdentity)?;
        let number = named("pid").ok_or(NotAnIdentity)?;
        let number = number.parse().map_err(|_| NotAnIdentity)?;
        let started = named("start").ok_or(NotAnIdentity)?;
        let place = match named("ns") {
            None => None,
            Some(namespaces) => Some(Place {
                namespaces,
                boot: named("boot").ok_or(NotAnIdentity)?,
            }),
        };
        let identity = Self {
            user: user.into(),
            host: host.into(),
            run,
            process: Process {
                number,
                started,
                place,
            },
        };
        // What is written in another way may mean something else.
        (identity.to_string() == text)
            .then_some(identity)
            .ok_or(NotAnIdentity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Identity {
        Identity {
            user: "ops".into(),
            host: "bastion".into(),
            run: "20261128t190213z-402817-4711".into(),
            process: Process {
                number: 4711,
                started: "8812345".into(),
                place: Some(Place {
                    namespaces: "4026531836-4026531834".into(),
                    boot: "dc6fd436-3f42-4331-af05-f731bc57b56e".into(),
                }),
            },
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let text = "ops@bastion/run:20261128t190213z-402817-4711/pid:4711/start:8812345/\
                    ns:4026531836-4026531834/boot:dc6fd436-3f42-4331-af05-f731bc57b56e";
        assert_eq!(example().to_string(), text);
        assert_eq!(text.parse(), Ok(example()));
        let mut unknown = example();
        unknown.process.place = None;
        assert_eq!(unknown.to_string().parse(), Ok(unknown));
        // A user's name may hold anything.
        let mut odd = example();
        odd.user = "a/b@c".into();
        let read: Identity = odd.to_string().parse().unwrap();
        assert_eq!((&*read.user, &*read.host), ("a-b@c", "bastion"));
        for cut in 0..text.len() - 1 {
            let read: Result<Identity, _> = text[..cut].parse();
            // Only the boot's own id may be cut without a trace, and then it is another one.
            assert!(read.is_err() || read != Ok(example()), "{cut}");
        }
        for other in ["", "somebody@elsewhere/20261128t190213z-1-2", "ops@h/pid:1"] {
            assert_eq!(other.parse::<Identity>(), Err(NotAnIdentity), "{other}");
        }
    }

    #[test]
    fn only_host_boot_and_namespaces_together_are_a_place() {
        let here = example();
        assert!(here.is_of_same_place(&example()));
        let mut host = example();
        host.host = "other".into();
        let mut boot = example();
        let mut container = example();
        if let Some(place) = &mut boot.process.place {
            place.boot = "another".into();
        }
        if let Some(place) = &mut container.process.place {
            place.namespaces = "4026532250-4026531834".into();
        }
        for other in [&host, &boot, &container] {
            assert!(!here.is_of_same_place(other), "{other}");
        }
        let mut unknown = example();
        unknown.process.place = None;
        assert!(!unknown.is_of_same_place(&unknown));
    }
}
