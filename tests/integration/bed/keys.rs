//! Keys of one bed: a certificate authority, a serving certificate for loopback, a key for service accounts, user tokens.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};

use super::Outcome;

/// A user of the API server. All have all permissions; the audit log distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// The test itself, Helm and kubectl.
    Tester,
    ControllerManager,
    Scheduler,
    Kwok,
    SourceController,
    HelmController,
    KustomizeController,
    /// The bed's own tasks: volumes, and pods that wait for Jobs.
    Bed,
}

impl User {
    const ALL: [Self; 8] = [
        Self::Tester,
        Self::ControllerManager,
        Self::Scheduler,
        Self::Kwok,
        Self::SourceController,
        Self::HelmController,
        Self::KustomizeController,
        Self::Bed,
    ];

    /// Returns the name in the audit log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tester => "tester",
            Self::ControllerManager => "system:kube-controller-manager",
            Self::Scheduler => "system:kube-scheduler",
            Self::Kwok => "kwok",
            Self::SourceController => "source-controller",
            Self::HelmController => "helm-controller",
            Self::KustomizeController => "kustomize-controller",
            Self::Bed => "bed",
        }
    }

    /// Returns the names of all users except the tester.
    pub(crate) fn machinery() -> impl Iterator<Item = &'static str> {
        Self::ALL
            .into_iter()
            .filter(|user| *user != Self::Tester)
            .map(Self::name)
    }

    fn token(self) -> String {
        format!("token-of-{}", self.name().replace(':', "-"))
    }
}

/// The folder of a bed's keys, and the authority's certificate.
#[derive(Debug)]
pub(crate) struct Keys {
    folder: PathBuf,
    authority: Vec<u8>,
}

impl Keys {
    /// Generates the keys in `folder`.
    pub(crate) fn make(folder: &Path) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        let authority_key = KeyPair::generate()?;
        let mut parameters = CertificateParams::new(Vec::new())?;
        // Differs from the server's name: a certificate whose issuer equals its subject counts as self-signed.
        parameters
            .distinguished_name
            .push(DnType::CommonName, "test bed");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let authority = parameters.self_signed(&authority_key)?;
        let issuer = Issuer::new(parameters, authority_key);

        let serving_key = KeyPair::generate()?;
        let mut serving = CertificateParams::new(vec!["localhost".to_owned()])?;
        serving
            .subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let serving = serving.signed_by(&serving_key, &issuer)?.pem();

        let accounts = KeyPair::generate()?;
        let tokens: String = User::ALL
            .into_iter()
            .map(|user| {
                format!(
                    "{},{},{},system:masters\n",
                    user.token(),
                    user.name(),
                    user.name()
                )
            })
            .collect();
        for (name, text) in [
            ("authority.pem", authority.pem()),
            ("serving.pem", serving),
            ("serving.key", serving_key.serialize_pem()),
            ("accounts.key", accounts.serialize_pem()),
            ("accounts.pub", accounts.public_key_pem()),
            ("tokens.csv", tokens),
        ] {
            fs::write(folder.join(name), text)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            authority: authority.der().to_vec(),
        })
    }

    /// Returns the path of a file.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Writes the kubeconfig of `user` for the server at `url` and returns its path.
    pub(crate) fn kubeconfig(&self, user: User, url: &str, name: &str) -> Outcome<PathBuf> {
        let path = self.folder.join(format!("{name}.kubeconfig"));
        let file = self.file("authority.pem");
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "bed",
            "clusters": [{"name": "bed", "cluster": {"server": url, "certificate-authority": file}}],
            "users": [{"name": user.name(), "user": {"token": user.token()}}],
            "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": user.name(), "namespace": "default"}}],
        });
        fs::write(&path, serde_json::to_string_pretty(&config)?)?;
        Ok(path)
    }

    /// Returns the authority's certificate (DER).
    pub(crate) fn authority(&self) -> &[u8] {
        &self.authority
    }
}
