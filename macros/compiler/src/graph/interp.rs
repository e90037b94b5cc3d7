//! The meaning of a graph, as plainly as it can be written.
//!
//! Sums of products accumulate with fused multiply-add in the order of the loops below; tests
//! that compare other orders use small integers, where every order is exact.

use super::{Graph, Node, Op, Pool, ReduceKind, Shape, Window, unary};
use crate::dtype::DType;
use crate::scalar::eval::{Arrays, Real, row};
use crate::scalar::{Block, Node as Scalar, Prim};

/// Runs a graph. `params` holds every parameter's elements in row-major order, in the order of
/// `Graph::params`; results are written there.
pub fn run<T: Real>(graph: &Graph, params: &mut [Vec<T>]) -> Result<(), String> {
    run_on(graph, T::arrays(params))
}

fn run_on(graph: &Graph, params: Arrays<'_>) -> Result<(), String> {
    match params {
        Arrays::F32(params) => run_typed(graph, params),
        Arrays::F64(params) => run_typed(graph, params),
    }
}

fn run_typed<T: Real>(graph: &Graph, params: &mut [Vec<T>]) -> Result<(), String> {
    super::valid::validate(graph)?;
    if params.len() != graph.params.len() {
        return Err(format!("{} parameters given, the graph has {}", params.len(), graph.params.len()));
    }
    for (given, param) in params.iter().zip(&graph.params) {
        if given.len() != size(&param.shape) {
            return Err(format!("`{}` has {} elements, not {}", param.name, size(&param.shape), given.len()));
        }
    }
    let mut values: Vec<Vec<T>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let inputs: Vec<(&[T], &Shape)> =
            node.inputs.iter().map(|i| (values[i.0 as usize].as_slice(), &graph.node(*i).shape)).collect();
        let value = match &node.op {
            Op::Param(p) => params[p.0 as usize].clone(),
            op => compute(op, node, &inputs)?,
        };
        values.push(value);
    }
    for &(param, node) in &graph.stores {
        params[param.0 as usize].clone_from(&values[node.0 as usize]);
    }
    Ok(())
}

type Operand<'a, T> = (&'a [T], &'a Shape);

fn compute<T: Real>(op: &Op, node: &Node, inputs: &[Operand<'_, T>]) -> Result<Vec<T>, String> {
    let shape = &node.shape;
    let arg = |i: usize| inputs.get(i).copied().ok_or_else(|| "a missing operand".to_string());
    let number = T::from_f64;
    Ok(match op {
        Op::Param(_) => return Err("a parameter has no operands".into()),
        Op::Constant(values) => {
            let n = size(shape);
            (0..n).map(|i| number(values.get(i % values.len().max(1)).copied().unwrap_or(0.0))).collect()
        }
        Op::Cast if node.dtype == DType::U32 => arg(0)?.0.iter().map(|x| x.stored(DType::U32)).collect(),
        Op::Cast | Op::Reshape => arg(0)?.0.to_vec(),
        Op::Unary(f) => {
            let program = unary::block(*f);
            arg(0)?.0.iter().map(|&x| apply(&program, &[x])).collect()
        }
        Op::Binary(f) => {
            let program = unary::binary(*f);
            let (a, b) = (arg(0)?, arg(1)?);
            points(shape).map(|at| apply(&program, &[broadcast(a, &at), broadcast(b, &at)])).collect()
        }
        Op::MatMul => {
            let (a, b) = (arg(0)?, arg(1)?);
            let inner = a.1.last().copied().unwrap_or(0);
            points(shape)
                .map(|at| {
                    let (lead, mn) = at.split_at(at.len() - 2);
                    (0..inner).fold(number(0.0), |sum, k| {
                        let x = broadcast(a, &[lead, &[mn[0], k]].concat());
                        let w = broadcast(b, &[lead, &[k, mn[1]]].concat());
                        T::prim(Prim::Fma, &[x, w, sum])
                    })
                })
                .collect()
        }
        Op::Conv(window, groups) => convolve(window, *groups, arg(0)?, arg(1)?, shape),
        Op::ConvTranspose { window, groups } => scatter(window, *groups, arg(0)?, arg(1)?, shape),
        Op::ConvFilter { window, groups } => filter_gradient(window, *groups, arg(0)?, arg(1)?, shape),
        Op::MaxIndex(window) => {
            let (x, y) = (arg(0)?, arg(1)?);
            points(shape).map(|at| max_index(window, x, &at, broadcast(y, &at))).collect()
        }
        Op::MaxScatter(window) => max_scatter(window, arg(0)?, arg(1)?, shape),
        Op::Pool(pool, window) => {
            let x = arg(0)?;
            points(shape).map(|at| pool_at(*pool, window, x, &at)).collect()
        }
        Op::Reduce { kind, axes, keepdim } => reduce(*kind, axes, *keepdim, arg(0)?, shape),
        Op::Softmax { axis } => {
            let x = arg(0)?;
            rows(x, &[*axis], |row| {
                let (_, e) = shifted_exp(row);
                let sum = e.iter().fold(number(0.0), |s, &v| T::prim(Prim::Add, &[s, v]));
                let factor = T::prim(Prim::Div, &[number(1.0), sum]);
                e.iter().map(|&v| T::prim(Prim::Mul, &[v, factor])).collect()
            })
        }
        Op::LogSoftmax { axis } => {
            let x = arg(0)?;
            rows(x, &[*axis], |row| {
                let (d, e) = shifted_exp(row);
                let sum = e.iter().fold(number(0.0), |s, &v| T::prim(Prim::Add, &[s, v]));
                let log = apply(&unary::block(super::Unary::Log), &[sum]);
                d.iter().map(|&v| T::prim(Prim::Sub, &[v, log])).collect()
            })
        }
        Op::Normalize { axes, eps } => {
            let x = arg(0)?;
            rows(x, axes, |row| {
                let n = number(row.len() as f64);
                let mean = T::prim(Prim::Div, &[row.iter().fold(number(0.0), |s, &v| T::prim(Prim::Add, &[s, v])), n]);
                let d: Vec<T> = row.iter().map(|&v| T::prim(Prim::Sub, &[v, mean])).collect();
                let squares = d.iter().fold(number(0.0), |s, &v| T::prim(Prim::Fma, &[v, v, s]));
                let var = T::prim(Prim::Div, &[squares, n]);
                let scale = apply(&unary::block(super::Unary::Rsqrt), &[T::prim(Prim::Add, &[var, number(*eps)])]);
                d.iter().map(|&v| T::prim(Prim::Mul, &[v, scale])).collect()
            })
        }
        Op::Lookup => {
            let (ids, table) = (arg(0)?, arg(1)?);
            let rows = table.1.first().copied().unwrap_or(0);
            points(shape)
                .map(|at| {
                    let (lead, column) = at.split_at(at.len() - 1);
                    match row(broadcast(ids, lead), rows) {
                        Some(row) => broadcast(table, &[&[row], column].concat()),
                        None => number(0.0),
                    }
                })
                .collect()
        }
        Op::Transpose(perm) => {
            let x = arg(0)?;
            points(shape)
                .map(|at| {
                    let mut from = vec![0; at.len()];
                    for (i, &p) in at.iter().zip(perm) {
                        from[p] = *i;
                    }
                    broadcast(x, &from)
                })
                .collect()
        }
        Op::Slice { axis, start } => {
            let x = arg(0)?;
            points(shape)
                .map(|mut at| {
                    at[*axis] += start;
                    broadcast(x, &at)
                })
                .collect()
        }
        Op::Flip { axis } => {
            let x = arg(0)?;
            points(shape)
                .map(|mut at| {
                    at[*axis] = shape[*axis] - 1 - at[*axis];
                    broadcast(x, &at)
                })
                .collect()
        }
        Op::Expand => {
            let x = arg(0)?;
            points(shape).map(|at| broadcast(x, &at)).collect()
        }
        Op::Select => {
            let program = unary::select();
            let operands = [arg(0)?, arg(1)?, arg(2)?];
            points(shape).map(|at| apply(&program, &operands.map(|x| broadcast(x, &at)))).collect()
        }
        Op::Concat { axis } => {
            let mut element = |mut at: Vec<usize>| {
                for part in inputs {
                    match at[*axis].checked_sub(part.1[*axis]) {
                        None => return broadcast(*part, &at),
                        Some(behind) => at[*axis] = behind,
                    }
                }
                number(f64::NAN)
            };
            points(shape).map(&mut element).collect()
        }
        Op::Pad { pad, value } => {
            let x = arg(0)?;
            points(shape)
                .map(|at| {
                    let from: Vec<i64> = at.iter().zip(pad).map(|(i, p)| *i as i64 - p.0 as i64).collect();
                    inside(x, &from).unwrap_or(number(*value))
                })
                .collect()
        }
    })
}

fn size(shape: &[usize]) -> usize {
    shape.iter().product()
}

fn apply<T: Real>(program: &Block, args: &[T]) -> T {
    program.eval(|leaf| match leaf {
        Scalar::Arg(i) => args.get(*i).copied().unwrap_or(T::from_f64(0.0)),
        Scalar::Acc | Scalar::Load(_) | Scalar::Const(_) | Scalar::Prim(..) | Scalar::Call(..) => T::from_f64(0.0),
    })
}

/// All index tuples of a shape in row-major order.
fn points(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let shape = shape.to_vec();
    (0..size(&shape)).map(move |mut flat| {
        let mut at = vec![0; shape.len()];
        for (i, &extent) in shape.iter().enumerate().rev() {
            at[i] = flat % extent;
            flat /= extent;
        }
        at
    })
}

/// The element at `at` under NumPy broadcasting.
fn broadcast<T: Real>((values, shape): Operand<'_, T>, at: &[usize]) -> T {
    let own = &at[at.len() - shape.len()..];
    let flat = own.iter().zip(shape).fold(0, |flat, (&i, &extent)| flat * extent + if extent == 1 { 0 } else { i });
    values[flat]
}

/// The element at signed coordinates, if they are inside.
fn inside<T: Real>((values, shape): Operand<'_, T>, at: &[i64]) -> Option<T> {
    let mut flat = 0;
    for (&i, &extent) in at.iter().zip(shape) {
        if i < 0 || i >= extent as i64 {
            return None;
        }
        flat = flat * extent + i as usize;
    }
    Some(values[flat])
}

/// The image cells of a window at an output point: leading axes, cells, channel slot left to add.
fn cell(window: &Window, at: &[usize], tap: &[usize]) -> Vec<i64> {
    let lead = at.len() - window.rank() - 1;
    let mut cell: Vec<i64> = at[..lead].iter().map(|&i| i as i64).collect();
    for i in 0..window.rank() {
        let out = at[lead + i] * window.stride[i] + tap[i] * window.dilation[i];
        cell.push(out as i64 - window.pad[i].0 as i64);
    }
    cell
}

fn convolve<T: Real>(w: &Window, groups: usize, x: Operand<'_, T>, f: Operand<'_, T>, shape: &[usize]) -> Vec<T> {
    let channels = shape.last().copied().unwrap_or(1);
    let per_group = x.1.last().copied().unwrap_or(1) / groups;
    points(shape)
        .map(|at| {
            let o = at.last().copied().unwrap_or(0);
            let group = o / (channels / groups);
            let mut sum = T::from_f64(0.0);
            for tap in points(&w.kernel) {
                let cell = cell(w, &at, &tap);
                for c in 0..per_group {
                    let pixel = [cell.as_slice(), &[(group * per_group + c) as i64]].concat();
                    if let Some(value) = inside(x, &pixel) {
                        let weight = broadcast(f, &[tap.as_slice(), &[c, o]].concat());
                        sum = T::prim(Prim::Fma, &[value, weight, sum]);
                    }
                }
            }
            sum
        })
        .collect()
}

/// Transposed convolution by its definition: every input adds its filter to the output.
fn scatter<T: Real>(w: &Window, groups: usize, x: Operand<'_, T>, f: Operand<'_, T>, shape: &[usize]) -> Vec<T> {
    let rank = w.rank();
    let channels = shape.last().copied().unwrap_or(1);
    let (per_in, per_out) = (x.1.last().copied().unwrap_or(1) / groups, channels / groups);
    let mut out = vec![T::from_f64(0.0); size(shape)];
    for (flat, at) in points(x.1).enumerate() {
        let lead = at.len() - rank - 1;
        let c = at[at.len() - 1];
        for tap in points(&w.kernel) {
            let cell: Option<Vec<usize>> = (0..rank)
                .map(|i| {
                    let o = (at[lead + i] * w.stride[i] + tap[i] * w.dilation[i]).checked_sub(w.pad[i].0)?;
                    (o < shape[lead + i]).then_some(o)
                })
                .collect();
            let Some(cell) = cell else { continue };
            let base = at[..lead].iter().chain(&cell).zip(shape).fold(0, |flat, (&i, &extent)| flat * extent + i);
            for o in 0..per_out {
                let weight = broadcast(f, &[tap.as_slice(), &[c, o]].concat());
                let slot = &mut out[base * channels + c / per_in * per_out + o];
                *slot = T::prim(Prim::Fma, &[x.0[flat], weight, *slot]);
            }
        }
    }
    out
}

/// Filters `[K.., C_in/g, C_out]`: for each, the sum over all output points.
fn filter_gradient<T: Real>(
    w: &Window,
    groups: usize,
    x: Operand<'_, T>,
    dy: Operand<'_, T>,
    shape: &[usize],
) -> Vec<T> {
    let channels = shape.last().copied().unwrap_or(1);
    let per_group = x.1.last().copied().unwrap_or(1) / groups;
    let rank = w.rank();
    let positions = &dy.1[..dy.1.len() - 1];
    points(shape)
        .map(|at| {
            let (tap, c, o) = (&at[..rank], at[rank], at[rank + 1]);
            let channel = (o / (channels / groups) * per_group + c) as i64;
            points(positions).fold(T::from_f64(0.0), |sum, position| {
                let p = [position.as_slice(), &[o]].concat();
                match inside(x, &[cell(w, &p, tap).as_slice(), &[channel]].concat()) {
                    Some(value) => T::prim(Prim::Fma, &[value, broadcast(dy, &p), sum]),
                    None => sum,
                }
            })
        })
        .collect()
}

/// The number of the first tap whose cell equals the maximum `y`, or is NaN as it is.
fn max_index<T: Real>(w: &Window, x: Operand<'_, T>, at: &[usize], y: T) -> T {
    let channel = at.last().copied().unwrap_or(0) as i64;
    let taps = points(&w.kernel).enumerate();
    taps.fold(T::from_f64(f64::INFINITY), |least, (number, tap)| {
        let cell = [cell(w, at, &tap).as_slice(), &[channel]].concat();
        let Some(value) = inside(x, &cell) else { return least };
        let infinity = T::from_f64(f64::INFINITY);
        let number = T::from_f64(number as f64);
        let not_a_number = T::prim(Prim::SelectEq, &[value, value, infinity, number]);
        let candidate = T::prim(Prim::SelectEq, &[value, y, number, not_a_number]);
        T::prim(Prim::Minimum, &[least, candidate])
    })
}

/// The adjoint of a maximum pooling: every `dy` goes to the cell of its window's tap.
fn max_scatter<T: Real>(w: &Window, index: Operand<'_, T>, dy: Operand<'_, T>, shape: &[usize]) -> Vec<T> {
    let mut out = vec![T::from_f64(0.0); size(shape)];
    let taps: Vec<Vec<usize>> = points(&w.kernel).collect();
    for (flat, at) in points(dy.1).enumerate() {
        for (number, tap) in taps.iter().enumerate() {
            let channel = at.last().copied().unwrap_or(0) as i64;
            let cell = [cell(w, &at, tap).as_slice(), &[channel]].concat();
            let place = cell
                .iter()
                .zip(shape)
                .try_fold(0, |flat, (&i, &extent)| (0..extent as i64).contains(&i).then(|| flat * extent + i as usize));
            if let Some(slot) = place.and_then(|p| out.get_mut(p)) {
                let zero = T::from_f64(0.0);
                let part = T::prim(Prim::SelectEq, &[index.0[flat], T::from_f64(number as f64), dy.0[flat], zero]);
                *slot = T::prim(Prim::Add, &[*slot, part]);
            }
        }
    }
    out
}

fn pool_at<T: Real>(pool: Pool, w: &Window, x: Operand<'_, T>, at: &[usize]) -> T {
    let (prim, start) = match pool {
        Pool::Max => (Prim::Maximum, f64::NEG_INFINITY),
        Pool::Sum | Pool::Average { .. } => (Prim::Add, 0.0),
    };
    let channel = at.last().copied().unwrap_or(0) as i64;
    let lead = at.len() - w.rank() - 1;
    let mut total = T::from_f64(start);
    let (mut in_image, mut in_padded) = (0usize, 0usize);
    for tap in points(&w.kernel) {
        let mut cell = cell(w, at, &tap);
        let padded = (0..w.rank()).all(|i| {
            let n = x.1[lead + i] as i64 + w.pad[i].1 as i64;
            (-(w.pad[i].0 as i64)..n).contains(&cell[lead + i])
        });
        in_padded += usize::from(padded);
        cell.push(channel);
        if let Some(value) = inside(x, &cell) {
            in_image += 1;
            total = T::prim(prim, &[total, value]);
        }
    }
    match pool {
        Pool::Max | Pool::Sum => total,
        Pool::Average { count_pad } => {
            let cells = if count_pad { in_padded } else { in_image };
            T::prim(Prim::Mul, &[total, T::from_f64(1.0 / cells.max(1) as f64)])
        }
    }
}

fn reduce<T: Real>(kind: ReduceKind, axes: &[usize], keepdim: bool, x: Operand<'_, T>, shape: &[usize]) -> Vec<T> {
    let (prim, start) = match kind {
        ReduceKind::Sum | ReduceKind::Mean => (Prim::Add, 0.0),
        ReduceKind::Max => (Prim::Maximum, f64::NEG_INFINITY),
        ReduceKind::Min => (Prim::Minimum, f64::INFINITY),
    };
    let mut out = vec![T::from_f64(start); size(shape)];
    let mut count = 1;
    for &a in axes {
        count *= x.1[a];
    }
    for (flat, at) in points(x.1).enumerate() {
        let kept = at.iter().enumerate().filter_map(|(a, &i)| match axes.contains(&a) {
            true if keepdim => Some(0),
            true => None,
            false => Some(i),
        });
        let slot = kept.zip(shape).fold(0, |flat, (i, &extent)| flat * extent + i);
        out[slot] = T::prim(prim, &[out[slot], x.0[flat]]);
    }
    if kind == ReduceKind::Mean {
        let n = T::from_f64(count as f64);
        out.iter_mut().for_each(|v| *v = T::prim(Prim::Div, &[*v, n]));
    }
    out
}

/// Applies `f` to every slice along `axes` (row-major within the slice).
fn rows<T: Real>(x: Operand<'_, T>, axes: &[usize], f: impl Fn(&[T]) -> Vec<T>) -> Vec<T> {
    let outer: Vec<usize> = x.1.iter().enumerate().map(|(a, &e)| if axes.contains(&a) { 1 } else { e }).collect();
    let inner: Vec<usize> = x.1.iter().enumerate().map(|(a, &e)| if axes.contains(&a) { e } else { 1 }).collect();
    let mut out = x.0.to_vec();
    for base in points(&outer) {
        let slots: Vec<usize> = points(&inner)
            .map(|at| at.iter().zip(&base).zip(x.1).fold(0, |flat, ((i, b), extent)| flat * extent + i + b))
            .collect();
        let row: Vec<T> = slots.iter().map(|&s| x.0[s]).collect();
        for (slot, value) in slots.into_iter().zip(f(&row)) {
            out[slot] = value;
        }
    }
    out
}

/// `x − max x` and its exponential.
fn shifted_exp<T: Real>(row: &[T]) -> (Vec<T>, Vec<T>) {
    let max = row.iter().fold(T::from_f64(f64::NEG_INFINITY), |m, &v| T::prim(Prim::Maximum, &[m, v]));
    let d: Vec<T> = row.iter().map(|&v| T::prim(Prim::Sub, &[v, max])).collect();
    let exp = unary::block(super::Unary::Exp);
    let e = d.iter().map(|&v| apply(&exp, &[v])).collect();
    (d, e)
}
