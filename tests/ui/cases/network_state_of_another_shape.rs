use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 8] {
        let rnn = gru(x, 8, h = x);
        rnn
    }
}

fn main() {}
