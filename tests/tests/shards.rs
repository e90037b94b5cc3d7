//! A step in shards: the same bits for any number of threads, and close to the step in one piece.

use kernforge::network;

/// Everything whose sums could depend on who computes them: convolution, batch normalisation, dropout, clipping.
#[network(
    weights = seeded(5),
    train(batch = 12, shards = 4, loss = cross_entropy, optimizer = adamw(lr = 0.01), clip_norm = 1.0),
)]
impl Sharded {
    /// Four classes.
    pub fn forward(&mut self, image: Tensor![f32; 8, 8, 1]) -> Tensor![f32; 4] {
        let conv = conv2d(image, 6, 3, pad = 1);
        let bn = relu(batch_norm(conv));
        let flat = dropout(flatten(max_pool2d(bn, 2)), 0.25);
        let fc = linear(flat, 4);
        fc
    }
}

/// Without what sees only a part: in shards, and in one piece.
#[network(weights = seeded(5), train(batch = 12, shards = 3, loss = mse, optimizer = sgd(lr = 0.1, momentum = 0.9)))]
impl Parts {
    /// Two numbers.
    pub fn forward(&mut self, x: Tensor![f32; 10], y: Tensor![u8; 3]) -> Tensor![f32; 2] {
        let hidden = tanh(linear(concat([x, y as f32 / 9.0]), 16));
        let out = linear(hidden, 2);
        out
    }
}

/// The same network.
#[network(weights = seeded(5), train(batch = 12, loss = mse, optimizer = sgd(lr = 0.1, momentum = 0.9)))]
impl Whole {
    /// Two numbers.
    pub fn forward(&mut self, x: Tensor![f32; 10], y: Tensor![u8; 3]) -> Tensor![f32; 2] {
        let hidden = tanh(linear(concat([x, y as f32 / 9.0]), 16));
        let out = linear(hidden, 2);
        out
    }
}

fn number(seed: usize, i: usize) -> f32 {
    let mixed = (seed * 7919 + i + 1).wrapping_mul(2_654_435_761) as u32;
    (mixed >> 8) as f32 / (1 << 24) as f32 - 0.5
}

/// Ten steps by so many threads: losses and weights, bit by bit.
fn learnt(threads: usize) -> (Vec<u32>, Vec<u32>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let mut trainer = Sharded::trainer();
        let mut losses = Vec::new();
        for step in 0..10 {
            let mut images = [[[[0.0; 1]; 8]; 8]; 12];
            let flat = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
            flat.iter_mut().enumerate().for_each(|(i, x)| *x = number(step, i));
            let classes: [u8; 12] = std::array::from_fn(|i| ((i + step) % 4) as u8);
            losses.push(trainer.step(&images, &classes).expect("finite").to_bits());
        }
        let mut images = [[[[0.0; 1]; 8]; 8]; 12];
        let flat = images.as_flattened_mut().as_flattened_mut().as_flattened_mut();
        flat.iter_mut().enumerate().for_each(|(i, x)| *x = number(99, i));
        let found = trainer.evaluate(&images, &std::array::from_fn::<u8, 12, _>(|i| (i % 4) as u8)).expect("classes");
        losses.extend([found.loss.to_bits(), found.correct as u32]);
        let mut file = Vec::new();
        trainer.save(&mut file).expect("memory");
        (losses, file.into_iter().map(u32::from).collect())
    })
}

#[test]
fn threads_change_no_bit() {
    let one = learnt(1);
    assert!(one.0.windows(2).any(|pair| pair[0] != pair[1]), "nothing is learnt: {:?}", one.0);
    for threads in [2, 3, 4, 7] {
        assert_eq!(learnt(threads), one, "{threads} threads");
    }
}

#[test]
fn parts_are_the_whole() {
    let (mut parts, mut whole) = (Parts::trainer(), Whole::trainer());
    for step in 0..20 {
        let (mut x, mut t) = ([[0.0; 10]; 12], [[0.0; 2]; 12]);
        x.as_flattened_mut().iter_mut().enumerate().for_each(|(i, x)| *x = number(step, i));
        t.as_flattened_mut().iter_mut().enumerate().for_each(|(i, t)| *t = number(step + 90, i));
        let y: [[u8; 3]; 12] = std::array::from_fn(|i| [i as u8, step as u8, 7]);
        let (a, b) = (parts.step(&x, &y, &t).expect("finite"), whole.step(&x, &y, &t).expect("finite"));
        assert!((a - b).abs() < 1e-5 * (1.0 + b), "step {step}: {a} in parts, {b} as a whole");
    }
    // The last sample's targets decide its own part alone.
    let mut x = [[0.0; 10]; 12];
    x.as_flattened_mut().iter_mut().enumerate().for_each(|(i, x)| *x = number(77, i));
    for last in [[0.0, 1.0], [9.0, -9.0]] {
        let mut t: [[f32; 2]; 12] = std::array::from_fn(|i| [i as f32 * 0.1, 0.4]);
        t[11] = last;
        let (a, b) = (parts.evaluate(&x, &[[1; 3]; 12], &t), whole.evaluate(&x, &[[1; 3]; 12], &t));
        let (a, b) = (a.expect("targets"), b.expect("targets"));
        assert!((a.loss - b.loss).abs() < 1e-5 * (1.0 + b.loss), "{a:?} in parts, {b:?} as a whole");
        assert_eq!(a.correct, b.correct);
    }
    let pairs = parts.weights().out_weight.iter().flatten().zip(whole.weights().out_weight.iter().flatten());
    for (a, b) in pairs {
        assert!((a - b).abs() < 1e-4, "{a} in parts, {b} as a whole");
    }
    const { assert!(PartsTrainer::ARENA_BYTES > WholeTrainer::ARENA_BYTES) };
}
