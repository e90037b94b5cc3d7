use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 6, 1]) -> Tensor![f32; 6, 8] {
        let c1 = conv1d(x, 8, 3, pad = causal, stream = true);
        c1
    }
}

fn main() {}
