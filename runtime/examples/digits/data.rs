//! The images, labels, weights and recorded logits, all inside the program.

use flate2::read::GzDecoder;
use safetensors::SafeTensors;
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
    // NumPy's format: magic, version, the header's length at byte 8, the header, the values.
    let file = include_bytes!("../data/mnist_cnn/logits_train.npy");
    let header = usize::from(u16::from_le_bytes([file[8], file[9]]));
    Ok(floats(&file[10 + header..]).as_chunks().0.to_vec())
}

/// A weight of the network, flat, with the shape it has in the file checked.
pub fn weight(name: &str, shape: &[usize]) -> Result<Vec<f32>, Box<dyn Error>> {
    let file = SafeTensors::deserialize(include_bytes!("../data/mnist_cnn/weights.safetensors"))?;
    let tensor = file.tensor(name)?;
    if tensor.shape() != shape {
        return Err(format!("weight `{name}` has shape {:?}, expected {shape:?}", tensor.shape()).into());
    }
    Ok(floats(tensor.data()))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect()
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
