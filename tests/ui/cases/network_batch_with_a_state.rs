use kernforge::network;

#[network(weights = zeroed, batch = [1, 32])]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let rnn = gru(x, 4, stream = true);
        rnn
    }
}

fn main() {}
