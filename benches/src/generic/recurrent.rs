//! One step of the small layers of streaming networks: dense, GRU, LSTM, as their definitions.
//!
//! Matrices are row-major `[out, in]` and gates follow one another in PyTorch's order, as in its files.

/// `y = epilogue(W · x + b)`.
pub fn dense(x: &[f32], w: &[f32], b: &[f32], y: &mut [f32], epilogue: impl Fn(f32) -> f32) {
    for (o, y) in y.iter_mut().enumerate() {
        *y = epilogue(product(x, w, o) + b[o]);
    }
}

/// The weights of a recurrent layer with as many gates as `bias` is longer than the state.
#[derive(Clone, Copy, Debug)]
pub struct Recurrent<'a> {
    /// `[gates · hidden, input]`
    pub input: &'a [f32],
    /// `[gates · hidden, hidden]`
    pub hidden: &'a [f32],
    /// `[gates · hidden]`, added to the input's product.
    pub input_bias: &'a [f32],
    /// `[gates · hidden]`, added to the state's product.
    pub hidden_bias: &'a [f32],
}

impl Recurrent<'_> {
    fn of_input(&self, x: &[f32], row: usize) -> f32 {
        product(x, self.input, row) + self.input_bias[row]
    }

    fn of_state(&self, h: &[f32], row: usize) -> f32 {
        product(h, self.hidden, row) + self.hidden_bias[row]
    }
}

/// One step of a GRU (gates r, z, n; the reset gate after the product): `h` in, the new `h` out. `scratch`
/// holds as many numbers as `h`.
pub fn gru(x: &[f32], w: Recurrent<'_>, h: &mut [f32], scratch: &mut [f32]) {
    let n = h.len();
    for (i, new) in scratch.iter_mut().enumerate() {
        let reset = sigmoid(w.of_input(x, i) + w.of_state(h, i));
        let update = sigmoid(w.of_input(x, n + i) + w.of_state(h, n + i));
        let candidate = (w.of_input(x, 2 * n + i) + reset * w.of_state(h, 2 * n + i)).tanh();
        *new = (1.0 - update) * candidate + update * h[i];
    }
    h.copy_from_slice(scratch);
}

/// One step of an LSTM (gates i, f, g, o): `h` and `c` in, the new ones out.
pub fn lstm(x: &[f32], w: Recurrent<'_>, h: &mut [f32], c: &mut [f32], scratch: &mut [f32]) {
    let n = h.len();
    for (i, new) in scratch.iter_mut().enumerate() {
        let gate = |index: usize| w.of_input(x, index * n + i) + w.of_state(h, index * n + i);
        c[i] = sigmoid(gate(1)) * c[i] + sigmoid(gate(0)) * gate(2).tanh();
        *new = sigmoid(gate(3)) * c[i].tanh();
    }
    h.copy_from_slice(scratch);
}

/// Row `row` of the matrix times `x`.
fn product(x: &[f32], w: &[f32], row: usize) -> f32 {
    let mut sum = 0.0;
    for (x, w) in x.iter().zip(&w[row * x.len()..(row + 1) * x.len()]) {
        sum += x * w;
    }
    sum
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
