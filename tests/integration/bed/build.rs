//! Builds the bed's programs once, into a cache that test runs share.
//!
//! A program is in a folder named after the digest of everything that affects its content. It is built under another name
//! and renamed, so a folder that exists is complete. The cache has one lock: a second run waits and then finds all programs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::Outcome;
use super::process::tail;
use super::program::{Program, Recipe};
use super::supervisor::Supervisor;

/// Names the cache folder; `target/testbed` when unset.
const CACHE_VARIABLE: &str = "ARMADA2FLUX_TESTBED_DIR";

/// Bytes of the digest in a folder's name.
const KEY_BYTES: usize = 8;

/// Prefix of a folder that is being built. A folder found while holding the lock was left by a killed build.
const UNFINISHED: &str = ".unfinished-";

/// The folders of the built programs.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    folders: BTreeMap<Program, PathBuf>,
}

impl Programs {
    /// Returns all programs, after building those that are missing.
    pub(crate) fn get() -> Outcome<Self> {
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed");
        let builder = Builder::new(PathBuf::from("go"), cache_folder())?;
        let recipes: Vec<_> = Program::ALL
            .iter()
            .map(|program| program.recipe(&modules))
            .collect();
        let folders = builder.build(&recipes)?;
        Ok(Self {
            folders: Program::ALL.into_iter().zip(folders).collect(),
        })
    }

    /// Returns the executable file.
    pub(crate) fn path(&self, program: Program) -> PathBuf {
        self.folders[&program].join(program.name())
    }

    /// Returns the folder of YAML files from the program's module.
    pub(crate) fn share(&self, program: Program) -> PathBuf {
        self.folders[&program].join("share")
    }
}

/// Returns the folder of built programs and of the files of running beds.
pub(crate) fn cache_folder() -> PathBuf {
    std::env::var_os(CACHE_VARIABLE)
        .map_or_else(|| super::target_folder().join("testbed"), PathBuf::from)
}

/// Returns why the bed cannot be built here; `None` if Go works.
pub(crate) fn missing_go() -> Option<String> {
    go_version(Path::new("go"))
        .err()
        .map(|error| match error.kind() {
            io::ErrorKind::NotFound => "Go is not installed".to_owned(),
            _ => format!("Go does not run: {error}"),
        })
}

fn go_version(go: &Path) -> io::Result<String> {
    let output = Command::new(go)
        .arg("version")
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Builds recipes into one cache.
#[derive(Debug)]
pub(crate) struct Builder {
    go: PathBuf,
    version: String,
    cache: PathBuf,
}

impl Builder {
    /// Creates a builder that uses the program `go` and builds into `cache`.
    pub(crate) fn new(go: PathBuf, cache: PathBuf) -> Outcome<Self> {
        let version =
            go_version(&go).map_err(|error| format!("{} version: {error}", go.display()))?;
        fs::create_dir_all(cache.join("bin"))
            .map_err(|error| format!("{}: {error}", cache.display()))?;
        Ok(Self { go, version, cache })
    }

    /// Returns the folder of each recipe, in order. Builds missing ones one after another, since Go uses all cores.
    pub(crate) fn build(&self, recipes: &[Recipe]) -> Outcome<Vec<PathBuf>> {
        let places = recipes
            .iter()
            .map(|recipe| self.place(recipe))
            .collect::<Outcome<Vec<_>>>()?;
        if places.iter().all(|place| place.is_dir()) {
            return Ok(places);
        }
        let _lock = self.lock()?;
        self.sweep()?;
        let missing: Vec<_> = recipes
            .iter()
            .zip(&places)
            .filter(|(_, place)| !place.is_dir())
            .collect();
        for (index, (recipe, place)) in missing.iter().enumerate() {
            print_progress(&format!(
                "building {} {} ({} of {})",
                recipe.name,
                recipe.version,
                index + 1,
                missing.len()
            ));
            let start = Instant::now();
            self.build_one(recipe, place)?;
            print_progress(&format!(
                "built {} in {} s",
                recipe.name,
                start.elapsed().as_secs()
            ));
        }
        Ok(places)
    }

    /// Returns the folder of the recipe's program, built or not.
    pub(crate) fn place(&self, recipe: &Recipe) -> Outcome<PathBuf> {
        let mut digest = Sha256::new();
        for file in ["go.mod", "go.sum"] {
            let path = recipe.folder.join(file);
            digest.update(fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?);
            digest.update([0]);
        }
        for word in [&self.version, &recipe.package, &recipe.stamps.join(" ")] {
            digest.update(word.as_bytes());
            digest.update([0]);
        }
        let (module, share) = recipe.shares.clone().unwrap_or_default();
        digest.update(format!("{module} {share}"));
        let key: String = digest
            .finalize()
            .iter()
            .take(KEY_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(self
            .cache
            .join("bin")
            .join(format!("{}-{key}", recipe.name)))
    }

    /// Waits until no other process builds into this cache. The kernel drops the lock when its holder ends.
    fn lock(&self) -> Outcome<File> {
        let path = self.cache.join("lock");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        if file.try_lock().is_err() {
            print_progress(&format!("waiting for another build ({})", path.display()));
            file.lock()
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(file)
    }

    /// Removes the rest of killed builds.
    fn sweep(&self) -> Outcome {
        for entry in fs::read_dir(self.cache.join("bin"))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    fn build_one(&self, recipe: &Recipe, place: &Path) -> Outcome {
        let unfinished = self
            .cache
            .join("bin")
            .join(format!("{UNFINISHED}{}", recipe.name));
        let scratch = unfinished.join("tmp");
        fs::create_dir_all(&scratch)?;
        let log = self.cache.join(format!("{}.log", recipe.name));
        let done = self
            .go_build(recipe, &unfinished, &scratch, &log)
            .and_then(|()| {
                fs::remove_dir_all(&scratch)?;
                if let Some((module, folder)) = &recipe.shares {
                    self.copy_share(recipe, module, folder, &unfinished)?;
                }
                fs::rename(&unfinished, place)?;
                Ok(())
            });
        if done.is_err() {
            drop(fs::remove_dir_all(&unfinished));
        }
        done.map_err(|error| {
            format!(
                "{} could not be built: {error}; see {}",
                recipe.name,
                log.display()
            )
            .into()
        })
    }

    fn go_build(&self, recipe: &Recipe, output: &Path, scratch: &Path, log: &Path) -> Outcome {
        let stamps: Vec<_> = recipe
            .stamps
            .iter()
            .map(|stamp| format!("-X {stamp}"))
            .collect();
        let mut file = File::create(log)?;
        // Write a line first, so that the log has disk space for compiler errors even if the disk fills up later.
        writeln!(file, "go build {}", recipe.package)?;
        let supervisor = Supervisor::start()?;
        let mut child = supervisor.spawn(
            Command::new(&self.go)
                .args(["build", "-buildvcs=false", "-trimpath", "-ldflags"])
                .arg(format!("-s -w {}", stamps.join(" ")).trim_end())
                .arg("-o")
                .arg(output.join(&recipe.name))
                .arg(&recipe.package)
                .current_dir(&recipe.folder)
                .env("GOTMPDIR", scratch)
                .stdin(Stdio::null())
                .stdout(file.try_clone()?)
                .stderr(file),
        )?;
        let status = child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{status}: {}", tail(log, 1)).into())
        }
    }

    fn copy_share(&self, recipe: &Recipe, module: &str, folder: &str, output: &Path) -> Outcome {
        let listed = Command::new(&self.go)
            .args(["list", "-m", "-f", "{{.Dir}}", module])
            .current_dir(&recipe.folder)
            .stdin(Stdio::null())
            .output()?;
        let source = Path::new(String::from_utf8_lossy(&listed.stdout).trim()).join(folder);
        let target = output.join("share");
        fs::create_dir_all(&target)?;
        let mut copied = 0;
        for entry in
            fs::read_dir(&source).map_err(|error| format!("{}: {error}", source.display()))?
        {
            let path = entry?.path();
            let is_yaml = path
                .extension()
                .is_some_and(|extension| extension == "yaml");
            let name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
            if is_yaml && name != "kustomization.yaml" {
                // Not `fs::copy`: it would keep the read-only mode of files in the module cache.
                fs::write(target.join(name), fs::read(&path)?)?;
                copied += 1;
            }
        }
        if copied == 0 {
            Err(format!("no YAML files in {}", source.display()).into())
        } else {
            Ok(())
        }
    }
}

/// Prints a line of progress to stderr, even if the test harness captures output.
pub(crate) fn print_progress(line: &str) {
    drop(writeln!(io::stderr(), "test bed: {line}"));
}

/// Returns a name that differs between processes and calls.
pub(crate) fn unique_name() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}-{}", std::process::id(), now.as_nanos() % 1_000_000_000)
}
