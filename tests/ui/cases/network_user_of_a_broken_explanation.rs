use kernforge::{attribute, network};

#[network(weights = seeded(1), explain)]
impl Net {
    pub fn forward(&mut self, image: Tensor![u8; 4, 4, 1]) -> Tensor![f32; 3] {
        let fc = liner(flatten(image as f32), 3);
        fc
    }
}

fn main() {
    let mut map = [[[0.0; 1]; 4]; 4];
    let _ = attribute::input_gradient(&mut Net::new(), &[[[1.0; 1]; 4]; 4], 0, &mut map);
}
