//! MNIST: all of it if it is there, else the test images in two parts.

use flate2::read::GzDecoder;
use std::error::Error;
use std::io::Read;
use std::path::Path;

/// A grey image, 0 to 255.
pub type Image = [[[u8; 1]; 28]; 28];

/// What to learn from and what to be tested on.
pub struct Digits {
    /// Images and the digits they show.
    pub train: Vec<(Image, u8)>,
    /// The same, not to be learnt from.
    pub test: Vec<(Image, u8)>,
    /// Where the images to learn from are from.
    pub source: &'static str,
}

/// Reads the images.
pub fn digits() -> Result<Digits, Box<dyn Error>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/mnist"));
    let mut test = samples(
        include_bytes!("../data/mnist/t10k-images-idx3-ubyte.gz"),
        include_bytes!("../data/mnist/t10k-labels-idx1-ubyte.gz"),
    )?;
    let images = std::fs::read(folder.join("train-images-idx3-ubyte.gz"));
    let labels = std::fs::read(folder.join("train-labels-idx1-ubyte.gz"));
    match (images, labels) {
        (Ok(images), Ok(labels)) => {
            Ok(Digits { train: samples(&images, &labels)?, test, source: "MNIST's training images" })
        }
        (_, _) => {
            let rest = test.split_off(8000);
            Ok(Digits { train: test, test: rest, source: "the first of MNIST's test images" })
        }
    }
}

fn samples(images: &[u8], labels: &[u8]) -> Result<Vec<(Image, u8)>, Box<dyn Error>> {
    let (images, labels) = (payload(images, 16)?, payload(labels, 8)?);
    let image = |pixels: &[u8]| {
        let mut image = [[[0; 1]; 28]; 28];
        image.as_flattened_mut().as_flattened_mut().copy_from_slice(pixels);
        image
    };
    if images.len() != 28 * 28 * labels.len() {
        return Err(format!("{} bytes of images for {} labels", images.len(), labels.len()).into());
    }
    Ok(images.chunks_exact(28 * 28).map(image).zip(labels).collect())
}

/// What follows the header of a gzipped IDX file.
fn payload(gzipped: &[u8], header: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    GzDecoder::new(gzipped).read_to_end(&mut bytes)?;
    if bytes.len() < header {
        return Err("an IDX file without a header".into());
    }
    Ok(bytes.split_off(header))
}
