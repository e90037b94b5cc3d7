//! MNIST: all of it if it is there, else the test images in two parts.

use crate::error::Error;
use flate2::read::GzDecoder;
use std::fs;
use std::io::Read;
use std::path::Path;

/// A grey image, 0 to 255.
pub type Image = [[[u8; 1]; 28]; 28];

/// Images with the digits they show.
pub type Samples = Vec<(Image, u8)>;

/// What to learn from and what to be tested on.
pub struct Digits {
    /// Images to learn from.
    pub train: Samples,
    /// Others, never learnt from.
    pub test: Samples,
    /// Which images these are, for people.
    pub source: String,
}

const IMAGES: &str = "train-images-idx3-ubyte.gz";
const LABELS: &str = "train-labels-idx1-ubyte.gz";

impl Digits {
    /// Reads MNIST's training images from a folder and its test images out of this program. Where the folder has no
    /// training images, 8,000 test images are learnt from and the other 2,000 tested on.
    pub fn read(folder: &Path) -> Result<Digits, Error> {
        let built_in = Path::new("the test images in this program");
        let mut test = samples(
            (built_in, include_bytes!("../../examples/data/mnist/t10k-images-idx3-ubyte.gz")),
            (built_in, include_bytes!("../../examples/data/mnist/t10k-labels-idx1-ubyte.gz")),
        )?;
        let (images, labels) = (folder.join(IMAGES), folder.join(LABELS));
        // One file alone is a mistake, not a reason to learn from something else.
        if !images.exists() && !labels.exists() {
            let rest = test.split_off(8000);
            let source = format!(
                "the first {} of MNIST's test images, tested on the other {}: there is no {IMAGES} in {}",
                test.len(),
                rest.len(),
                folder.display()
            );
            return Ok(Digits { train: test, test: rest, source });
        }
        let read = |path: &Path| fs::read(path).map_err(Error::io(path));
        let train = samples((&images, &read(&images)?), (&labels, &read(&labels)?))?;
        let source = format!("MNIST's {} training images, tested on its {} test images", train.len(), test.len());
        Ok(Digits { train, test, source })
    }
}

/// The images and labels of two gzipped IDX files.
fn samples(images: (&Path, &[u8]), labels: (&Path, &[u8])) -> Result<Samples, Error> {
    let pixels = idx(images.0, images.1, &[28, 28])?;
    let digits = idx(labels.0, labels.1, &[])?;
    let (found, expected) = (pixels.len() / (28 * 28), digits.len());
    if found != expected {
        return Err(Error::content(images.0, format!("{found} images, but {expected} labels")));
    }
    if let Some(digit) = digits.iter().find(|digit| **digit > 9) {
        return Err(Error::content(labels.0, format!("a label is {digit}; digits are 0 to 9")));
    }
    let image = |pixels: &[u8]| {
        let mut image = [[[0; 1]; 28]; 28];
        image.as_flattened_mut().as_flattened_mut().copy_from_slice(pixels);
        image
    };
    Ok(pixels.chunks_exact(28 * 28).map(image).zip(digits).collect())
}

/// What a gzipped IDX file of bytes holds: two zeros, the type (8), the rank, the extents (big-endian; first the number
/// of items, then those of `item`), the items.
fn idx(path: &Path, gzipped: &[u8], item: &[usize]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    GzDecoder::new(gzipped)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::content(path, format!("not a whole gzip file: {error}")))?;
    let rank = item.len() + 1;
    let magic = [0, 0, 8, rank as u8];
    if !bytes.starts_with(&magic) || bytes.len() < 4 + 4 * rank {
        return Err(Error::content(path, format!("not an IDX file of bytes with {rank} axes")));
    }
    let values = bytes.split_off(4 + 4 * rank);
    let words = bytes.get(4..).unwrap_or_default().as_chunks().0;
    let extents: Vec<usize> = words.iter().map(|&extent| u32::from_be_bytes(extent) as usize).collect();
    let expected = extents.iter().try_fold(1, |product: usize, extent| product.checked_mul(*extent));
    if extents.get(1..) != Some(item) || expected != Some(values.len()) {
        return Err(Error::content(
            path,
            format!(
                "it says that its extents are {extents:?}, and holds {} bytes of items \
                                                 of extents {item:?}",
                values.len()
            ),
        ));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn files_that_do_not_fit() {
        let path = Path::new("labels.gz");
        let of = |bytes: &[u8]| idx(path, bytes, &[]).map_err(|e| e.to_string());
        assert_eq!(of(&gzip(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9])), Ok(vec![7, 9]));
        for (bytes, message) in [
            (b"plain".to_vec(), "labels.gz: not a whole gzip file"),
            (gzip(b""), "not an IDX file of bytes with 1 axes"),
            (gzip(&[0, 0, 8, 1, 0, 0]), "not an IDX file"),
            (gzip(&[0, 0, 8, 3, 0, 0, 0, 0]), "not an IDX file"),
            (gzip(&[0, 0, 8, 1, 0, 0, 0, 3, 7, 9]), "extents are [3], and holds 2 bytes"),
            (gzip(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9])[..20].to_vec(), "not a whole gzip file"),
        ] {
            let error = of(&bytes).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        let ten = gzip(&[0, 0, 8, 1, 0, 0, 0, 1, 10]);
        let mut image = vec![0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28];
        image.extend([0; 28 * 28]);
        let image = gzip(&image);
        let error = samples((path, &image), (path, &ten)).unwrap_err().to_string();
        assert!(error.contains("a label is 10"), "{error}");
        let none = gzip(&[0, 0, 8, 1, 0, 0, 0, 0]);
        let error = samples((path, &image), (path, &none)).unwrap_err().to_string();
        assert!(error.contains("1 images, but 0 labels"), "{error}");
    }

    #[test]
    fn a_folder_with_one_of_two_files() {
        let folder = std::env::temp_dir().join(format!("kernforge-mnist-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(Digits::read(&folder).unwrap().train.len(), 8000);
        fs::write(folder.join(LABELS), b"").unwrap();
        let error = Digits::read(&folder).err().unwrap().to_string();
        fs::remove_dir_all(&folder).unwrap();
        assert!(error.contains(IMAGES), "{error}");
    }
}
