//! The command line, the same for every example.

use crate::error::Error;
use std::env;
use std::path::{Path, PathBuf};

/// `[--epochs N] [--data FOLDER] [--out FOLDER] [--fresh]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// How many epochs.
    pub epochs: usize,
    /// The folder with MNIST's training images.
    pub data: PathBuf,
    /// The folder for what is written.
    pub out: PathBuf,
    /// Whether a checkpoint that is there is ignored.
    pub fresh: bool,
}

/// What `--help` prints after the example's first line.
pub const HELP: &str = "\x20 --epochs N      how often to go through the images to learn from
  --data FOLDER   where MNIST's train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz are
                  (runtime/examples/data/mnist); without them, 8,000 of the test images are learnt from
  --out FOLDER    where to write weights, checkpoint and pictures (training in the target folder)
  --fresh         begin anew instead of going on from the checkpoint of a run that was interrupted";

impl Arguments {
    /// Reads the program's arguments; `None` after `--help`, which is answered here.
    pub fn read(name: &str, epochs: usize) -> Result<Option<Arguments>, Error> {
        let arguments = parse(env::args().skip(1), epochs)?;
        if arguments.is_none() {
            println!("cargo run --release --example {name} [-- OPTIONS]\n{HELP}");
        }
        Ok(arguments)
    }
}

/// The arguments after the program's name.
pub fn parse(given: impl IntoIterator<Item = String>, epochs: usize) -> Result<Option<Arguments>, Error> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("examples").join("data/mnist");
    let mut arguments = Arguments { epochs, data, out: target().join("training"), fresh: false };
    let mut given = given.into_iter();
    while let Some(option) = given.next() {
        let (name, inline) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option.as_str(), None),
        };
        let mut value = || {
            let value = inline.clone().or_else(|| given.next()).filter(|value| !value.is_empty());
            value.ok_or_else(|| Error::Arguments(format!("{name} needs a value\n{HELP}")))
        };
        match name {
            "--epochs" => {
                let value = value()?;
                let number = value.parse().ok().filter(|n| (1..=1000).contains(n));
                arguments.epochs = number
                    .ok_or_else(|| Error::Arguments(format!("--epochs is a number from 1 to 1000, not `{value}`")))?;
            }
            "--data" => {
                arguments.data = value()?.into();
                if !arguments.data.is_dir() {
                    let what = format!("--data: there is no folder {}", arguments.data.display());
                    return Err(Error::Arguments(what));
                }
            }
            "--out" => arguments.out = value()?.into(),
            "--fresh" if inline.is_none() => arguments.fresh = true,
            "--help" | "-h" => return Ok(None),
            _other => return Err(Error::Arguments(format!("unknown argument `{option}`; there are\n{HELP}"))),
        }
    }
    Ok(Some(arguments))
}

/// The target folder that the running program lies in (`target/release/examples/name`), else the current folder.
fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    program.ancestors().nth(3).map(PathBuf::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Option<Arguments>, String> {
        parse(line.split_whitespace().map(str::to_owned), 5).map_err(|e| e.to_string())
    }

    #[test]
    fn both_spellings() {
        let spaced = of("--epochs 3 --out a/b --fresh").unwrap().unwrap();
        assert_eq!((spaced.epochs, spaced.out.to_str(), spaced.fresh), (3, Some("a/b"), true));
        assert_eq!(of("--epochs=3 --out=a/b --fresh").unwrap().unwrap(), spaced);
        let default = of("").unwrap().unwrap();
        assert_eq!(default.epochs, 5);
        assert!(default.data.join("t10k-images-idx3-ubyte.gz").exists(), "{}", default.data.display());
        assert_eq!(of("--fresh --help --nonsense").unwrap(), None);
    }

    #[test]
    fn mistakes() {
        for (line, message) in [
            ("--epochs", "--epochs needs a value"),
            ("--epochs=", "--epochs needs a value"),
            ("--epochs many", "--epochs is a number from 1 to 1000, not `many`"),
            ("--epochs 0", "not `0`"),
            ("--data /no/such/folder", "there is no folder /no/such/folder"),
            ("--fresh=yes", "unknown argument `--fresh=yes`"),
            ("epochs", "unknown argument `epochs`"),
        ] {
            let error = of(line).unwrap_err();
            assert!(error.contains(message), "{line}: {error}");
        }
    }
}
