use kernforge::network;

#[network(weights = runtime)]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc1 = relu(linear(x, 16));
        let fc2 = linear(fc1, 5);
        fc2
    }
}

fn main() {
    let mut weights = NetWeights::boxed();
    NetWeights::load_into(&mut weights, &[]).unwrap();
    let mut net = Net::new(&weights);
    let y: &[f32; 4] = net.forward(&[0.0; 4]);
    println!("{y:?} {}", Net::PARAMS);
    let mut second = Net::boxed(&weights);
    println!("{:?}", second.forward_on(kernforge::Isa::Portable, &[0.0; 4]));
}
