//! The buffers of a kernel while an interpreter runs it.

use super::{Buffer, Role};
use crate::dtype::DType;
use crate::scalar::eval::Real;

/// Runs a program on memory with one array per buffer: the caller's parameters in order,
/// temporaries full of NaN (so that a use before the first write shows), constants rounded.
/// The caller gets the parameters back whatever happens.
pub(crate) fn with_memory<T: Real>(
    buffers: &[Buffer],
    dtype: DType,
    parameters: &mut [Vec<T>],
    run: impl FnOnce(&mut [Vec<T>]) -> Result<(), String>,
) -> Result<(), String> {
    if dtype != T::DTYPE {
        return Err(format!("the kernel computes in {dtype}, the values are {}", T::DTYPE));
    }
    let owned = |b: &Buffer| is_parameter(&b.role);
    let count = buffers.iter().filter(|b| owned(b)).count();
    if count != parameters.len() {
        return Err(format!("the kernel has {count} parameters, {} are given", parameters.len()));
    }
    for (buffer, values) in buffers.iter().filter(|b| owned(b)).zip(&*parameters) {
        if values.len() != buffer.len {
            let (name, len) = (&buffer.name, buffer.len);
            return Err(format!("`{name}` has {len} elements, {} are given", values.len()));
        }
    }
    let mut memory: Vec<Vec<T>> = Vec::with_capacity(buffers.len());
    let mut next = parameters.iter_mut();
    for buffer in buffers {
        memory.push(match &buffer.role {
            Role::In | Role::InOut | Role::Out | Role::Scalar | Role::Weight => {
                next.next().map(std::mem::take).unwrap_or_default()
            }
            Role::Temp => vec![T::from_f64(f64::NAN); buffer.len],
            Role::Const(values) => values.iter().map(|v| T::from_f64(*v)).collect(),
        });
    }
    let complete = memory.iter().zip(buffers).all(|(values, buffer)| values.len() == buffer.len);
    let result = if complete { run(&mut memory) } else { Err("a constant has the wrong number of values".into()) };
    let used = memory.into_iter().zip(buffers).filter(|(_, b)| owned(b));
    for (parameter, (values, _)) in parameters.iter_mut().zip(used) {
        *parameter = values;
    }
    result
}

fn is_parameter(role: &Role) -> bool {
    match role {
        Role::In | Role::InOut | Role::Out | Role::Scalar | Role::Weight => true,
        Role::Temp | Role::Const(_) => false,
    }
}

/// Whether a kernel may write to a buffer.
pub(crate) fn is_writable(role: &Role) -> bool {
    match role {
        Role::InOut | Role::Out | Role::Temp => true,
        Role::In | Role::Scalar | Role::Weight | Role::Const(_) => false,
    }
}
