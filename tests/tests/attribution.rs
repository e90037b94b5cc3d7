//! Attributions of compiled networks: against differences of their own results, and their sums.

use kernforge::attribute::{self, Differentiable};
use kernforge::network;

/// Pixels of 0 to 255, with the weights of a file.
#[network(
    weights = "../../runtime/examples/data/mnist_cnn/weights.safetensors",
    keys(
        conv1.weight = "c1", conv1.bias = "b1", conv2.weight = "c2", conv2.bias = "b2",
        fc1.weight = "w1", fc1.bias = "d1", fc2.weight = "w2", fc2.bias = "d2",
    ),
    explain,
)]
impl Cnn {
    /// The logits of one image.
    pub fn forward(&mut self, image: Tensor![u8; 28, 28, 1]) -> Tensor![f32; 10] {
        let conv1 = relu(conv2d(image as f32 / 255.0, 8, kernel = 3, pad = 1));
        let pool1 = max_pool2d(conv1, 2);
        let conv2 = relu(conv2d(pool1, 16, kernel = 3, pad = 1));
        let pool2 = max_pool2d(conv2, 2);
        let fc1 = relu(linear(flatten(pool2), 32));
        let fc2 = linear(fc1, 10);
        fc2
    }
}

/// A stream with two inputs and two results, whose weights are a value.
#[network(weights = runtime, explain)]
impl Stream {
    /// One step.
    pub fn step(&mut self, x: Tensor![f32; 3], gain: f32) -> (Tensor![f32; 5], f32) {
        let cell = gru(x * gain, 5, stream = true);
        let out = linear(cell, 1);
        (cell, out[0])
    }
}

/// A three, roughly, on paper with a grain: where neighbours are equal a pooling has no derivative.
fn three() -> [[[u8; 1]; 28]; 28] {
    let grain = |row: usize, column: usize| [((row * 37 + column * 101 + row * column * 5) % 41) as u8];
    let mut image: [[[u8; 1]; 28]; 28] = core::array::from_fn(|row| core::array::from_fn(|column| grain(row, column)));
    for (row, line) in image.iter_mut().enumerate().take(24).skip(4) {
        for (column, pixel) in line.iter_mut().enumerate().take(20).skip(8) {
            let bar = row < 7 || (12..15).contains(&row) || row > 20;
            if bar || column > 16 {
                pixel[0] = 255 - pixel[0] - (row as u8 + column as u8);
            }
        }
    }
    image
}

fn floats(image: &[[[u8; 1]; 28]; 28]) -> [[[f32; 1]; 28]; 28] {
    image.map(|row| row.map(|pixel| [f32::from(pixel[0])]))
}

#[test]
fn the_gradient_of_a_logit() {
    let (image, mut net) = (floats(&three()), Cnn::new());
    assert_eq!(*net.value(&image), *Cnn::new().forward(&three()), "floats of the same pixels");
    let mut map = [[[0.0; 1]; 28]; 28];
    let logit = attribute::input_gradient(&mut net, &image, 3, &mut map).unwrap();
    assert_eq!(logit, net.value(&image)[3]);
    // One level up and one down; where a `relu` turns between the two, the difference lies between two slopes.
    let (mut far, mut steep) = (0, 0);
    for (row, column) in (4..24).flat_map(|r| (6..22).map(move |c| (r, c))) {
        let at = |delta: f32, net: &mut Cnn| {
            let mut moved = image;
            moved[row][column][0] += delta;
            f64::from(net.value(&moved)[3])
        };
        let difference = (at(0.5, &mut net) - at(-0.5, &mut net)) as f32;
        let found = map[row][column][0];
        steep += usize::from(found.abs() > 1e-4);
        far += usize::from((found - difference).abs() > 2e-5 + 1e-2 * difference.abs());
    }
    assert!(steep > 200, "{steep} pixels matter");
    assert!(far < 32, "{far} of 320 are not the difference");
}

/// The attributions of a path add up to what the logit rose by.
#[test]
fn integrated_gradients_are_complete() {
    let (image, mut net) = (floats(&three()), Cnn::new());
    let black = [[[0.0; 1]; 28]; 28];
    let mut map = black;
    for class in [3, 5] {
        let gap = |steps: usize, net: &mut Cnn, map: &mut [[[f32; 1]; 28]; 28]| {
            let rise = attribute::integrated_gradients(net, &image, &black, steps, class, map).unwrap();
            (map.as_flattened().as_flattened().iter().sum::<f32>() - rise).abs()
        };
        let rise = net.value(&image)[class] - net.value(&black)[class];
        assert!(rise.abs() > 1.0, "{rise}");
        // Along the way the logit is straight between the kinks of `relu` and pooling, and a part of the way errs only
        // by the kinks within: the gap closes as the parts get shorter.
        let (coarse, fine) = (gap(10, &mut net, &mut map), gap(400, &mut net, &mut map));
        let all: f32 = map.as_flattened().as_flattened().iter().map(|m| m.abs()).sum();
        assert!(fine < 5e-4 * all && fine < 0.25 * coarse, "{coarse}, {fine} of {all}, {rise}");
        // Black pixels do not differ from black.
        let cells = image.as_flattened().iter().zip(map.as_flattened());
        assert!(cells.filter(|(pixel, _)| pixel[0] == 0.0).all(|(_, m)| m[0] == 0.0));
    }
}

#[test]
fn occlusion_of_a_digit() {
    let (image, mut net) = (floats(&three()), Cnn::new());
    let black = [[[0.0; 1]; 28]; 28];
    let mut map = black;
    let logit = attribute::occlusion(&mut net, &image, &black, &[27, 28], 3, &mut map).unwrap();
    // Two windows: all rows but the last, all rows but the first.
    let without = |rows: core::ops::Range<usize>, net: &mut Cnn| {
        let mut left = image;
        left[rows].iter_mut().for_each(|row| *row = [[0.0]; 28]);
        logit - net.value(&left)[3]
    };
    let (upper, lower) = (without(0..27, &mut net), without(1..28, &mut net));
    assert_eq!((map[0][5][0], map[27][0][0]), (upper, lower));
    assert_eq!(map[13][27][0], (upper + lower) / 2.0);
}

/// The state is read, not advanced.
#[test]
fn a_stream_by_two_inputs() {
    let mut weights = StreamWeights::boxed();
    let shapes = [("cell.weight_ih", 45), ("cell.weight_hh", 75), ("cell.bias_ih", 15), ("cell.bias_hh", 15)];
    let shapes = shapes.into_iter().chain([("out.weight", 5), ("out.bias", 1)]);
    let mut header = String::from("{");
    let mut data: Vec<u8> = Vec::new();
    for (name, len) in shapes {
        let shape = match (name, len) {
            ("out.weight", _) => "1,5".to_string(),
            (_, 45) => "15,3".into(),
            (_, 75) => "15,5".into(),
            (_, len) => len.to_string(),
        };
        let start = data.len();
        data.extend((0..len).flat_map(|i| ((i * 37 % 23) as f32 / 23.0 - 0.5).to_le_bytes()));
        let comma = if start > 0 { "," } else { "" };
        header += &format!(
            "{comma}\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{shape}],\"data_offsets\":[{start},{}]}}",
            data.len()
        );
    }
    header += "}";
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes().chain(data));
    StreamWeights::load_into(&mut weights, &file).unwrap();
    let mut net = Stream::new(&weights);
    net.step(&[0.3, -0.2, 0.9], 1.5);
    let before = net.state().cell.h;
    let inputs = [0.5, -1.0, 0.25, 2.0];
    let mut map = [0.0; 4];
    let out = attribute::input_gradient(&mut net, &inputs, 5, &mut map).unwrap();
    assert_eq!(net.state().cell.h, before);
    for i in 0..4 {
        let mut at = |delta: f32| {
            let mut moved = inputs;
            moved[i] += delta;
            net.value(&moved)[5]
        };
        let difference = (at(0.01) - at(-0.01)) / 0.02;
        assert!((map[i] - difference).abs() < 2e-3 * (1.0 + difference.abs()), "{i}: {} {difference}", map[i]);
        assert!(map[i] != 0.0);
    }
    let (_, result) = net.step(&[0.5, -1.0, 0.25], 2.0);
    assert_eq!(result, out);
}
