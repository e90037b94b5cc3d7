use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 6, 4]) -> Tensor![f32; 6, 4] {
        let att = attention(x, 3);
        att
    }
}

fn main() {}
