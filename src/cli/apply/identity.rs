//! Who runs: a name for the Lease that no other run has, and that a person can act on.

use super::super::clock;
use crate::value::Text;

/// Separates user and host from the process.
const BETWEEN: char = '/';

/// `user@host/PROCESS`, with a name of the process that no other has.
pub(super) fn holder() -> Text {
    let user = ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|user| !user.is_empty());
    let user = user.unwrap_or_else(|| "somebody".to_owned());
    let process = clock::run_name();
    Text::from(format!("{user}@{}{BETWEEN}{process}", host()))
}

/// The name of this machine, as it calls itself.
fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Whether a holder ran on this machine: then the lock of its journal says whether it still does.
pub(super) fn is_of_this_host(holder: &str) -> bool {
    let place = holder.split(BETWEEN).next().unwrap_or_default();
    place.rsplit_once('@').is_some_and(|(_, at)| at == host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_know_their_host() {
        assert!(is_of_this_host(&holder()));
        assert!(!is_of_this_host("somebody@elsewhere.example/12"));
        assert!(!is_of_this_host(""));
    }
}
