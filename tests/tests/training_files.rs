//! What a trainer saves: every kind of layer under PyTorch's names, in its layouts, read by the crate of the format
//! and by a network of the same layers.

use kernforge::network;
use safetensors::SafeTensors;

/// One of every kind.
#[network(weights = seeded(2), train(batch = 2, loss = mse, optimizer = adam(lr = 0.01)))]
impl Learning {
    /// Three numbers of an image.
    pub fn forward(&mut self, image: Tensor![f32; 8, 8, 2]) -> Tensor![f32; 3] {
        let conv = relu(conv2d(image, 4, 3, pad = 1));
        let bn = batch_norm(conv);
        let dw = depthwise_conv2d(bn, 3, pad = 1);
        let down = prelu(max_pool2d(dw, 2));
        let up = conv_transpose2d(down, 3, 2, stride = 2);
        let norm = layer_norm(reshape(up, [8, 24]));
        let cell = gru(norm, 6);
        let both = lstm(cell, 6, bidirectional = true);
        let mix = attention(both, 2);
        let c1 = conv1d(mix, 4, 3);
        let gn = group_norm(c1, 2);
        let place = param([6, 4]);
        let fc = linear(mean(gn + place, axis = 0), 3);
        fc
    }
}

/// The same layers, with the weights of a file.
#[network(weights = runtime)]
impl Loaded {
    /// Three numbers of an image.
    pub fn forward(&mut self, image: Tensor![f32; 8, 8, 2]) -> Tensor![f32; 3] {
        let conv = relu(conv2d(image, 4, 3, pad = 1));
        let bn = batch_norm(conv);
        let dw = depthwise_conv2d(bn, 3, pad = 1);
        let down = prelu(max_pool2d(dw, 2));
        let up = conv_transpose2d(down, 3, 2, stride = 2);
        let norm = layer_norm(reshape(up, [8, 24]));
        let cell = gru(norm, 6);
        let both = lstm(cell, 6, bidirectional = true);
        let mix = attention(both, 2);
        let c1 = conv1d(mix, 4, 3);
        let gn = group_norm(c1, 2);
        let place = param([6, 4]);
        let fc = linear(mean(gn + place, axis = 0), 3);
        fc
    }
}

type Image = [[[f32; 2]; 8]; 8];

fn images() -> [Image; 2] {
    let pixel = |n: usize, r: usize, c: usize, k: usize| ((n * 131 + r * 37 + c * 17 + k * 7) % 23) as f32 / 23.0 - 0.4;
    std::array::from_fn(|n| {
        std::array::from_fn(|r| std::array::from_fn(|c| std::array::from_fn(|k| pixel(n, r, c, k))))
    })
}

/// A file after three steps, and the outputs' mean square as the trainer sees it.
fn trained() -> (Vec<u8>, f32) {
    let mut trainer = LearningTrainer::boxed();
    let images = images();
    for _ in 0..3 {
        trainer.step(&images, &[[1.0, 0.0, -1.0], [0.5, 2.0, 0.0]]).expect("finite");
    }
    let evaluation = trainer.evaluate(&images, &[[0.0; 3]; 2]).expect("targets");
    let mut file = Vec::new();
    trainer.save(&mut file).expect("memory");
    (file, evaluation.loss)
}

/// `torch.nn`'s names and shapes of those layers.
#[test]
fn names_and_shapes() {
    let expected: [(&str, &[usize]); 36] = [
        ("bn.bias", &[4]),
        ("bn.running_mean", &[4]),
        ("bn.running_var", &[4]),
        ("bn.weight", &[4]),
        ("both.bias_hh_l0", &[24]),
        ("both.bias_hh_l0_reverse", &[24]),
        ("both.bias_ih_l0", &[24]),
        ("both.bias_ih_l0_reverse", &[24]),
        ("both.weight_hh_l0", &[24, 6]),
        ("both.weight_hh_l0_reverse", &[24, 6]),
        ("both.weight_ih_l0", &[24, 6]),
        ("both.weight_ih_l0_reverse", &[24, 6]),
        ("c1.bias", &[4]),
        ("c1.weight", &[4, 12, 3]),
        ("cell.bias_hh_l0", &[18]),
        ("cell.bias_ih_l0", &[18]),
        ("cell.weight_hh_l0", &[18, 6]),
        ("cell.weight_ih_l0", &[18, 24]),
        ("conv.bias", &[4]),
        ("conv.weight", &[4, 2, 3, 3]),
        ("down.weight", &[4]),
        ("dw.bias", &[4]),
        ("dw.weight", &[4, 1, 3, 3]),
        ("fc.bias", &[3]),
        ("fc.weight", &[3, 4]),
        ("gn.bias", &[4]),
        ("gn.weight", &[4]),
        ("mix.in_proj_bias", &[36]),
        ("mix.in_proj_weight", &[36, 12]),
        ("mix.out_proj.bias", &[12]),
        ("mix.out_proj.weight", &[12, 12]),
        ("norm.bias", &[24]),
        ("norm.weight", &[24]),
        ("place", &[6, 4]),
        ("up.bias", &[3]),
        ("up.weight", &[4, 3, 2, 2]),
    ];
    let (file, _) = trained();
    let read = SafeTensors::deserialize(&file).expect("a safetensors file");
    let mut found: Vec<(String, Vec<usize>)> =
        read.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect();
    found.sort();
    let expected: Vec<(String, Vec<usize>)> =
        expected.iter().map(|(name, shape)| (name.to_string(), shape.to_vec())).collect();
    assert_eq!(found, expected);
}

/// Another network reads the file and computes what the trainer does.
#[test]
fn the_same_numbers() {
    let (file, expected) = trained();
    let mut weights = LoadedWeights::boxed();
    LoadedWeights::load_into(&mut weights, &file).expect("the same layers");
    let mut net = Loaded::new(&weights);
    let mut found = 0.0;
    for image in &images() {
        found += net.forward(image).iter().map(|y| y * y).sum::<f32>() / 6.0;
    }
    assert!(expected > 1e-3 && (found - expected).abs() < 1e-5 * (1.0 + expected), "{found} instead of {expected}");
    // And so does the network itself, once it has loaded them.
    let mut loaded = Learning::load(&file).expect("the same network");
    for image in &images() {
        assert_eq!(loaded.forward(image), net.forward(image));
        assert_ne!(Learning::boxed().forward(image), net.forward(image));
    }
    let error = Learning::load(&file[..file.len() - 8]).err().expect("a file cut short");
    assert!(error.to_string().contains("was it cut short"), "{error}");
    // And so does another trainer.
    let mut other = LearningTrainer::boxed();
    other.load(&file).expect("the same network");
    assert_eq!(other.evaluate(&images(), &[[0.0; 3]; 2]).expect("targets").loss, expected);
}
