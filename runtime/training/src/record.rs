//! How a run went so far, and the checkpoint that it goes on from.
//!
//! A checkpoint is one file, so that record and trainer are always of the same epoch: the record as lines of text, an
//! empty line, the trainer's own checkpoint. Files are replaced as a whole: written beside their place, then renamed.

use crate::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// An epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// The part of the test images that is classified right after it.
    pub accuracy: f64,
    /// How long it took.
    pub seconds: f64,
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Images to learn from; a run does not go on with others.
    pub samples: usize,
    /// Mean losses of [`EVERY`](Record::EVERY) steps each.
    pub losses: Vec<f32>,
    /// Its epochs.
    pub epochs: Vec<Epoch>,
}

impl Record {
    /// How many steps a loss is the mean of.
    pub const EVERY: usize = 20;

    /// Before the first epoch.
    pub fn new(samples: usize) -> Record {
        Record { samples, losses: Vec::new(), epochs: Vec::new() }
    }

    /// Replaces the checkpoint in `path`; `trainer` writes the trainer's part.
    pub fn save(&self, path: &Path, trainer: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Error> {
        let mut text = format!("samples {}\n", self.samples);
        for loss in &self.losses {
            let _ = writeln!(text, "loss {loss}");
        }
        for Epoch { accuracy, seconds } in &self.epochs {
            let _ = writeln!(text, "epoch {accuracy} {seconds}");
        }
        text.push('\n');
        replace(path, |file| {
            file.write_all(text.as_bytes())?;
            trainer(file)
        })
    }

    /// The checkpoint in `path` and the trainer's part of it, if there is one.
    pub fn load(path: &Path) -> Result<Option<(Record, Vec<u8>)>, Error> {
        let mut bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path)(error)),
        };
        let end = bytes.windows(2).position(|two| two == b"\n\n").map(|at| at + 2);
        let record = end.and_then(|end| parse(str::from_utf8(bytes.get(..end)?).ok()?));
        match (record, end) {
            (Some(record), Some(end)) => Ok(Some((record, bytes.split_off(end)))),
            (_, _) => Err(Error::content(path, "not a checkpoint; `--fresh` begins anew")),
        }
    }
}

fn parse(text: &str) -> Option<Record> {
    let mut lines = text.lines();
    let mut record = Record::new(lines.next()?.strip_prefix("samples ")?.parse().ok()?);
    for line in lines.take_while(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["loss", loss] => record.losses.push(loss.parse().ok()?),
            ["epoch", accuracy, seconds] => {
                record.epochs.push(Epoch { accuracy: accuracy.parse().ok()?, seconds: seconds.parse().ok()? });
            }
            _ => return None,
        }
    }
    Some(record)
}

/// Writes a file as a whole: whoever reads `path` finds the old one or the new one.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Error> {
    let beside = path.with_extension("part");
    let mut file = File::create(&beside).map_err(Error::io(&beside))?;
    write(&mut file).and_then(|()| file.sync_all()).map_err(Error::io(&beside))?;
    fs::rename(&beside, path).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_come_back() {
        let path = std::env::temp_dir().join(format!("kernforge-record-{}.checkpoint", std::process::id()));
        assert_eq!(Record::load(&path).unwrap(), None);
        let mut record = Record::new(8000);
        record.losses = vec![2.25, 0.1];
        record.epochs = vec![Epoch { accuracy: 0.9375, seconds: 1.5 }];
        record.save(&path, |file| file.write_all(b"trainer\n\n")).unwrap();
        assert_eq!(Record::load(&path).unwrap(), Some((record.clone(), b"trainer\n\n".to_vec())));
        // What is interrupted leaves the old file.
        let interrupted = Record::new(1).save(&path, |_| Err(io::Error::other("no space")));
        assert!(interrupted.unwrap_err().to_string().contains("no space"));
        assert_eq!(Record::load(&path).unwrap().map(|(r, _)| r), Some(record));
        for nonsense in ["", "samples 5", "samples x\n\n", "samples 5\nloss\n\n", "\n\n"] {
            fs::write(&path, nonsense).unwrap();
            let error = Record::load(&path).unwrap_err().to_string();
            assert!(error.contains("not a checkpoint"), "{nonsense:?}: {error}");
        }
        fs::remove_file(path.with_extension("part")).unwrap();
        fs::remove_file(path).unwrap();
    }
}
