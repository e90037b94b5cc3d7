//! What can go wrong, each with the file it went wrong with.

use kernforge::attribute::AttributeError;
use kernforge::{TrainError, WeightsError};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why an example ended early.
#[derive(Debug)]
pub enum Error {
    /// The command line.
    Arguments(String),
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file does not hold what it should.
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Weights that do not fit the network.
    Weights {
        /// The file.
        path: PathBuf,
        /// Which of them.
        error: WeightsError,
    },
    /// A step that was refused.
    Train(TrainError),
    /// An attribution that was refused.
    Attribute(AttributeError),
    /// The curve could not be drawn.
    Drawing {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
}

impl Error {
    /// For `map_err` on what reads or writes a file.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |error| Error::Io { path: path.to_owned(), error }
    }

    /// A file that holds something else.
    pub fn content(path: &Path, what: impl Into<String>) -> Error {
        Error::Content { path: path.to_owned(), what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Arguments(what) => f.write_str(what),
            Error::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Error::Content { path, what } => write!(f, "{}: {what}", path.display()),
            Error::Weights { path, error } => write!(f, "{}: {error}", path.display()),
            Error::Train(error) => error.fmt(f),
            Error::Attribute(error) => error.fmt(f),
            Error::Drawing { path, what } => write!(f, "{} cannot be drawn: {what}", path.display()),
        }
    }
}

impl std::error::Error for Error {}

impl From<TrainError> for Error {
    fn from(error: TrainError) -> Error {
        Error::Train(error)
    }
}

impl From<AttributeError> for Error {
    fn from(error: AttributeError) -> Error {
        Error::Attribute(error)
    }
}

/// What an example's `main` returns: an error is told as a sentence.
pub fn exit(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
