//! What is written for each row: the kernel's declaration and its entry in the table of cases.

use crate::csv::Row;
use std::fmt::Write;

/// A file of shapes and how its rows are declared.
pub struct Group {
    /// `shapes/NAME.csv`, also the criterion group.
    pub name: &'static str,
    /// The declaration of one row.
    pub declare: fn(&Row) -> Result<Case, String>,
}

/// Every group, in the order of the report.
pub const GROUPS: [Group; 5] = [
    Group { name: "gemm", declare: gemm },
    Group { name: "conv", declare: conv },
    Group { name: "depthwise", declare: depthwise },
    Group { name: "pool", declare: pool },
    Group { name: "elementwise", declare: elementwise },
];

/// One kernel and its entry.
pub struct Case {
    /// The function's name.
    function: String,
    /// What tables call it.
    title: String,
    /// Extents of each operand, then of the result.
    operands: Vec<Vec<usize>>,
    result: Vec<usize>,
    /// The macro call.
    source: String,
    /// The same problem for the generic kernels: an expression of type `Problem`.
    problem: String,
    /// The sizes for a rival that needs them as constants: an expression of type `Option<fn ..>`.
    nalgebra: String,
    target_avx512: String,
    target_avx2: String,
}

fn gemm(row: &Row) -> Result<Case, String> {
    let (m, n, k) = (row.number("m")?, row.number("n")?, row.number("k")?);
    let function = format!("gemm_{m}x{n}x{k}");
    Ok(Case {
        title: format!("{m}×{n}×{k}"),
        source: format!(
            "kernforge::gemm! {{ pub fn {function}(a: f32[{m}, {k}], b: f32[{k}, {n}]) -> f32[{m}, {n}] = matmul(a, b); }}"
        ),
        function,
        operands: vec![vec![m, k], vec![k, n]],
        result: vec![m, n],
        problem: format!("Problem::Gemm {{ m: {m}, n: {n}, k: {k} }}"),
        nalgebra: format!("Some(crate::rivals::nalgebra::<{m}, {n}, {k}>)"),
        target_avx512: row.optional("target_avx512")?,
        target_avx2: row.optional("target_avx2")?,
    })
}

fn conv(row: &Row) -> Result<Case, String> {
    let (c_in, h, w, c_out) = (row.number("c_in")?, row.number("h")?, row.number("w")?, row.number("c_out")?);
    let (kernel, stride, pad) = (row.number("kernel")?, row.number("stride")?, row.number("pad")?);
    let (dilation, groups) = (row.number("dilation")?, row.number("groups")?);
    let out = |extent: usize| (extent + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
    let (oh, ow, group_in) = (out(h), out(w), c_in / groups);
    let mut function = format!("conv_{c_in}_{h}x{w}_to_{c_out}_k{kernel}_s{stride}_p{pad}");
    let mut title = format!("{c_in}×{h}×{w} → {c_out}, {kernel}×{kernel}");
    for (name, value) in [("stride", stride), ("dilation", dilation), ("groups", groups)] {
        if value != 1 {
            let _ = write!(title, ", {name} {value}");
        }
    }
    if dilation * groups != 1 {
        let _ = write!(function, "_d{dilation}_g{groups}");
    }
    Ok(Case {
        title,
        source: format!(
            "kernforge::conv! {{ pub fn {function}(x: f32[{h}, {w}, {c_in}], w: f32[{kernel}, {kernel}, {group_in}, {c_out}], b: f32[{c_out}]) -> f32[{oh}, {ow}, {c_out}] \
             = relu(conv2d(x, w, stride = {stride}, pad = {pad}, dilation = {dilation}, groups = {groups}) + b); }}"
        ),
        function,
        operands: vec![vec![h, w, c_in], vec![kernel, kernel, group_in, c_out], vec![c_out]],
        result: vec![oh, ow, c_out],
        problem: conv_problem(h, w, c_in, c_out, kernel, stride, pad, dilation, groups),
        nalgebra: "None".to_owned(),
        target_avx512: row.optional("target_avx512")?,
        target_avx2: row.optional("target_avx2")?,
    })
}

fn depthwise(row: &Row) -> Result<Case, String> {
    let (c, h, w) = (row.number("c")?, row.number("h")?, row.number("w")?);
    let (kernel, stride, pad) = (row.number("kernel")?, row.number("stride")?, row.number("pad")?);
    let out = |extent: usize| (extent + 2 * pad - kernel) / stride + 1;
    let (oh, ow) = (out(h), out(w));
    let function = format!("depthwise_{c}_{h}x{w}_k{kernel}_s{stride}_p{pad}");
    let step = if stride == 1 { String::new() } else { format!(", stride {stride}") };
    Ok(Case {
        title: format!("{c}×{h}×{w}, {kernel}×{kernel}{step}"),
        source: format!(
            "kernforge::conv! {{ pub fn {function}(x: f32[{h}, {w}, {c}], w: f32[{kernel}, {kernel}, {c}], b: f32[{c}]) -> f32[{oh}, {ow}, {c}] \
             = relu(depthwise_conv2d(x, w, stride = {stride}, pad = {pad}) + b); }}"
        ),
        function,
        operands: vec![vec![h, w, c], vec![kernel, kernel, c], vec![c]],
        result: vec![oh, ow, c],
        problem: conv_problem(h, w, c, c, kernel, stride, pad, 1, c),
        nalgebra: "None".to_owned(),
        target_avx512: row.optional("target_avx512")?,
        target_avx2: row.optional("target_avx2")?,
    })
}

#[expect(clippy::too_many_arguments, reason = "a convolution has nine numbers")]
fn conv_problem(
    h: usize,
    w: usize,
    c_in: usize,
    c_out: usize,
    kernel: usize,
    stride: usize,
    pad: usize,
    dilation: usize,
    groups: usize,
) -> String {
    format!(
        "Problem::Conv(Conv2d {{ h: {h}, w: {w}, c_in: {c_in}, c_out: {c_out}, kernel: [{kernel}; 2], \
         stride: [{stride}; 2], pad: [{pad}; 2], dilation: [{dilation}; 2], groups: {groups} }})"
    )
}

fn pool(row: &Row) -> Result<Case, String> {
    let (c, h, w) = (row.number("c")?, row.number("h")?, row.number("w")?);
    let kind = row.text("kind")?;
    if kind == "global" {
        let function = format!("global_avg_pool_{c}_{h}x{w}");
        return Ok(Case {
            title: format!("global avg {c}×{h}×{w}"),
            source: format!(
                "kernforge::pool! {{ pub fn {function}(x: f32[{h}, {w}, {c}]) -> f32[{c}] = global_avg_pool(x); }}"
            ),
            function,
            operands: vec![vec![h, w, c]],
            result: vec![c],
            problem: pool_problem("Average", (c, h, w), [h, w], 1, 0),
            nalgebra: "None".to_owned(),
            target_avx512: "None".to_owned(),
            target_avx2: "None".to_owned(),
        });
    }
    let (kernel, stride, pad) = (row.number("kernel")?, row.number("stride")?, row.number("pad")?);
    let out = |extent: usize| (extent + 2 * pad - kernel) / stride + 1;
    let (oh, ow) = (out(h), out(w));
    let (variant, count) = match kind {
        "max" => ("Max", ""),
        "avg" if pad > 0 => ("Average", ", count_include_pad = false"),
        "avg" => ("Average", ""),
        other => return Err(format!("unknown kind `{other}`: max, avg or global")),
    };
    let function = format!("{kind}_pool_{c}_{h}x{w}_k{kernel}_s{stride}_p{pad}");
    Ok(Case {
        title: format!("{kind} {c}×{h}×{w}, {kernel}×{kernel}, stride {stride}"),
        source: format!(
            "kernforge::pool! {{ pub fn {function}(x: f32[{h}, {w}, {c}]) -> f32[{oh}, {ow}, {c}] \
             = {kind}_pool2d(x, {kernel}, stride = {stride}, pad = {pad}{count}); }}"
        ),
        function,
        operands: vec![vec![h, w, c]],
        result: vec![oh, ow, c],
        problem: pool_problem(variant, (c, h, w), [kernel; 2], stride, pad),
        nalgebra: "None".to_owned(),
        target_avx512: "None".to_owned(),
        target_avx2: "None".to_owned(),
    })
}

fn pool_problem(kind: &str, (c, h, w): (usize, usize, usize), kernel: [usize; 2], stride: usize, pad: usize) -> String {
    format!(
        "Problem::Pool(Pool2d {{ kind: Kind::{kind}, h: {h}, w: {w}, c: {c}, kernel: {kernel:?}, \
         stride: {stride}, pad: {pad} }})"
    )
}

fn elementwise(row: &Row) -> Result<Case, String> {
    let (op, rows, cols) = (row.text("op")?, row.number("rows")?, row.number("cols")?);
    let full = vec![rows, cols];
    let (variant, formula, operands) = match op {
        "relu" => ("Relu", "relu(x)", vec![full.clone()]),
        "add" => ("Add", "x + z", vec![full.clone(); 2]),
        "mul" => ("Mul", "x * z", vec![full.clone(); 2]),
        "exp" => ("Exp", "exp(x)", vec![full.clone()]),
        "tanh" => ("Tanh", "tanh(x)", vec![full.clone()]),
        "sigmoid" => ("Sigmoid", "sigmoid(x)", vec![full.clone()]),
        "gelu" => ("Gelu", "gelu(x)", vec![full.clone()]),
        "silu" => ("Silu", "silu(x)", vec![full.clone()]),
        "softmax" => ("Softmax", "softmax(x)", vec![full.clone()]),
        "layer_norm" => {
            ("LayerNorm", "layer_norm(x, weight = z, bias = b)", vec![full.clone(), vec![cols], vec![cols]])
        }
        other => return Err(format!("unknown op `{other}`")),
    };
    let parameters: Vec<String> =
        ["x", "z", "b"].iter().zip(&operands).map(|(name, extents)| format!("{name}: {}", tensor(extents))).collect();
    let function = format!("{op}_{rows}x{cols}");
    Ok(Case {
        title: format!("{op} {rows}×{cols}"),
        source: format!(
            "#[kernforge::kernel] pub fn {function}({}) -> {} {{ {formula} }}",
            parameters.join(", "),
            tensor(&full)
        ),
        function,
        operands,
        result: full,
        problem: format!("Problem::Elementwise {{ op: Op::{variant}, rows: {rows}, cols: {cols} }}"),
        nalgebra: "None".to_owned(),
        target_avx512: "None".to_owned(),
        target_avx2: "None".to_owned(),
    })
}

fn tensor(extents: &[usize]) -> String {
    format!("kernforge::Tensor![f32; {}]", list(extents))
}

fn list(extents: &[usize]) -> String {
    extents.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// The whole generated file.
pub fn file(cases: &[(&str, Case)]) -> String {
    let mut text =
        String::from("// Generated from shapes/*.csv by build/main.rs.\n\n/// The kernels.\npub mod kernels {\n");
    for (_, case) in cases {
        let _ = writeln!(text, "    {}", case.source);
    }
    text.push_str(
        "}\n\n/// Every shape of `shapes/*.csv`, in the order of the files.\npub static CASES: &[Case] = &[\n",
    );
    for (group, case) in cases {
        let _ = writeln!(text, "    {},", entry(group, case));
    }
    text.push_str("];\n");
    text
}

fn entry(group: &str, case: &Case) -> String {
    let Case { function, title, operands, result, source, problem, nalgebra, target_avx512, target_avx2 } = case;
    let shapes: Vec<String> = operands.iter().map(|extents| format!("[{}]", list(extents))).collect();
    format!(
        "Case {{ group: {group:?}, name: {title:?}, function: {function:?}, source: {source:?}, problem: {problem}, \
         target_avx512: {target_avx512}, target_avx2: {target_avx2}, \
         run: runner!({function}, ({}), [{}]), \
         #[cfg(feature = \"rivals\")] nalgebra: {nalgebra} }}",
        shapes.join(", "),
        list(result)
    )
}
