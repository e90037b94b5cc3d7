//! `golden = ".."` with an argument that is overwritten and a result that is an index, and with weights that a program
//! loads: the macro makes the tests.

use kernforge::network;

/// A running sum, and what is largest now. Three calls are recorded.
#[network(weights = zeroed, golden = "../data/accumulator.safetensors")]
impl Accumulator {
    pub fn forward(&mut self, x: Tensor![f32; 4], h: &mut Tensor![f32; 4]) -> (f32, u32) {
        *h = 0.5 * h + x;
        (sum(x), argmax(x))
    }
}

/// Two sums of three. The test loads the weights.
#[network(
    weights = runtime,
    golden("../data/affine/recorded.safetensors", weights = "../data/affine/weights.safetensors")
)]
impl Affine {
    pub fn forward(&mut self, x: Tensor![f32; 3]) -> Tensor![f32; 2] {
        let fc = linear(x, 2);
        fc
    }
}

/// One to three sums: the member that the file fits has the test.
#[network(
    weights = runtime,
    family(SUMS = [1, 2, 3]),
    golden("../data/affine/recorded.safetensors", weights = "../data/affine/weights.safetensors")
)]
impl<const SUMS: usize> Sums<SUMS> {
    pub fn forward(&mut self, x: Tensor![f32; 3]) -> Tensor![f32; SUMS] {
        let fc = linear(x, SUMS);
        fc
    }
}

/// The names of the tests that there are. Those of one sum and of three would not compile.
#[test]
fn the_member_that_fits_has_the_test() {
    let _tests: [fn(); 3] = [accumulator_golden, affine_golden, sums_sums2_golden];
}
