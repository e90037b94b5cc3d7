//! What the trained network looks at: attributions of its answers to one test image of each digit.

use kernforge::{attribute, network};
use kernforge_training::error::Error;
use kernforge_training::mnist::{Image, Samples};
use kernforge_training::picture::{self, Tile};
use std::path::Path;

/// The network of `main.rs` with weights that are read when the program runs. Its layers have the same names.
#[network(weights = runtime, explain)]
impl Explained {
    /// A grey image to the logits of the ten digits.
    pub fn forward(&mut self, image: Tensor![u8; 28, 28, 1]) -> Tensor![f32; 10] {
        let pixels = image as f32 / 255.0;
        let conv1 = relu(conv2d(pixels, 8, 3, pad = 1));
        let conv2 = relu(conv2d(max_pool2d(conv1, 2), 16, 3, pad = 1));
        let fc1 = relu(linear(flatten(max_pool2d(conv2, 2)), 32));
        let fc2 = linear(fc1, 10);
        fc2
    }
}

/// Draws a row for each digit: the image, then gradient, gradient times input, integrated gradients and occlusion for
/// the digit that it shows.
pub fn draw(weights: &Path, test: &Samples, picture: &Path) -> Result<(), Error> {
    let bytes = std::fs::read(weights).map_err(Error::io(weights))?;
    let mut packed = ExplainedWeights::boxed();
    ExplainedWeights::load_into(&mut packed, &bytes)
        .map_err(|error| Error::Weights { path: weights.to_owned(), error })?;
    let mut net = Explained::new(&packed);
    let first = (0..10).filter_map(|digit| test.iter().find(|(_, label)| *label == digit));
    let rows: Vec<Vec<Tile>> =
        first.map(|(image, digit)| tiles(&mut net, image, usize::from(*digit))).collect::<Result<_, _>>()?;
    picture::png(picture, &rows)
}

fn tiles(net: &mut Explained<'_>, image: &Image, digit: usize) -> Result<Vec<Tile>, Error> {
    let x = image.map(|row| row.map(|[level]| [f32::from(level)]));
    let black = [[[0.0; 1]; 28]; 28];
    let mut maps = [black; 4];
    let [gradient, times, integrated, occluded] = &mut maps;
    attribute::input_gradient(net, &x, digit, gradient)?;
    attribute::gradient_times_input(net, &x, digit, times)?;
    attribute::integrated_gradients(net, &x, &black, 50, digit, integrated)?;
    attribute::occlusion(net, &x, &black, &[5, 5], digit, occluded)?;
    let heat = maps.iter().map(|map| picture::heat(&attribute::heat(map)));
    Ok([picture::grey(image)].into_iter().chain(heat).collect())
}
