//! A learner without heap or standard library keeps learning: it follows a signal whose law changes, then recovers
//! from a sample that is not finite. Only this driver has the standard library.

use kernforge_no_std::{FollowerTrainer, LEARNER_BYTES, follow};

/// Mean squared error over the first fifty and the last hundred of a thousand samples of a law.
fn learn(learner: &mut FollowerTrainer, law: impl Fn(f32) -> f32) -> (f32, f32) {
    let mut past = [0.0; 8];
    let (mut first, mut last) = (0.0, 0.0);
    for n in 0..1000 {
        let next = law(n as f32);
        let loss = follow(learner, &past, next).expect("a finite signal");
        if n < 50 {
            first += loss / 50.0;
        }
        if n >= 900 {
            last += loss / 100.0;
        }
        past.rotate_left(1);
        past[7] = next;
    }
    (first, last)
}

fn main() {
    let mut learner = FollowerTrainer::new();
    let (slow, slow_learnt) = learn(&mut learner, |n| 0.8 * (n * 0.7).sin());
    assert!(slow_learnt < 0.01 * slow, "{slow} to {slow_learnt}");
    // Another law: wrong at first, then learnt as well.
    let (fast, fast_learnt) = learn(&mut learner, |n| 0.7 * (n * 1.1).sin() + 0.4);
    assert!(fast > 100.0 * slow_learnt, "{fast} at the change");
    assert!(fast_learnt < 0.01 * fast, "{fast} to {fast_learnt}");
    let before = learner.weights().hidden_weight;
    assert!(follow(&mut learner, &[f32::NAN; 8], 0.0).is_err());
    assert_eq!(learner.weights().hidden_weight, before);
    println!("{LEARNER_BYTES} bytes: {slow} to {slow_learnt}, then {fast} to {fast_learnt}");
}
