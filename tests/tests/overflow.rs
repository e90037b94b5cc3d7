//! A loss that is finite and gradients that are not: a step says where they first were not, and changes nothing.

use kernforge::{Origin, TrainError, network};

/// One sample: the gradients by the matrices are outer products that are never stored.
#[network(weights = seeded(1), train(batch = 1, loss = mse, optimizer = adam(lr = 0.1)))]
impl Single {
    /// Three numbers.
    pub fn forward(&mut self, x: Tensor![f32; 20]) -> Tensor![f32; 3] {
        let hidden = relu(linear(x, 8));
        let out = linear(hidden, 3);
        out
    }
}

/// Several samples, and a rule that squares nothing.
#[network(weights = seeded(1), train(batch = 4, loss = mse, optimizer = sgd(lr = 0.1, momentum = 0.9)))]
impl Dense {
    /// Three numbers.
    pub fn forward(&mut self, x: Tensor![f32; 20]) -> Tensor![f32; 3] {
        let hidden = relu(linear(x, 8));
        let out = linear(hidden, 3);
        out
    }
}

/// Filters, and running statistics that must not move either.
#[network(weights = seeded(1), train(batch = 4, loss = mse, optimizer = adam(lr = 0.1)))]
impl Convolutional {
    /// Three numbers.
    pub fn forward(&mut self, image: Tensor![f32; 6, 6, 2]) -> Tensor![f32; 3] {
        let conv1 = conv2d(image, 4, 3, pad = 1);
        let bn = relu(batch_norm(conv1));
        let conv2 = relu(conv2d(bn, 5, 3));
        let fc = linear(flatten(conv2), 3);
        fc
    }
}

/// The same in parts.
#[network(weights = seeded(1), train(batch = 4, shards = 2, loss = mse, optimizer = rmsprop(lr = 0.1)))]
impl Sharded {
    /// Three numbers.
    pub fn forward(&mut self, image: Tensor![f32; 6, 6, 2]) -> Tensor![f32; 3] {
        let conv1 = relu(conv2d(image, 4, 3, pad = 1));
        let conv2 = relu(conv2d(conv1, 5, 3));
        let fc = linear(flatten(conv2), 3);
        fc
    }
}

/// Where a refused step says that it went wrong. All that a checkpoint holds is as before.
macro_rules! refused {
    ($trainer:ident, $($given:expr),+) => {{
        let (mut before, mut after) = (Vec::new(), Vec::new());
        $trainer.save_checkpoint(&mut before).expect("memory");
        let error = $trainer.step($($given),+).expect_err("refused");
        $trainer.save_checkpoint(&mut after).expect("memory");
        assert!(before == after, "a refused step changed something");
        match error {
            TrainError::NotFinite { loss, origin } => {
                assert!(loss.is_finite(), "the loss is {loss}");
                origin
            }
            other => panic!("{other}"),
        }
    }};
}

#[test]
fn one_sample() {
    let mut found = Single::trainer();
    found.step(&[[0.5; 20]], &[[1.0; 3]]).expect("finite");
    let weights = found.weights_mut();
    weights.hidden_weight.as_flattened_mut().fill(0.0);
    weights.hidden_bias.fill(10.0);
    weights.out_weight.as_flattened_mut().fill(0.0);
    // By `out.weight` −2/3 · 1e19 · 10, whose square is more than a float holds.
    assert_eq!(refused!(found, &[[0.5; 20]], &[[1e19; 3]]), Origin::Gradient("out"));
    // By `out` 6.7e18 and small enough; what it hands on is not.
    let weights = found.weights_mut();
    weights.hidden_bias.fill(0.01);
    weights.out_weight.as_flattened_mut().fill(1e3);
    assert_eq!(refused!(found, &[[0.5; 20]], &[[1e19; 3]]), Origin::Gradient("hidden"));
    // Every square is finite, their sum is not: a step like any other.
    let weights = found.weights_mut();
    weights.hidden_bias.fill(1.0);
    weights.out_weight.as_flattened_mut().fill(0.0);
    found.step(&[[0.5; 20]], &[[1e19; 3]]).expect("finite squares");
}

#[test]
fn several_samples() {
    let mut found = Dense::trainer();
    found.step(&[[0.5; 20]; 4], &[[1.0; 3]; 4]).expect("finite");
    let weights = found.weights_mut();
    weights.hidden_weight.as_flattened_mut().fill(0.0);
    weights.hidden_bias.fill(1e-3);
    weights.out_weight.as_flattened_mut().fill(1.0);
    // Nothing but the product of two finite matrices is too large.
    let origin = refused!(found, &[[1e21; 20]; 4], &[[1e18; 3]; 4]);
    assert_eq!(origin, Origin::Gradient("hidden"));
    // The square would be; this rule needs none.
    found.step(&[[1e3; 20]; 4], &[[1e18; 3]; 4]).expect("finite");
}

#[test]
fn filters() {
    let ramp = |i: usize| (i % 7) as f32 * 0.1 - 0.2;
    let mut images = [[[[0.0; 2]; 6]; 6]; 4];
    let flat = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    flat.iter_mut().enumerate().for_each(|(i, x)| *x = ramp(i));
    let mut found = Convolutional::trainer();
    found.step(&images, &[[1.0; 3]; 4]).expect("finite");
    let weights = found.weights_mut();
    weights.conv2_bias.fill(0.1);
    weights.conv2_weight.as_flattened_mut().as_flattened_mut().as_flattened_mut().fill(1e-4);
    weights.fc_weight.as_flattened_mut().fill(1e4);
    assert_eq!(refused!(found, &images, &[[1e18; 3]; 4]), Origin::Gradient("conv2"));
    let mut found = Sharded::trainer();
    found.step(&images, &[[1.0; 3]; 4]).expect("finite");
    let weights = found.weights_mut();
    weights.conv1_bias.fill(1e-4);
    weights.conv2_bias.fill(1e-4);
    weights.conv2_weight.as_flattened_mut().as_flattened_mut().as_flattened_mut().fill(1e-4);
    weights.fc_weight.as_flattened_mut().fill(1e4);
    assert_eq!(refused!(found, &images, &[[1e18; 3]; 4]), Origin::Gradient("conv2"));
}
