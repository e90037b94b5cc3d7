//! Adjoints of element-wise functions.

use super::At;
use crate::graph::unary::{SELU_ALPHA, SELU_SCALE};
use crate::graph::{Binary, NodeId, Unary};

/// `1 / √(2π)`
const DENSITY: f64 = 0.398_942_280_401_432_7;

impl At<'_> {
    /// `dy · f'(x)`. `y` is `f(x)`.
    pub(super) fn unary(&mut self, f: Unary, x: NodeId) -> NodeId {
        let (dy, y) = (self.dy, self.id);
        let b = &mut self.b;
        match f {
            Unary::Neg => b.unary(Unary::Neg, dy),
            Unary::Abs => {
                let sign = b.div(x, y);
                let slope = b.mul(dy, sign);
                b.keep(x, slope)
            }
            Unary::Square => {
                let twice = b.times(x, 2.0);
                b.mul(dy, twice)
            }
            Unary::Sqrt => {
                let half = b.times(dy, 0.5);
                b.div(half, y)
            }
            Unary::Rsqrt => {
                let square = b.mul(y, y);
                let cube = b.mul(square, y);
                let slope = b.times(cube, -0.5);
                b.mul(dy, slope)
            }
            Unary::Exp => b.mul(dy, y),
            Unary::Log => b.div(dy, x),
            Unary::Erf => {
                // 2/√π · e^(−x²)
                let square = b.mul(x, x);
                let negative = b.unary(Unary::Neg, square);
                let bell = b.unary(Unary::Exp, negative);
                let slope = b.times(bell, std::f64::consts::FRAC_2_SQRT_PI);
                b.mul(dy, slope)
            }
            Unary::Relu => b.keep(y, dy),
            Unary::Relu6 => {
                let six = b.number(6.0);
                let below = b.sub(six, y);
                let inner = b.keep(below, dy);
                b.keep(y, inner)
            }
            Unary::LeakyRelu(slope) => {
                let scaled = b.times(dy, slope);
                let positive = b.unary(Unary::Relu, x);
                b.select(positive, dy, scaled)
            }
            Unary::Elu(alpha) => self.grown(x, 1.0, alpha),
            Unary::Selu => self.grown(x, SELU_SCALE, SELU_SCALE * SELU_ALPHA),
            Unary::Sigmoid => {
                let one = b.number(1.0);
                let rest = b.sub(one, y);
                let slope = b.mul(y, rest);
                b.mul(dy, slope)
            }
            Unary::Tanh => {
                let slope = self.one_minus_square(y);
                self.b.mul(dy, slope)
            }
            Unary::Gelu => {
                // Φ(x) + x·φ(x)
                let scaled = b.times(x, std::f64::consts::FRAC_1_SQRT_2);
                let erf = b.unary(Unary::Erf, scaled);
                let half = b.number(0.5);
                let part = b.mul(erf, half);
                let area = b.add(part, half);
                let square = b.mul(x, x);
                let exponent = b.times(square, -0.5);
                let bell = b.unary(Unary::Exp, exponent);
                let density = b.times(bell, DENSITY);
                let moved = b.mul(x, density);
                let slope = b.add(area, moved);
                b.mul(dy, slope)
            }
            Unary::GeluTanh => {
                // y = x/2 · (1 + t), t = tanh u, u = c·(x + a·x³):
                // y' = (1 + t)/2 + x/2 · (1 − t²) · c·(1 + 3a·x²)
                let (c, a) = ((2.0 / std::f64::consts::PI).sqrt(), 0.044_715);
                let one = b.number(1.0);
                let half = b.number(0.5);
                let square = b.mul(x, x);
                let bent = b.times(square, a);
                let stretched = b.add(bent, one);
                let scaled = b.times(x, c);
                let u = b.mul(scaled, stretched);
                let t = b.unary(Unary::Tanh, u);
                let above = b.add(t, one);
                let first = b.mul(above, half);
                let steep = b.times(square, 3.0 * a);
                let inner = b.add(steep, one);
                let du = b.times(inner, c);
                let dt = self.one_minus_square(t);
                let b = &mut self.b;
                let product = b.mul(dt, du);
                let halved = b.mul(x, half);
                let second = b.mul(halved, product);
                let slope = b.add(first, second);
                b.mul(dy, slope)
            }
            Unary::Silu => {
                // y = x·s: y' = s + x·s·(1 − s) = s + y·(1 − s)
                let s = b.unary(Unary::Sigmoid, x);
                let one = b.number(1.0);
                let rest = b.sub(one, s);
                let part = b.mul(y, rest);
                let slope = b.add(s, part);
                b.mul(dy, slope)
            }
            Unary::HardSigmoid => {
                let one = b.number(1.0);
                let below = b.sub(one, y);
                let sixth = b.times(dy, 1.0 / 6.0);
                let inner = b.keep(below, sixth);
                b.keep(y, inner)
            }
            Unary::HardSwish => {
                // x ≤ −3: 0; x ≥ 3: 1; between: x/3 + ½
                let three = b.number(3.0);
                let raised = b.add(x, three);
                let above = b.unary(Unary::Relu, raised);
                let lowered = b.sub(three, x);
                let below = b.unary(Unary::Relu, lowered);
                let third = b.times(x, 1.0 / 3.0);
                let half = b.number(0.5);
                let slope = b.add(third, half);
                let between = b.mul(dy, slope);
                let inner = b.select(below, between, dy);
                b.keep(above, inner)
            }
            Unary::Dropout(_) => dy,
            Unary::Softplus => {
                let slope = b.unary(Unary::Sigmoid, x);
                b.mul(dy, slope)
            }
            Unary::Clamp(..) => {
                // Inside, bounds included, the value is the operand's own.
                let moved = b.sub(x, y);
                b.drop(moved, dy)
            }
            Unary::Pow(0.0) => {
                let shape = b.shape(x);
                let zero = b.number(0.0);
                b.expand(zero, &shape)
            }
            Unary::Pow(p) => {
                let power = b.unary(Unary::Pow(p - 1.0), x);
                let slope = b.times(power, p);
                b.mul(dy, slope)
            }
        }
    }

    /// `x > 0 ? scale · x : bottom · (e^x − 1)`, with slope `scale` or `y + bottom`.
    fn grown(&mut self, x: NodeId, scale: f64, bottom: f64) -> NodeId {
        let (dy, y) = (self.dy, self.id);
        let b = &mut self.b;
        let positive = b.unary(Unary::Relu, x);
        let straight = b.times(dy, scale);
        let bottom = b.number(bottom);
        let slope = b.add(y, bottom);
        let bent = b.mul(dy, slope);
        b.select(positive, straight, bent)
    }

    fn one_minus_square(&mut self, t: NodeId) -> NodeId {
        let one = self.b.number(1.0);
        let square = self.b.mul(t, t);
        self.b.sub(one, square)
    }

    /// `dy` times the derivative by operand `n`, of the shape of the result.
    pub(super) fn binary(&mut self, f: Binary, n: usize) -> NodeId {
        let (dy, y) = (self.dy, self.id);
        let (Some(&x0), Some(&x1)) = (self.node.inputs.first(), self.node.inputs.get(1)) else { return dy };
        let first = n == 0;
        let b = &mut self.b;
        match f {
            Binary::Add => dy,
            Binary::Sub => match first {
                true => dy,
                false => b.unary(Unary::Neg, dy),
            },
            Binary::Mul => b.mul(dy, if first { x1 } else { x0 }),
            Binary::Div => match first {
                true => b.div(dy, x1),
                false => {
                    // −a/b² = −y/b
                    let product = b.mul(dy, y);
                    let quotient = b.div(product, x1);
                    b.unary(Unary::Neg, quotient)
                }
            },
            Binary::Minimum | Binary::Maximum => {
                // The operand that is the result gets it; equal ones share it.
                let other = if first { x1 } else { x0 };
                let own = if first { x0 } else { x1 };
                let (above, below) = match f {
                    Binary::Maximum => (own, other),
                    Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Minimum | Binary::Prelu => {
                        (other, own)
                    }
                };
                let difference = b.sub(above, below);
                let ahead = b.unary(Unary::Relu, difference);
                let all = b.keep(ahead, dy);
                let half = b.times(dy, 0.5);
                b.select(difference, all, half)
            }
            Binary::Prelu => match first {
                true => {
                    let positive = b.unary(Unary::Relu, x0);
                    let scaled = b.mul(dy, x1);
                    b.select(positive, dy, scaled)
                }
                false => {
                    let zero = b.number(0.0);
                    let negative = b.binary(Binary::Minimum, x0, zero);
                    b.mul(dy, negative)
                }
            },
        }
    }
}
