use kernforge::kernel;

#[kernel]
pub fn f(x: &[f32; 4], y: &mut [f32; 4]) {
    for i in 0..4 {
        y[i] = x[i] * 2.0;
    }
}

fn main() {
    let mut y = [0.0; 4];
    f(&[1.0, 2.0, 3.0, 4.0], &mut y);
}
