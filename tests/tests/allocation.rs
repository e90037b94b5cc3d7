//! Kernels, steps of training and attributions allocate nothing, not even at the first call.

use kernforge::{Isa, Tensor, attribute, kernel, network};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting.
struct Counting;

thread_local! {
    /// Allocations of this thread: the test harness has threads of its own.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Several contractions with results in between.
#[kernel]
fn block(
    x: Tensor![f32; 6, 6, 8],
    w: Tensor![f32; 3, 3, 8, 16],
    p: Tensor![f32; 16, 10],
) -> (Tensor![f32; 3, 3, 10], Tensor![f32; 10]) {
    let y = max_pool2d(relu(conv2d(x, w, pad = 1)), 2);
    let z = matmul(y, p);
    (softmax(z), global_avg_pool(z))
}

/// Convolution, pooling, dropout and a matrix, trained and explained.
#[network(
    weights = seeded(1),
    train(batch = 4, loss = cross_entropy, optimizer = adam(lr = 1e-3), clip_norm = 1.0),
    explain,
)]
impl Small {
    /// Three classes.
    pub fn forward(&mut self, image: Tensor![f32; 6, 6, 1]) -> Tensor![f32; 3] {
        let conv = relu(conv2d(image, 4, 3, pad = 1));
        let pool = dropout(flatten(max_pool2d(conv, 2)), 0.25);
        let fc = linear(pool, 3);
        fc
    }
}

#[test]
fn training_and_explaining_allocate_nothing() {
    if std::env::var_os("KERNFORGE_ISA").is_some() {
        println!("skipped: KERNFORGE_ISA is set, and the first call allocates its value");
        return;
    }
    let mut images = [[[[0.5; 1]; 6]; 6]; 4];
    let mut map = images[0];
    let before = COUNT.get();
    let mut trainer = Small::trainer();
    for _ in 0..3 {
        assert!(trainer.step(&images, &[0u8, 1, 2, 0]).is_ok());
    }
    assert!(trainer.evaluate(&images, &[[0.25; 3]; 4]).is_ok());
    let mut net = Small::new();
    let explained = attribute::integrated_gradients(&mut net, &images[0], &[[[0.0; 1]; 6]; 6], 8, 1, &mut map);
    assert!(explained.is_ok());
    // A refused step looks for where it went wrong.
    images[2][1][1][0] = f32::NAN;
    assert!(trainer.step(&images, &[0u8, 1, 2, 0]).is_err());
    assert_eq!(COUNT.get() - before, 0);
}

#[test]
fn calls_allocate_nothing() {
    // Set by users who force an instruction set; reading it copies it.
    if std::env::var_os("KERNFORGE_ISA").is_some() {
        println!("skipped: KERNFORGE_ISA is set, and the first call allocates its value");
        return;
    }
    let x: Tensor![f32; 6, 6, 8] = Tensor::new([[[0.5; 8]; 6]; 6]);
    let w: Tensor![f32; 3, 3, 8, 16] = Tensor::new([[[[0.25; 16]; 8]; 3]; 3]);
    let p: Tensor![f32; 16, 10] = Tensor::new([[0.125; 10]; 16]);
    let mut y: Tensor![f32; 3, 3, 10] = Tensor::zeroed();
    let mut z: Tensor![f32; 10] = Tensor::zeroed();
    let before = COUNT.get();
    block(&x, &w, &p, &mut y, &mut z);
    block::reference(&x, &w, &p, &mut y, &mut z);
    for isa in Isa::ALL {
        let _ = block::on(isa, &x, &w, &p, &mut y, &mut z);
    }
    assert_eq!(COUNT.get() - before, 0);
    assert!(COUNT.get() > 0, "nothing is counted");
}
