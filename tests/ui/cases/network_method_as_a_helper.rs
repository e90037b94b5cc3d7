use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    fn block(&mut self, x: Tensor, n: usize) -> Tensor {
        let fc = relu(linear(x, n));
        fc
    }

    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let a = Self::block(x, 4);
        a
    }
}

fn main() {}
