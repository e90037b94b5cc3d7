use kernforge::network;

#[network(weights = seeded(1), explain)]
impl Net {
    pub fn forward(&mut self, words: Tensor![u16; 8]) -> Tensor![f32; 8, 4] {
        let table = embedding(words, 100, 4);
        table
    }
}

fn main() {}
