use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let mut y = x;
        for _i in 0..2 {
            y = linear(y, 4, name = "fc{i}");
        }
        y
    }
}

fn main() {}
