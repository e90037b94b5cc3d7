//! Element-wise operations as scalar programs: one definition for the interpreter, for `outline`
//! and for the documentation.

use super::{Binary, Unary};
use crate::scalar::{Block, Func, Node, Prim, Val};

/// `SELU`'s constants (Klambauer et al. 2017, equation 14).
pub(crate) const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
pub(crate) const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// The program of a unary operation over `Arg(0)`.
pub fn block(unary: Unary) -> Block {
    let mut b = Block::new();
    let x = b.push(Node::Arg(0));
    let result = match unary {
        Unary::Neg => b.prim(Prim::Neg, &[x]),
        Unary::Abs => b.prim(Prim::Abs, &[x]),
        Unary::Square => b.prim(Prim::Mul, &[x, x]),
        Unary::Sqrt => b.prim(Prim::Sqrt, &[x]),
        Unary::Rsqrt => {
            let one = b.constant(1.0);
            let root = b.prim(Prim::Sqrt, &[x]);
            b.prim(Prim::Div, &[one, root])
        }
        Unary::Exp => b.call(Func::Exp, x),
        Unary::Log => b.call(Func::Log, x),
        Unary::Relu => {
            let zero = b.constant(0.0);
            b.prim(Prim::MaxSel, &[zero, x])
        }
        Unary::Relu6 => clamp(&mut b, x, 0.0, 6.0),
        Unary::LeakyRelu(slope) => {
            let slope = b.constant(slope);
            leaky(&mut b, x, slope)
        }
        Unary::Elu(alpha) => elu(&mut b, x, alpha),
        Unary::Selu => {
            let scale = b.constant(SELU_SCALE);
            let y = elu(&mut b, x, SELU_ALPHA);
            b.prim(Prim::Mul, &[scale, y])
        }
        Unary::Sigmoid => b.call(Func::Sigmoid, x),
        Unary::Tanh => b.call(Func::Tanh, x),
        Unary::Erf => b.call(Func::Erf, x),
        Unary::Gelu => {
            // x/2 · (1 + erf(x/√2))
            let scaled = times(&mut b, x, std::f64::consts::FRAC_1_SQRT_2);
            let erf = b.call(Func::Erf, scaled);
            half_gate(&mut b, x, erf)
        }
        Unary::GeluTanh => {
            // x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
            let square = b.prim(Prim::Mul, &[x, x]);
            let cube = b.prim(Prim::Mul, &[square, x]);
            let factor = b.constant(0.044_715);
            let inner = b.prim(Prim::Fma, &[factor, cube, x]);
            let scaled = times(&mut b, inner, (2.0 / std::f64::consts::PI).sqrt());
            let tanh = b.call(Func::Tanh, scaled);
            half_gate(&mut b, x, tanh)
        }
        Unary::Silu => {
            let gate = b.call(Func::Sigmoid, x);
            b.prim(Prim::Mul, &[x, gate])
        }
        Unary::HardSigmoid => hard_sigmoid(&mut b, x),
        Unary::HardSwish => {
            let gate = hard_sigmoid(&mut b, x);
            b.prim(Prim::Mul, &[x, gate])
        }
        Unary::Dropout(_) => x,
        Unary::Softplus => {
            // max(x, 0) + ln(1 + e^−|x|): no overflow
            let abs = b.prim(Prim::Abs, &[x]);
            let neg = b.prim(Prim::Neg, &[abs]);
            let exp = b.call(Func::Exp, neg);
            let log = b.call(Func::Log1p, exp);
            let zero = b.constant(0.0);
            let positive = b.prim(Prim::MaxSel, &[zero, x]);
            b.prim(Prim::Add, &[positive, log])
        }
        Unary::Clamp(lo, hi) => clamp(&mut b, x, lo, hi),
        Unary::Pow(p) => pow(&mut b, x, p),
    };
    b.finish(result)
}

/// The program of a binary operation over `Arg(0)` and `Arg(1)`.
pub fn binary(binary: Binary) -> Block {
    let mut b = Block::new();
    let x = b.push(Node::Arg(0));
    let y = b.push(Node::Arg(1));
    let result = match binary {
        Binary::Add => b.prim(Prim::Add, &[x, y]),
        Binary::Sub => b.prim(Prim::Sub, &[x, y]),
        Binary::Mul => b.prim(Prim::Mul, &[x, y]),
        Binary::Div => b.prim(Prim::Div, &[x, y]),
        Binary::Minimum => b.prim(Prim::Minimum, &[x, y]),
        Binary::Maximum => b.prim(Prim::Maximum, &[x, y]),
        Binary::Prelu => leaky(&mut b, x, y),
    };
    b.finish(result)
}

/// The program of `select` over `Arg(0)` (the mask), `Arg(1)` and `Arg(2)`. A NaN is not zero.
pub fn select() -> Block {
    let mut b = Block::new();
    let mask = b.push(Node::Arg(0));
    let then = b.push(Node::Arg(1));
    let otherwise = b.push(Node::Arg(2));
    let zero = b.constant(0.0);
    let result = b.prim(Prim::SelectEq, &[mask, zero, otherwise, then]);
    b.finish(result)
}

/// `x^p`; see [`Unary::Pow`].
fn pow(b: &mut Block, x: Val, p: f64) -> Val {
    let magnitude = p.abs();
    let power = if magnitude == 0.5 {
        b.prim(Prim::Sqrt, &[x])
    } else if magnitude == 1.0 {
        x
    } else if magnitude == 2.0 || magnitude == 3.0 || magnitude == 4.0 {
        let square = b.prim(Prim::Mul, &[x, x]);
        match magnitude {
            2.0 => square,
            3.0 => b.prim(Prim::Mul, &[square, x]),
            _four => b.prim(Prim::Mul, &[square, square]),
        }
    } else if p == 0.0 {
        return b.constant(1.0);
    } else {
        let log = b.call(Func::Log, x);
        let scaled = times(b, log, p);
        return b.call(Func::Exp, scaled);
    };
    if p > 0.0 {
        return power;
    }
    let one = b.constant(1.0);
    b.prim(Prim::Div, &[one, power])
}

fn times(b: &mut Block, x: Val, factor: f64) -> Val {
    let factor = b.constant(factor);
    b.prim(Prim::Mul, &[x, factor])
}

/// `x < 0 ? slope · x : x`
fn leaky(b: &mut Block, x: Val, slope: Val) -> Val {
    let zero = b.constant(0.0);
    let scaled = b.prim(Prim::Mul, &[slope, x]);
    b.prim(Prim::SelectLt, &[x, zero, scaled, x])
}

/// `0 < x ? x : alpha · (e^x − 1)`; NaN goes through the exponential.
fn elu(b: &mut Block, x: Val, alpha: f64) -> Val {
    let zero = b.constant(0.0);
    let grown = b.call(Func::Expm1, x);
    let scaled = times(b, grown, alpha);
    b.prim(Prim::SelectLt, &[zero, x, x, scaled])
}

/// `min(max(x, lo), hi)`; NaN stays NaN.
fn clamp(b: &mut Block, x: Val, lo: f64, hi: f64) -> Val {
    let lo = b.constant(lo);
    let raised = b.prim(Prim::MaxSel, &[lo, x]);
    let hi = b.constant(hi);
    b.prim(Prim::MinSel, &[hi, raised])
}

/// `clamp(x + 3, 0, 6) / 6`, the division as a product with the reciprocal.
fn hard_sigmoid(b: &mut Block, x: Val) -> Val {
    let three = b.constant(3.0);
    let shifted = b.prim(Prim::Add, &[x, three]);
    let clamped = clamp(b, shifted, 0.0, 6.0);
    times(b, clamped, 1.0 / 6.0)
}

/// `x/2 · (1 + gate)`
fn half_gate(b: &mut Block, x: Val, gate: Val) -> Val {
    let half = times(b, x, 0.5);
    b.prim(Prim::Fma, &[half, gate, half])
}
