//! Vector-IR kernels that use every row of every ISA table once, for `build/` to print as Rust
//! and for the test `isa` to run in the interpreter.

use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::{Param, ParamKind};
use kernforge_compiler::isa::Isa;
use kernforge_compiler::kernel_ir::{Buffer, BufferId, Role};
use kernforge_compiler::scalar::Prim;
use kernforge_compiler::vir::{Addr, Bound, Kernel, Lanes, Op, Reg, Stmt, Var};

/// Every register type: ISA, element type, lanes.
pub fn registers() -> Vec<(Isa, DType, usize)> {
    let mut list = Vec::new();
    for isa in Isa::ALL {
        for dtype in [DType::F32, DType::F64] {
            list.extend(isa.table().lanes(dtype).into_iter().map(|lanes| (isa, dtype, lanes)));
        }
    }
    list
}

/// A kernel's buffers as parameters: flat arrays.
pub fn params(kernel: &Kernel) -> Vec<Param> {
    let one = |b: &Buffer| Param {
        name: b.name.clone(),
        dtype: b.dtype,
        shape: vec![b.len],
        kind: if b.role == Role::In { ParamKind::In } else { ParamKind::InOut },
        span: proc_macro2::Span::call_site(),
    };
    kernel.buffers.iter().map(one).collect()
}

/// A kernel under construction. Its last buffer is `out`, filled from the start.
struct Builder {
    kernel: Kernel,
    lanes: usize,
    /// Elements of `out` used so far.
    used: i64,
}

impl Builder {
    fn new(isa: Isa, dtype: DType, lanes: usize, inputs: &[(&str, DType, usize)]) -> Builder {
        let buffer =
            |&(name, dtype, len): &(&str, DType, usize)| Buffer { name: name.into(), dtype, len, role: Role::In };
        let mut buffers: Vec<Buffer> = inputs.iter().map(buffer).collect();
        buffers.push(Buffer { name: "out".into(), dtype, len: 0, role: Role::InOut });
        let vars = vec!["i".into(), "j".into()];
        let kernel = Kernel { name: "rows".into(), isa, dtype, buffers, regs: Vec::new(), vars, body: Vec::new() };
        Builder { kernel, lanes, used: 0 }
    }

    fn register(&mut self, lanes: usize) -> Reg {
        self.kernel.regs.push(lanes);
        Reg(self.kernel.regs.len() as u32 - 1)
    }

    fn set(&mut self, op: Op) -> Reg {
        let dst = self.register(self.lanes);
        self.kernel.body.push(Stmt::Set { dst, op });
        dst
    }

    /// Stores the first lanes of a register to the next `lanes` elements of `out`.
    fn store(&mut self, src: Reg, lanes: usize, active: usize) {
        let buffer = BufferId(self.kernel.buffers.len() as u32 - 1);
        self.kernel.body.push(Stmt::Store { buffer, at: Addr::constant(self.used), src, active });
        self.used += lanes as i64;
    }

    fn row(&mut self, op: Op) {
        let dst = self.set(op);
        self.store(dst, self.lanes, self.lanes);
    }

    fn finish(mut self) -> Kernel {
        if let Some(out) = self.kernel.buffers.last_mut() {
            out.len = self.used as usize;
        }
        self.kernel
    }
}

/// Inputs of [`prims`]: any values in the first four, integers in the range of exponents in the
/// fifth, positive normal numbers in the sixth.
pub const PRIM_INPUTS: usize = 6;

/// Every primitive, on all lanes and on every second one; every fold.
pub fn prims(isa: Isa, dtype: DType, lanes: usize) -> Kernel {
    let inputs = ["a", "b", "c", "d", "integer", "positive"].map(|name| (name, dtype, lanes));
    let mut b = Builder::new(isa, dtype, lanes, &inputs);
    let load = |n| Op::Load { buffer: BufferId(n), at: Addr::constant(0), lanes: Lanes::first(lanes) };
    let regs: Vec<Reg> = (0..PRIM_INPUTS as u32).map(|n| b.set(load(n))).collect();
    let odd = Lanes(Lanes::first(lanes).0 & 0xaaaa_aaaa);
    for prim in Prim::ALL {
        let args = match prim {
            Prim::Pow2 => vec![regs[4]],
            Prim::Exponent | Prim::Mantissa => vec![regs[5]],
            _ => regs[..prim.arity()].to_vec(),
        };
        b.row(Op::Prim(prim, args.clone()));
        b.row(Op::Masked { prim, args, lanes: odd, keep: regs[3] });
    }
    for prim in [Prim::Add, Prim::Maximum, Prim::Minimum] {
        let dst = b.register(1);
        b.kernel.body.push(Stmt::Set { dst, op: Op::Fold(prim, regs[0]) });
        b.store(dst, 1, 1);
    }
    b.finish()
}

/// Elements of each input of [`memory`].
pub const MEMORY_LEN: usize = 64;

/// Every way to load, broadcast, gather and store, from every element type, at addresses that
/// loop variables move, between bounds that follow them.
pub fn memory(isa: Isa, dtype: DType, lanes: usize) -> Kernel {
    let inputs = DType::ALL.map(|stored| (stored.name(), stored, MEMORY_LEN));
    let mut b = Builder::new(isa, dtype, lanes, &inputs.map(|(name, t, n)| (names(name), t, n)));
    let (i, j) = (Var(0), Var(1));
    let at = |base| Addr { base, terms: vec![(i, 5)] };
    for buffer in (0..inputs.len() as u32).map(BufferId) {
        for n in 1..=lanes {
            b.row(Op::Load { buffer, at: at(3), lanes: Lanes::first(n) });
        }
        for lo in 1..lanes {
            // Lane 0 lies before the buffer at first.
            b.row(Op::Load { buffer, at: at(-(lo as i64)), lanes: Lanes::range(lo, lanes) });
        }
        b.row(Op::Broadcast { buffer, at: at(7) });
        b.row(Op::Gather { buffer, at: at(1), stride: 3, lanes: Lanes::first(lanes) });
        b.row(Op::Gather { buffer, at: at(40), stride: -2, lanes: Lanes(0b101 & Lanes::first(lanes).0) });
    }
    let own = DType::ALL.iter().position(|&t| t == dtype).unwrap_or(0) as u32;
    let value = b.set(Op::Load { buffer: BufferId(own), at: at(20), lanes: Lanes::first(lanes) });
    for active in 1..=lanes {
        b.store(value, lanes, active);
    }
    // An accumulator over a loop of which the end depends on the loop around it.
    let sum = b.set(Op::Const(0.5));
    let next = b.register(lanes);
    let element = Op::Broadcast { buffer: BufferId(own), at: Addr { base: 0, terms: vec![(j, 2)] } };
    let hi = Bound::Clamp { num: Addr { base: -1, terms: vec![(i, 5)] }, den: 2, lo: 0, hi: 4 };
    let body =
        vec![Stmt::Set { dst: next, op: element }, Stmt::Set { dst: sum, op: Op::Prim(Prim::Add, vec![sum, next]) }];
    b.kernel.body.push(Stmt::For { var: j, lo: Bound::Const(0), hi, step: 1, body });
    b.store(sum, lanes, lanes);
    // Twice, one behind the other.
    let size = b.used;
    let mut body = std::mem::take(&mut b.kernel.body);
    for stmt in &mut body {
        if let Stmt::Store { at, .. } = stmt {
            at.add_term(i, size);
        }
    }
    b.kernel.body = vec![Stmt::For { var: i, lo: Bound::Const(0), hi: Bound::Const(2), step: 1, body }];
    b.used *= 2;
    b.finish()
}

/// A buffer's name for an element type (a type's own name would do; this one reads better).
fn names(dtype: &str) -> &str {
    match dtype {
        "f32" => "singles",
        "f64" => "doubles",
        "u8" => "bytes",
        "i8" => "signed_bytes",
        "u16" => "shorts",
        "u32" => "words",
        _ => "signed_words",
    }
}
