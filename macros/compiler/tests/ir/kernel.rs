//! Hand-written kernels against plain loops.

use crate::ir::{integers, run_kernel};

#[test]
fn gemm_with_bias_and_relu() {
    let text = "
        kernel hidden: f32 {
          in x: f32[5, 7]
          in w: f32[7, 3]
          in b: f32[3]
          out y: f32[5, 3]
          parallel m < 5, n < 3 {
            sum over k < 7 {
              x[m, k] * w[k, n]
            }
            y[m, n] = max_sel(0.0, acc + b[n])
          }
        }";
    let (x, w, b) = (integers(35, 0), integers(21, 1), integers(3, 2));
    let mut buffers = vec![x.clone(), w.clone(), b.clone(), vec![f32::NAN; 15]];
    run_kernel(text, &mut buffers).unwrap();
    for m in 0..5 {
        for n in 0..3 {
            let sum: f32 = (0..7).map(|k| x[m * 7 + k] * w[k * 3 + n]).sum();
            assert_eq!(buffers[3][m * 3 + n], (sum + b[n]).max(0.0));
        }
    }
    assert_eq!(buffers[0], x);
}

#[test]
fn padded_convolution() {
    let text = "
        kernel conv: f32 {
          in x: f32[5, 5]
          in w: f32[3, 3]
          out y: f32[3, 3]
          parallel h < 3, w < 3 {
            sum over p < 3, q < 3 {
              x[h*2 + p - 1 ?< 5, w*2 + q - 1 ?< 5] * w[p, q]
            }
            y[h, w] = acc
          }
        }";
    let (x, w) = (integers(25, 0), integers(9, 1));
    let mut buffers = vec![x.clone(), w.clone(), vec![f32::NAN; 9]];
    run_kernel(text, &mut buffers).unwrap();
    let at = |r: usize, c: usize| if (1..6).contains(&r) && (1..6).contains(&c) { x[(r - 1) * 5 + c - 1] } else { 0.0 };
    for h in 0..3 {
        for v in 0..3 {
            let taps = (0..9).map(|t| at(h * 2 + t / 3, v * 2 + t % 3) * w[t]);
            assert_eq!(buffers[2][h * 3 + v], taps.sum::<f32>());
        }
    }
}

#[test]
fn padding_does_not_take_part_in_a_max_pool() {
    let text = "
        kernel pool: f32 {
          in x: f32[4]
          out y: f32[3]
          parallel h < 3 {
            max over p < 2 {
              x[h*2 + p - 1 ?< 4]
            }
            y[h] = acc
          }
        }";
    let mut buffers = vec![vec![-1.0, -5.0, -3.0, -2.0], vec![0.0; 3]];
    run_kernel(text, &mut buffers).unwrap();
    assert_eq!(buffers[1], [-1.0, -3.0, -2.0]);
}

/// Term `k` goes to accumulator `k mod 4`; then 0 with 2, 1 with 3, and the two halves.
#[test]
fn partial_sums_are_interleaved_and_folded_by_halves() {
    let text = "
        kernel total: f32 {
          in x: f32[2, 6]
          out y: f32[2]
          parallel m < 2 {
            sum over k < 6 in 4 partials {
              x[m, k]
            }
            y[m] = acc
          }
        }";
    let big = 16_777_216.0f32; // 2^24: adding 1 is lost
    let mut buffers = vec![vec![big, 1.0, -big, 1.0, 1.0, 1.0, 1.0, big, 1.0, -big, 1.0, 0.0], vec![0.0; 2]];
    run_kernel(text, &mut buffers).unwrap();
    // Row 0: (big + 1 rounds to big) + -big = 0, (1 + 1) + 1 = 3.
    assert_eq!(buffers[1], [3.0, 3.0]);
}

#[test]
fn a_row_maximum_through_a_temporary() {
    let text = "
        kernel centre: f32 {
          inout x: f32[3, 4]
          scalar scale: f32
          temp top: f32[3]
          const half: f32[1] = [0.5]
          parallel m < 3 {
            max over k < 4 in 2 partials {
              x[m, k]
            }
            top[m] = acc
          }
          parallel m < 3, n < 4 {
            let t0 = x[m, n] - top[m];
            x[m, n] = t0 * t0 * (half[0] * scale[])
          }
        }";
    let x = integers(12, 3);
    let mut buffers = vec![x.clone(), vec![4.0]];
    run_kernel(text, &mut buffers).unwrap();
    for m in 0..3 {
        let row = &x[m * 4..m * 4 + 4];
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for n in 0..4 {
            assert_eq!(buffers[0][m * 4 + n], (row[n] - top) * (row[n] - top) * 2.0);
        }
    }
}

#[test]
fn a_product_is_fused_and_other_terms_are_not() {
    let text = |term: &str| {
        format!(
            "kernel dot: f32 {{
              in x: f32[2]
              in w: f32[2]
              out y: f32[1]
              parallel {{
                sum over k < 2 {{
                  {term}
                }}
                y[0] = acc
              }}
            }}"
        )
    };
    let x = 1.0f32 + f32::EPSILON;
    let run = |term: &str| {
        let mut buffers = vec![vec![-1.0, x], vec![1.0 + 2.0 * f32::EPSILON, x], vec![0.0]];
        run_kernel(&text(term), &mut buffers).unwrap();
        buffers[2][0]
    };
    assert_eq!(run("x[k] * w[k]"), f32::EPSILON * f32::EPSILON);
    assert_eq!(run("neg(neg(x[k] * w[k]))"), 0.0);
}

#[test]
fn a_temporary_shows_its_use_before_the_first_write() {
    let text = "
        kernel early: f32 {
          out y: f32[2]
          temp t: f32[2]
          parallel m < 2 {
            y[m] = t[m] + 1.0
          }
        }";
    let mut buffers = vec![vec![0.0; 2]];
    run_kernel(text, &mut buffers).unwrap();
    assert!(buffers[0].iter().all(|y| y.is_nan()));
}

#[test]
fn mistakes_are_errors_and_the_parameters_come_back() {
    let kernel = |body: &str| format!("kernel f: f32 {{ in x: f32[4] out y: f32[2] parallel m < 2 {{ {body} }} }}");
    let cases = [
        ("y[m] = x[m + 3 < 4]", "at 4 of 4"),
        ("y[m] = x[m < 5]", "has 4 elements"),
        ("x[m < 4] = 1.0", "not writable"),
        ("y[m] = acc", "without a reduction"),
        ("y[m*2] = 1.0", "at 2 of 2"),
        ("sum over k < 4 { x[k + 1] } y[m] = acc", "at 4 of 4"),
        ("sum over k < 2 { x[k] } y[m] = x[k]", "reduction index"),
        ("sum over k < 2 { x[k] } y[k] = acc", "depends on a reduction index"),
        ("sum over k < 2 in 3 partials { x[k] } y[m] = acc", "power of two"),
        ("sum over k < 2 { acc } y[m] = acc", "not made of reads"),
    ];
    for (body, message) in cases {
        let mut buffers = vec![integers(4, 0), vec![0.0; 2]];
        let error = run_kernel(&kernel(body), &mut buffers).unwrap_err();
        assert!(error.contains(message), "{body}: {error}");
        assert_eq!(buffers.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    }
    let good = kernel("y[m] = x[m]");
    assert!(run_kernel(&good, &mut [vec![0.0; 4]]).unwrap_err().contains("2 parameters, 1 are given"));
    assert!(run_kernel(&good, &mut [vec![0.0; 4], vec![0.0; 3]]).unwrap_err().contains("`y` has 2 elements, 3"));
}
