use kernforge::gemm;

gemm! {
    pub fn f(x: f32[2, 4], w: f32[5, 3]) -> f32[2, 3] = matmul(x, w);
}

fn main() {
    let (x, w) = ([[0.0; 4]; 2], [[0.0; 3]; 5]);
    let mut y = [[0.0; 3]; 2];
    f::reference(&x, &w, &mut y);
    f::on(f::isa(), &x, &w, &mut y).unwrap();
    let flops: u64 = f::FLOPS + f::BYTES;
    println!("{flops} {} {}", f::SCHEDULE, f::variants().count());
}
