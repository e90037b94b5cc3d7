use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 6, 4]) -> Tensor![f32; 6, 8] {
        let rnn = gru(x, 4, bidirectional = true, stream = true);
        rnn
    }
}

fn main() {}
