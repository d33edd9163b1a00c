//! Takes logins out of addresses: what stands in an address stands in the tree, in Git and in every report.

use super::{Located, Note, Place};
use crate::lower::source::key::{SecretKey, login_secret};
use crate::source::Span;
use crate::value::Text;

impl Located {
    /// Takes the login out of the address of a place. Flux reads it from a Secret: from the one that a rule names,
    /// or else from a new one without content.
    pub(super) fn with_login(mut self, span: Span) -> Self {
        let (url, secret) = match &mut self.place {
            Place::Git { git, folder: _ } => (&mut git.url, &mut git.secret),
            Place::Helm { repository, .. } => (&mut repository.url, &mut repository.secret),
            Place::Oci(source) => (&mut source.url, &mut source.secret),
            Place::Existing { .. } | Place::Unreadable(_) => return self,
        };
        let Some(Login {
            plain,
            user,
            password,
        }) = Login::of(url)
        else {
            return self;
        };
        if plain.starts_with("ssh://") {
            // Flux logs in with the key of the Secret; the address names the user.
            if let Some(user) = user.filter(|_| password) {
                *url = plain.replacen("ssh://", &format!("ssh://{user}@"), 1);
            }
            return self;
        }
        *url = plain;
        if secret.is_none() {
            let key = login_secret(url, user.filter(|_| password).as_deref());
            *secret = Some(key.name.clone());
            self.add_secret(
                "Flux reads the login of its address from a Secret",
                key,
                span,
            );
        }
        self
    }

    fn add_secret(&mut self, what: &'static str, key: SecretKey, span: Span) {
        self.notes.push(Note::Secret {
            what,
            secret: key.name.clone(),
            span,
        });
        self.secrets.push(key);
    }
}

/// An address with a login.
struct Login {
    /// The address without it.
    plain: Text,
    user: Option<Text>,
    /// Whether there is a password: a user alone may be a token.
    password: bool,
}

impl Login {
    fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (login, host) = rest[..end].rsplit_once('@')?;
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, !password.is_empty()),
            None => (login, false),
        };
        Some(Self {
            plain: format!("{scheme}://{host}{}", &rest[end..]).into(),
            user: Some(Text::from(user)).filter(|user| !user.is_empty()),
            password,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_leave_addresses() {
        for (url, plain, user, password) in [
            (
                "https://robot:pw@git.example.org/x.git",
                "https://git.example.org/x.git",
                Some("robot"),
                true,
            ),
            (
                "https://a:p@w@git.example.org:8443",
                "https://git.example.org:8443",
                Some("a"),
                true,
            ),
            (
                "https://token@git.example.org/x",
                "https://git.example.org/x",
                Some("token"),
                false,
            ),
            (
                "https://:pw@git.example.org/x",
                "https://git.example.org/x",
                None,
                true,
            ),
        ] {
            let login = Login::of(url).expect("a login");
            assert_eq!(&*login.plain, plain);
            assert_eq!((login.user.as_deref(), login.password), (user, password));
        }
        for url in [
            "https://git.example.org/x@y",
            "https://git.example.org:80/",
            "git.example.org",
        ] {
            assert!(Login::of(url).is_none(), "{url}");
        }
    }
}
