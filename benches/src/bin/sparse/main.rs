//! What pruned weights save: one linear layer of 256×256 at batch 1, dense against pruned to a part of its weights.
//!
//! `cargo run --release -p kernforge-benches --features networks --bin sparse`. The dense network and each pruned
//! one are timed interleaved on one core; the last column is what the compiler chose and why. The weights that
//! stay are the largest of random ones: zeros without any structure.
#![allow(missing_docs)] // the macro writes the types' documentation

use kernforge::{Tensor, network};
use kernforge_benches::machine::Machine;
use kernforge_benches::measure::{Contender, Effort, interleaved};
use std::hint::black_box;

macro_rules! layers {
    ($($name:ident $keep:tt)*) => { $(
        #[network(weights = seeded(7), prune(fc, keep = $keep))]
        impl $name {
            /// One layer.
            pub fn forward(&mut self, x: Tensor![f32; 256]) -> Tensor![f32; 256] {
                let fc = linear(x, 256);
                fc
            }
        }
    )* };
}

layers! { Dense 1.0 Keep70 0.7 Keep50 0.5 Keep40 0.4 Keep30 0.3 Keep20 0.2 Keep10 0.1 Keep5 0.05 Keep2 0.02 }

/// Nanoseconds of the dense layer and of this one.
macro_rules! against_dense {
    ($x:ident $($name:ident)*) => { $( {
        let (mut dense, mut pruned) = (Dense::boxed(), $name::boxed());
        let mut contenders = [
            Contender::new("dense", |n| (0..n).for_each(|_| { black_box(dense.forward(black_box(&$x))); })),
            Contender::new("pruned", |n| (0..n).for_each(|_| { black_box(pruned.forward(black_box(&$x))); })),
        ];
        let times = interleaved(&mut contenders, Effort::FULL);
        let (dense, pruned) = (times[0].quartile, times[1].quartile);
        let code = $name::LAYERS[0].code.lines().next().unwrap_or("");
        println!("{:8} {dense:9.0} {pruned:9.0} {:9.2}x  {code}", stringify!($name), dense / pruned);
    } )* };
}

fn main() {
    println!("{}", Machine::pin_and_describe().line());
    println!("{:8} {:>9} {:>9} {:>10}  code", "", "dense ns", "pruned ns", "speed-up");
    let mut x = Tensor::<[f32; 256]>::zeroed();
    for (i, v) in x.iter_mut().enumerate() {
        *v = (i as f32 * 0.37).sin();
    }
    against_dense!(x Dense Keep70 Keep50 Keep40 Keep30 Keep20 Keep10 Keep5 Keep2);
}
