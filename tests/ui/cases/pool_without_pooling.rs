use kernforge::pool;

pool! {
    pub fn f(x: f32[2, 4]) -> f32[4] = sum(x, axis = 0);
}

fn main() {}
