use kernforge::network;

#[network(weights = zeroed)]
impl Net {
    fn embed(&mut self, x: Tensor) -> Tensor {
        let fc = linear(x, 4);
        fc
    }

    pub fn one(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        self.embed(x)
    }

    pub fn two(&mut self, a: Tensor![f32; 4], b: Tensor![f32; 4]) -> f32 {
        let (u, v) = (self.embed(a), self.embed(b));
        dot(u, v, w)
    }
}

fn main() {
    let mut net = Net::new();
    println!("{:?}", net.one(&[0.0; 4]));
    let similar: f32 = net.two(&[0.0; 4], &[1.0; 4]);
    println!("{similar}");
}
