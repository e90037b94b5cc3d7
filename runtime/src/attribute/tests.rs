//! The functions over a network whose gradient is known: `f_c(x) = Σ (c + 1) · x_i² · (i + 1) + x_0 · x_1`.

use super::*;
use alloc::string::ToString;
use alloc::vec::Vec;

/// Two outputs of six numbers in an image of 2 × 3.
struct Squares {
    value: [f64; 2],
    gradient: [[[f64; 1]; 3]; 2],
}

impl Differentiable for Squares {
    type Number = f64;
    type Input = [[[f64; 1]; 3]; 2];
    type Output = [f64; 2];

    fn value(&mut self, input: &Self::Input) -> &[f64; 2] {
        let x = elements(input);
        let sum: f64 = x.iter().enumerate().map(|(i, x)| x * x * (i + 1) as f64).sum();
        self.value = [sum + x[0] * x[1], 2.0 * sum + x[0] * x[1]];
        &self.value
    }

    fn gradient(&mut self, input: &Self::Input, factors: &[f64; 2]) -> (&[f64; 2], &Self::Input) {
        self.value(input);
        let x = elements(input);
        let by = |i: usize, factor: f64| 2.0 * factor * x[i] * (i + 1) as f64 + [x[1], x[0], 0.0, 0.0, 0.0, 0.0][i];
        for (i, g) in elements_mut(&mut self.gradient).iter_mut().enumerate() {
            *g = factors[0] * by(i, 1.0) + factors[1] * by(i, 2.0);
        }
        (&self.value, &self.gradient)
    }
}

fn net() -> Squares {
    Squares { value: [0.0; 2], gradient: [[[0.0; 1]; 3]; 2] }
}

const X: [[[f64; 1]; 3]; 2] = [[[1.0], [2.0], [3.0]], [[-1.0], [0.5], [2.0]]];
const ZERO: [[[f64; 1]; 3]; 2] = [[[0.0; 1]; 3]; 2];

#[test]
fn gradients() {
    let mut map = ZERO;
    // 1 + 8 + 27 + 4 + 1.25 + 24 = 65.25, and 1 · 2
    assert_eq!(input_gradient(&mut net(), &X, 0, &mut map), Ok(67.25));
    assert_eq!(elements(&map), [4.0, 9.0, 18.0, -8.0, 5.0, 24.0]);
    assert_eq!(gradient_times_input(&mut net(), &X, 1, &mut map), Ok(132.5));
    assert_eq!(elements(&map), [6.0, 34.0, 108.0, 16.0, 5.0, 96.0]);
}

/// A square is integrated exactly by the middles of equal parts.
#[test]
fn integrated() {
    let mut map = ZERO;
    let found = integrated_gradients(&mut net(), &X, &ZERO, 4, 0, &mut map).unwrap();
    assert_eq!(found, 67.25);
    let expected = [2.0, 9.0, 27.0, 4.0, 1.25, 24.0];
    for (m, e) in elements(&map).iter().zip(expected) {
        assert!((m - e).abs() < 1e-12, "{m} instead of {e}");
    }
    // From another place: no longer from zero.
    let from = [[[1.0], [0.0], [0.0]], [[1.0], [1.0], [1.0]]];
    let found = integrated_gradients(&mut net(), &X, &from, 8, 1, &mut map).unwrap();
    assert!((elements(&map).iter().sum::<f64>() - found).abs() < 1e-12);
    assert_eq!(elements(&map)[0], 0.0);
}

/// Against windows put down one after the other.
#[test]
fn occluded() {
    for window in [&[][..], &[1], &[2], &[1, 2], &[2, 2], &[1, 3], &[1, 1, 1], &[2, 3]] {
        let mut map = ZERO;
        let baseline = [[[0.5], [0.0], [-1.0]], [[0.0], [0.25], [0.0]]];
        assert_eq!(occlusion(&mut net(), &X, &baseline, window, 0, &mut map), Ok(67.25));
        let (h, w) = (window.first().copied().unwrap_or(2), window.get(1).copied().unwrap_or(3));
        let (mut sums, mut counts) = ([[0.0; 3]; 2], [[0.0; 3]; 2]);
        for top in 0..=2 - h {
            for left in 0..=3 - w {
                let mut x = X;
                let cells: Vec<(usize, usize)> =
                    (top..top + h).flat_map(|r| (left..left + w).map(move |c| (r, c))).collect();
                cells.iter().for_each(|&(r, c)| x[r][c] = baseline[r][c]);
                let lost = 67.25 - net().value(&x)[0];
                for (r, c) in cells {
                    sums[r][c] += lost;
                    counts[r][c] += 1.0;
                }
            }
        }
        for (r, c) in (0..2).flat_map(|r| (0..3).map(move |c| (r, c))) {
            let expected = sums[r][c] / counts[r][c];
            assert!((map[r][c][0] - expected).abs() < 1e-12, "{window:?} at {r}, {c}: {map:?}");
        }
    }
}

#[test]
fn what_cannot_be_attributed() {
    let mut map = ZERO;
    let error = input_gradient(&mut net(), &X, 2, &mut map).unwrap_err();
    assert_eq!(error.to_string(), "there is no output 2: there are 2, 0 to 1");
    let error = integrated_gradients(&mut net(), &X, &ZERO, 0, 0, &mut map).unwrap_err();
    assert_eq!(error, AttributeError::Steps);
    let error = occlusion(&mut net(), &X, &ZERO, &[1, 4], 0, &mut map).unwrap_err();
    assert_eq!(error, AttributeError::Window { axis: 1, window: 4, input: 3 });
    let error = occlusion(&mut net(), &X, &ZERO, &[0], 0, &mut map).unwrap_err();
    assert_eq!(error, AttributeError::Window { axis: 0, window: 0, input: 2 });
    let error = occlusion(&mut net(), &X, &ZERO, &[1, 1, 1, 1], 0, &mut map).unwrap_err();
    assert_eq!(error, AttributeError::Axes { window: 4, input: 3 });
}

#[test]
fn pictures() {
    let map = [[[1.0f32, 1.0], [0.0, 0.0], [-1.0, 0.0]], [[0.5, -0.5], [-2.0, 0.0], [f32::NAN, 0.0]]];
    let levels = heat(&map);
    assert_eq!(levels, [[255, 128, 65], [128, 1, 0]]);
    assert_eq!(heat(&[[[0.0f32; 3]; 2]; 2]), [[128; 2]; 2]);
    #[cfg(feature = "std")]
    {
        let mut file = Vec::new();
        write_pgm(&mut file, &levels).unwrap();
        assert_eq!(file, b"P5\n3 2\n255\n\xff\x80\x41\x80\x01\x00");
    }
}
