//! The runtime as users meet it: tensors, dispatch, the forced instruction set, what is known of a kernel.

use kernforge::{Isa, IsaUnavailable, ShapeError, Tensor, cpu, gemm};
use std::process::{Command, Output};

gemm! {
    /// A product.
    fn product(a: f32[5, 7], b: f32[7, 9]) -> f32[5, 9] = matmul(a, b);
    /// Not for AVX-512.
    #[isa(avx2)]
    fn narrow(a: f32[5, 7], b: f32[7, 9]) -> f32[5, 9] = matmul(a, b);
    /// With every option.
    #[isa(avx2, avx512)]
    #[tile(4, 1)]
    #[unroll(2)]
    #[budget(code = "16K")]
    fn tuned(a: f32[5, 7], b: f32[7, 9]) -> f32[5, 9] = matmul(a, b);
}

#[test]
fn a_tensor_passes_where_an_array_does() {
    let a: Tensor![f32; 5, 7] = Tensor::from_slice(&[1.0; 35]).unwrap();
    let b = Tensor::new([[2.0; 9]; 7]);
    let mut y: Tensor![f32; 5, 9] = Tensor::zeroed();
    product(&a, &b, &mut y);
    assert_eq!(y, Tensor::new([[14.0; 9]; 5]));
    let mut boxed: Box<Tensor![f32; 5, 9]> = Tensor::boxed_zeroed();
    product(&a, &b, &mut boxed);
    assert_eq!(boxed.as_slice(), y.as_slice());
}

#[test]
fn a_wrong_length_names_both_numbers() {
    let mut tensor: Tensor![f32; 5, 7] = Tensor::zeroed();
    let error = tensor.copy_from_slice(&[0.0; 36]).unwrap_err();
    assert_eq!(error, ShapeError { expected: 35, found: 36 });
    assert_eq!(error.to_string(), "the tensor has 35 elements but the slice has 36");
    let error: Box<dyn std::error::Error> = <Tensor![f64; 2]>::from_slice(&[]).unwrap_err().into();
    assert_eq!(error.to_string(), "the tensor has 2 elements but the slice has 0");
}

#[test]
fn a_kernel_tells_what_it_does() {
    assert_eq!(product::FLOPS, 2 * 5 * 7 * 9);
    assert_eq!(product::BYTES, 4 * (5 * 7 + 7 * 9 + 5 * 9));
    let isas = |variants: &mut dyn Iterator<Item = kernforge::Variant>| variants.map(|v| v.isa).collect::<Vec<_>>();
    assert_eq!(isas(&mut product::variants()), Isa::ALL);
    assert_eq!(isas(&mut narrow::variants()), [Isa::Portable, Isa::Avx2]);
    for isa in Isa::ALL {
        assert!(product::SCHEDULE.contains(isa.name()), "{}", product::SCHEDULE);
    }
    assert!(product::variants().all(|v| v.available == v.isa.is_available()));
}

#[test]
fn options_do_not_change_results() {
    let a = [[0.3; 7], [-1.7; 7], [2.9; 7], [0.1; 7], [7.7; 7]];
    let b = std::array::from_fn(|i| [i as f32 - 3.1; 9]);
    let (mut plain, mut other) = ([[0.0; 9]; 5], [[f32::NAN; 9]; 5]);
    product(&a, &b, &mut plain);
    tuned(&a, &b, &mut other);
    assert_eq!(plain, other);
}

#[test]
fn a_variant_that_was_not_compiled_is_an_error() {
    let (a, b, mut y) = ([[0.0; 7]; 5], [[0.0; 9]; 7], [[0.0; 9]; 5]);
    let error = narrow::on(Isa::Avx512, &a, &b, &mut y).unwrap_err();
    assert_eq!(error, IsaUnavailable { isa: Isa::Avx512, compiled: false });
    assert_eq!(error.to_string(), "the kernel was not compiled for avx512");
}

/// Set in the processes that this file starts of itself: what to do there.
const ROLE: &str = "KERNFORGE_TEST_ROLE";

/// Runs one test of this file in another process, with `KERNFORGE_ISA` set or not.
fn again(role: &str, isa: Option<&str>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "in_another_process", "--nocapture"]).env(ROLE, role).env_remove("KERNFORGE_ISA");
    if let Some(isa) = isa {
        command.env("KERNFORGE_ISA", isa);
    }
    command.output().unwrap()
}

/// Does nothing unless [`again`] started the process.
#[test]
fn in_another_process() {
    let (a, b, mut y) = ([[1.0; 7]; 5], [[1.0; 9]; 7], [[0.0; 9]; 5]);
    match std::env::var(ROLE).as_deref() {
        Ok("call") => {
            product(&a, &b, &mut y);
            assert_eq!(y, [[7.0; 9]; 5]);
            println!("\nproduct on {}, narrow on {}", product::isa(), narrow::isa());
        }
        Ok("check") => println!("\n{}", cpu::check().unwrap_err()),
        _ => {}
    }
}

/// The best instruction set of this CPU up to one.
fn best_up_to(isa: Isa) -> Isa {
    cpu::available().filter(|i| *i <= isa).last().unwrap_or(Isa::Portable)
}

#[test]
fn the_best_variant_runs() {
    let output = String::from_utf8(again("call", None).stdout).unwrap();
    let expected = format!("product on {}, narrow on {}", cpu::best(), best_up_to(Isa::Avx2));
    // A build that promises a kernel's best instruction set asks nobody.
    assert!(output.contains(&expected), "{output}");
    let empty = String::from_utf8(again("call", Some("")).stdout).unwrap();
    assert!(empty.contains(&expected), "{empty}");
}

#[test]
fn the_environment_forces_a_variant() {
    if cfg!(target_feature = "avx2") {
        println!("skipped: this build promises AVX2, so the variable has no effect");
        return;
    }
    for isa in Isa::ALL {
        if !isa.is_available() {
            println!("skipped: this CPU does not have {isa}");
            continue;
        }
        let output = String::from_utf8(again("call", Some(isa.name())).stdout).unwrap();
        let expected = format!("product on {isa}, narrow on {}", isa.min(Isa::Avx2));
        assert!(output.contains(&expected), "{output}");
    }
}

#[test]
fn a_variable_that_cannot_be_followed_is_an_error() {
    let available = cpu::available().map(Isa::name).collect::<Vec<_>>().join(", ");
    let message = format!("KERNFORGE_ISA=\"sse9\" names no instruction set; available here: {available}");
    let checked = String::from_utf8(again("check", Some("sse9")).stdout).unwrap();
    assert!(checked.contains(&message), "{checked}");
    if cfg!(target_feature = "avx2") {
        println!("skipped: this build promises AVX2, so the variable has no effect on calls");
        return;
    }
    let called = again("call", Some("sse9"));
    assert!(!called.status.success());
    let said = String::from_utf8(called.stderr).unwrap();
    assert!(said.contains(&message), "{said}");
}
