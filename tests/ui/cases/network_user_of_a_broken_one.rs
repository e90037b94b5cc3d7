use kernforge::network;

#[network(weights = zeroed, batch = [1, 8])]
impl Net {
    pub fn forward(&mut self, x: Tensor![f32; 4]) -> Tensor![f32; 4] {
        let fc1 = relu(linear(x, 16));
        let rnn = gru(fc1, 8, stream = true);
        let fc2 = linear(rnn, 4, padding = 1);
        fc2
    }
}

fn main() {
    let mut net = Net::new();
    let y: &[f32; 4] = net.forward(&[0.0; 4]);
    println!("{y:?} {} {} {} {} {:?}", Net::MACS, Net::PARAMS, Net::ARENA_BYTES, Net::WEIGHT_BYTES, Net::LAYERS);
    let state: &NetState = net.state();
    println!("{:?} {:?}", state.rnn.h, net.state().to_bytes());
    net.reset();
    let mut other = Net::default();
    *other.state_mut() = NetState::zeroed();
    println!("{:?}", other.forward_reference(&[0.0; 4]));
}
