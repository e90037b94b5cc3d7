use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    fn block(x: Tensor, n: usize) -> Tensor {
        let fc = linear(x, n);
        let more = Self::block(fc, n);
        more
    }

    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let a = Self::block(x, 4);
        a
    }
}

fn main() {}
