//! Hand-written vector code.

use crate::ir::{integers, run_code};

/// 3 × 6 × 5 with registers of 4 lanes and a tail of 2.
#[test]
fn gemm_with_a_tail() {
    let text = "
        code gemm: f32 for avx2 {
          in x: f32[15]
          in w: f32[30]
          out y: f32[18]
          regs r0..r6 of 4
          // contraction 0: y
          for m in 0..3 {
            r0 = const 0.0
            r1 = copy r0
            for k in 0..5 {
              r2 = broadcast x[m*5 + k]
              r3 = load w[k*6]
              r4 = load w[k*6 + 4] lanes {0..2}
              r0 = fma r2, r3, r0
              r1 = fma r2, r4, r1
            }
            store y[m*6] <- r0
            store y[m*6 + 4] <- r1 lanes 2
          }
        }";
    let (x, w) = (integers(15, 0), integers(30, 1));
    let mut buffers = vec![x.clone(), w.clone(), vec![f32::NAN; 18]];
    run_code(text, &mut buffers).unwrap();
    for m in 0..3 {
        for n in 0..6 {
            assert_eq!(buffers[2][m * 6 + n], (0..5).map(|k| x[m * 5 + k] * w[k * 6 + n]).sum::<f32>());
        }
    }
}

/// Where the loop over taps starts and ends depends on the position.
#[test]
fn padding_in_loop_bounds() {
    let text = "
        code conv: f32 for portable {
          in x: f32[5]
          in w: f32[3]
          out y: f32[3]
          regs r0..r3 of 1
          for h in 0..3 {
            r0 = const 0.0
            for p in clamp(1 - h*2, 0, 3)..clamp(ceil_div(12 - h*4, 2), 0, 3) {
              r1 = broadcast x[h*2 + p - 1]
              r2 = broadcast w[p]
              r0 = fma r1, r2, r0
            }
            store y[h] <- r0
          }
        }";
    // Terms of an address come in the order of their variables; constants come last in print.
    let text = text.replace("1 - h*2", "-h*2 + 1").replace("12 - h*4", "-h*4 + 12");
    let (x, w) = (integers(5, 0), integers(3, 1));
    let mut buffers = vec![x.clone(), w.clone(), vec![f32::NAN; 3]];
    run_code(&text, &mut buffers).unwrap();
    for h in 0..3 {
        let taps = (0..3).filter(|p| (1..6).contains(&(h * 2 + p)));
        assert_eq!(buffers[2][h], taps.map(|p| x[h * 2 + p - 1] * w[p]).sum::<f32>());
    }
}

#[test]
fn lanes() {
    let text = "
        code lanes: f32 for avx2 {
          in x: f32[8]
          out y: f32[21]
          temp t: f32[1]
          const c: f32[4] = [10.0, 20.0, 30.0, 40.0]
          regs r0..r5 of 4, r5 of 1
          r0 = load x[0]
          r1 = load c[0]
          r2 = add r0, r1 where {1, 3} else r1
          store y[0] <- r2
          r2 = gather x[1] stride 2
          store y[4] <- r2
          r2 = gather x[6] stride -2 lanes {0..2}
          store y[8] <- r2
          r2 = load x[3] lanes {0, 2..4}
          store y[12] <- r2
          r3 = const 1.0
          r4 = select_lt r0, r1, r3, r2
          store y[16] <- r4
          r5 = fold add r1
          store t[0] <- r5
          r5 = broadcast t[0]
          store y[20] <- r5
        }";
    let mut buffers = vec![(0..8).map(|i| i as f32).collect(), vec![f32::NAN; 21]];
    run_code(text, &mut buffers).unwrap();
    let expected = [
        [10.0, 21.0, 30.0, 43.0],
        [1.0, 3.0, 5.0, 7.0],
        [6.0, 4.0, 0.0, 0.0],
        [3.0, 0.0, 5.0, 6.0],
        [1.0, 1.0, 1.0, 1.0],
    ];
    assert_eq!(buffers[1][..20], expected.concat());
    assert_eq!(buffers[1][20], 100.0);
}

#[test]
fn fma_rounds_once_where_the_isa_does() {
    let text = |isa: &str, op: &str| {
        format!(
            "code f: f32 for {isa} {{
              in x: f32[3]
              out y: f32[1]
              regs r0..r4 of 1
              r0 = broadcast x[0]
              r1 = broadcast x[1]
              r2 = broadcast x[2]
              r3 = {op}
              store y[0] <- r3
            }}"
        )
    };
    let x = 1.0 + f32::EPSILON;
    for op in ["fma r0, r1, r2", "fma r0, r1, r2 where {0} else r0"] {
        let run = |isa: &str| {
            let mut buffers = vec![vec![x, x, -1.0 - 2.0 * f32::EPSILON], vec![0.0]];
            run_code(&text(isa, op), &mut buffers).unwrap();
            buffers[1][0]
        };
        assert_eq!(run("avx2"), f32::EPSILON * f32::EPSILON);
        assert_eq!(run("portable"), 0.0);
    }
}

#[test]
fn mistakes_name_their_statement() {
    let code = |body: &str| {
        format!(
            "code f: f32 for avx2 {{
              in x: f32[6]
              out y: f32[6]
              regs r0..r3 of 4, r3 of 1
              {body}
            }}"
        )
    };
    let cases = [
        ("r0 = load x[3]", "`r0 = load x[3]`: outside of `x`, which has 6 elements: lane 0 is at 3"),
        ("for i in 0..4 { r0 = broadcast x[i*2] }", "`r0 = broadcast x[i*2]`: outside of `x`"),
        ("r0 = gather x[0] stride -1", "lane 0 is at -1"),
        ("r0 = const 1.0 store y[-1] <- r0", "outside of `y`"),
        ("r0 = const 1.0 store y[3] <- r0", "outside of `y`"),
        ("r0 = const 1.0 store x[0] <- r0", "not writable"),
        ("r0 = const 1.0 store y[0] <- r0 lanes 5", "5 of 4 lanes"),
        ("store y[0] <- r0", "`store y[0] <- r0`: r0 is read before it is set"),
        ("for i in 0..1 { r0 = const 1.0 } r1 = copy r0", "`r1 = copy r0`: r0 is read before it is set"),
        ("for i in 0..1 { r1 = add r0, r0 r0 = const 1.0 }", "r0 is read before it is set"),
        ("r3 = const 1.0 r0 = copy r3", "r3 has 1 lanes, not 4"),
        ("r0 = const 1.0 r1 = fold add r0", "cannot be folded"),
        ("r0 = const 1.0 r3 = fold neg r0", "cannot be folded"),
        ("r0 = load x[0] lanes {0..5}", "lanes {0..5} of 4"),
        ("r0 = gather x[0] stride 1", "stride 1"),
        ("for i in 0..4 step 0 { r0 = const 1.0 }", "`for i in 0..4 step 0 {`: the step is not positive"),
        ("for i in 0..clamp(3, 2, 1) { r0 = const 1.0 }", "wrong limit"),
    ];
    for (body, message) in cases {
        let error = run_code(&code(body), &mut [vec![1.0; 6], vec![0.0; 6]]).unwrap_err();
        assert!(error.contains(message), "{body}: {error}");
    }
    let wide = "code f: f32 for avx2 { regs r0 of 16 }";
    assert!(run_code(wide, &mut []).unwrap_err().contains("r0 has 16 lanes"));
}
