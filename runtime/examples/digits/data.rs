//! The images, labels and recorded logits, all inside the program.

use crate::npy;
use flate2::read::GzDecoder;
use std::error::Error;
use std::io::Read;

/// A grey image `[28, 28, 1]`, 0 to 1.
pub type Image = kernforge::Tensor<[[[f32; 1]; 28]; 28]>;

/// The 10,000 test images.
pub fn images() -> Result<Vec<Image>, Box<dyn Error>> {
    let bytes = idx(include_bytes!("../data/mnist/t10k-images-idx3-ubyte.gz"), &[28, 28])?;
    let image = |pixels: &[u8]| {
        let values: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        Ok(Image::from_slice(&values)?)
    };
    bytes.chunks_exact(28 * 28).map(image).collect()
}

/// What digit each image shows.
pub fn labels() -> Result<Vec<usize>, Box<dyn Error>> {
    let bytes = idx(include_bytes!("../data/mnist/t10k-labels-idx1-ubyte.gz"), &[])?;
    Ok(bytes.into_iter().map(usize::from).collect())
}

/// The logits of the first 32 images as the trainer recorded them.
pub fn recorded_logits() -> Result<Vec<[f32; 10]>, Box<dyn Error>> {
    let (_, values) = npy::read(include_bytes!("../data/mnist_cnn/logits_train.npy"))?;
    Ok(values.as_chunks().0.to_vec())
}

/// The payload of a gzipped IDX file of bytes: a big-endian count, then the extents of an item, then the items.
fn idx(gzipped: &[u8], item: &[usize]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    GzDecoder::new(gzipped).read_to_end(&mut bytes)?;
    let rank = item.len() + 1;
    let payload = bytes.split_off(4 + 4 * rank);
    let extents: Vec<usize> =
        bytes[4..].as_chunks().0.iter().map(|&extent| u32::from_be_bytes(extent) as usize).collect();
    let expected = extents[0] * item.iter().product::<usize>();
    if extents[1..] != *item || payload.len() != expected {
        return Err(format!("IDX file of extents {extents:?} holds {} bytes", payload.len()).into());
    }
    Ok(payload)
}
