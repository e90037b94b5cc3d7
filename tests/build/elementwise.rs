//! Activations, broadcasting, conversions, reductions over rows.

use crate::declare::Kernel;

const ACTIVATIONS: [&str; 25] = [
    "relu(x)",
    "relu6(x)",
    "leaky_relu(x)",
    "leaky_relu(x, slope = 0.2)",
    "elu(x)",
    "elu(x, alpha = 0.5)",
    "selu(x)",
    "sigmoid(x)",
    "tanh(x)",
    "gelu(x)",
    "gelu(x, approximate = tanh)",
    "silu(x)",
    "hard_sigmoid(x)",
    "hard_swish(x)",
    "softplus(x)",
    "clamp(x, -0.5, 1.5)",
    "sqrt(x)",
    "rsqrt(x)",
    "exp(x)",
    "log(x)",
    "abs(x)",
    "square(x)",
    "-x",
    "1.0 / x",
    "3.0 * x - 0.5",
];

pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (i, formula) in ACTIVATIONS.iter().enumerate() {
        for dtype in ["f32", "f64"] {
            // Enough for every special value to meet a full register and a masked one.
            let name = format!("activation_{i}_{dtype}");
            all.push(
                Kernel::new("kernel", name, *formula).input("x", dtype, &[7, 21]).result(dtype, &[7, 21]).rounded(),
            );
        }
    }
    all.extend(rows());
    all.extend(broadcasts());
    all.extend(conversions());
    all.extend(views());
    all.extend(joins());
    all
}

/// Kernels of several contractions over rows.
fn rows() -> Vec<Kernel> {
    let mut all = Vec::new();
    let mut row = |name: &str, formula: &str, dtype: &'static str, m: usize, n: usize| {
        let kernel =
            Kernel::new("kernel", format!("{name}_{m}x{n}_{dtype}"), formula).input("x", dtype, &[m, n]).rounded();
        let affine = formula.contains("weight");
        let kernel = if affine { kernel.input("g", dtype, &[n]).input("b", dtype, &[n]) } else { kernel };
        all.push(kernel.result(dtype, &[m, n]));
    };
    for n in [1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100] {
        row("softmax", "softmax(x)", "f32", 3, n);
        row("layer_norm", "layer_norm(x, weight = g, bias = b)", "f32", 3, n);
    }
    for n in [1, 5, 16, 33] {
        row("softmax", "softmax(x)", "f64", 2, n);
        row("layer_norm", "layer_norm(x, weight = g, bias = b)", "f64", 2, n);
        row("log_softmax", "log_softmax(x)", "f32", 2, n);
        row("normalised", "layer_norm(x, eps = 1e-3)", "f32", 2, n);
        row("columns", "softmax(x, axis = 0)", "f32", 5, n);
    }
    let reductions = [("sum", &[] as &[usize]), ("mean", &[]), ("max", &[]), ("min", &[])];
    for (op, out) in reductions {
        all.push(reduction(&format!("{op}(x)"), op, "all", out));
        all.push(reduction(&format!("{op}(x, axis = -1)"), op, "rows", &[6]));
        all.push(reduction(&format!("{op}(x, axis = 0)"), op, "columns", &[19]));
        all.push(reduction(&format!("{op}(x, axis = 1, keepdim = true)"), op, "kept", &[6, 1]));
    }
    all
}

fn reduction(formula: &str, op: &str, name: &str, out: &[usize]) -> Kernel {
    Kernel::new("kernel", format!("{op}_{name}"), formula).input("x", "f32", &[6, 19]).result("f32", out).rounded()
}

fn broadcasts() -> Vec<Kernel> {
    let pair = |name: &str, formula: &str, x: &[usize], z: &[usize], out: &[usize]| {
        let kernel = Kernel::new("kernel", format!("broadcast_{name}"), formula);
        kernel.input("x", "f32", x).input("z", "f32", z).result("f32", out).rounded()
    };
    let full = [3, 5, 9];
    let mut all = vec![
        pair("vector", "x * z", &full, &[9], &full),
        pair("column", "x - z", &full, &[5, 1], &full),
        pair("both", "x / z", &[3, 1, 9], &[5, 1], &full),
        pair("left", "x + z", &[9], &full, &full),
        pair("ones", "x * z", &[1, 1], &full, &full),
        pair("scalar", "x * z", &full, &[], &full),
        pair("minimum", "minimum(x, z)", &full, &full, &full),
        pair("maximum", "maximum(x, z)", &full, &full, &full),
        pair("prelu", "prelu(x, z)", &full, &[9], &full),
    ];
    let in_place = Kernel::new("kernel", "in_place", "*x = relu(x * a + z);");
    all.push(in_place.in_out("x", "f32", &[37]).input("a", "f32", &[]).input("z", "f32", &[37]));
    let several = Kernel::new("kernel", "several", "let s = x + z; (s * s, x - z)");
    let several = several.input("x", "f32", &[13]).input("z", "f32", &[13]);
    all.push(several.result("f32", &[13]).result("f32", &[13]));
    all
}

/// Integers become floats when loaded.
fn conversions() -> Vec<Kernel> {
    let mut all = Vec::new();
    for from in ["u8", "i8", "u16", "u32", "i32"] {
        for (to, body) in [("f32", "(x as f32) * 0.5"), ("f64", "(x as f64) * 0.5")] {
            let kernel = Kernel::new("kernel", format!("{from}_as_{to}"), body).input("x", from, &[3, 19]);
            all.push(kernel.result(to, &[3, 19]).rounded());
        }
    }
    for from in ["u8", "i8"] {
        let image = Kernel::new("conv", format!("{from}_image"), "conv2d(x as f32, w, pad = 1)");
        all.push(image.input("x", from, &[5, 6, 3]).input("w", "f32", &[3, 3, 3, 9]).result("f32", &[5, 6, 9]));
        let row = Kernel::new("gemm", format!("{from}_row"), "matmul(x as f32, w)");
        all.push(row.input("x", from, &[33]).input("w", "f32", &[33, 10]).result("f32", &[10]));
        let column = Kernel::new("gemm", format!("{from}_column"), "matmul(w, x as f32)");
        all.push(column.input("w", "f32", &[10, 33]).input("x", from, &[33]).result("f32", &[10]));
    }
    all
}

/// The same elements at other places.
fn views() -> Vec<Kernel> {
    let view = |name: &str, formula: &str, x: &[usize], out: &[usize]| {
        Kernel::new("kernel", format!("view_{name}"), formula).input("x", "f32", x).result("f32", out)
    };
    vec![
        view("t", "relu(x.t())", &[5, 19], &[19, 5]),
        view("transpose", "-transpose(x, [2, 0, 1])", &[3, 4, 9], &[9, 3, 4]),
        view("reshape", "relu(reshape(x, [6, -1]))", &[3, 4, 5], &[6, 10]),
        view("slice", "relu(slice(x, 2..9))", &[4, 11], &[4, 7]),
        view("rows", "relu(x[1..3])", &[4, 11], &[2, 11]),
        view("row", "relu(x[2])", &[4, 11], &[11]),
    ]
}

/// Tensors put together, taken apart, padded and resampled.
fn joins() -> Vec<Kernel> {
    let one = |name: &str, formula: &str, x: &[usize], out: &[usize]| {
        Kernel::new("kernel", format!("join_{name}"), formula).input("x", "f32", x).result("f32", out)
    };
    let two = |name: &str, formula: &str, x: &[usize], z: &[usize], out: &[usize]| {
        let kernel = Kernel::new("kernel", format!("join_{name}"), formula).input("x", "f32", x);
        kernel.input("z", "f32", z).result("f32", out)
    };
    let mut all = vec![
        two("rows", "concat([x, relu(z)], axis = 0)", &[3, 17], &[2, 17], &[5, 17]),
        two("columns", "concat([matmul(x, z), zeros([4, 2]), -x])", &[4, 9], &[9, 19], &[4, 30]),
        two("sums", "concat([sum(x, -1, keepdim = true), z], axis = 1)", &[6, 40], &[6, 16], &[6, 17]),
        two("stack", "stack([x + z, x - z], axis = -1)", &[5, 9], &[5, 9], &[5, 9, 2]),
        two("swap", "let (a, b) = split(x, 2); concat([b * z, a])", &[4, 20], &[10], &[4, 20]),
        two("select", "select(relu(x), x, z)", &[5, 21], &[21], &[5, 21]),
        two("padded_conv", "conv2d(pad(x, 1, axis = [0, 1]), z)", &[5, 6, 3], &[3, 3, 3, 9], &[5, 6, 9]),
        one("pad", "pad(x, [(1, 2), (3, 0)], axis = [0, 1], value = 2)", &[4, 13], &[7, 16]),
        one("reflect", "pad(x, [2, 3], axis = [0, 1], mode = reflect)", &[4, 17], &[8, 23]),
        one("replicate", "pad(-x, (2, 5), mode = replicate)", &[4, 17], &[4, 24]),
        one("nearest", "relu(upsample(x, 2))", &[3, 4, 5], &[6, 8, 5]),
        one("bilinear", "upsample(x, 2, mode = bilinear)", &[3, 4, 8], &[6, 8, 8]).rounded(),
        one("corners", "upsample(x, 3, mode = bilinear, align_corners = true)", &[4, 3], &[12, 3]).rounded(),
        one("unfold", "unfold(x, 3, pad = 1, axis = 1)", &[1, 9, 8], &[1, 9, 24]),
        one("power", "pow(x, 3) + pow(x * x + 1.0, 0.3)", &[33], &[33]).rounded(),
        one("group_norm", "group_norm(x, 2)", &[3, 5, 8], &[3, 5, 8]).rounded(),
        one("rms_norm", "rms_norm(x)", &[5, 19], &[5, 19]).rounded(),
        one("layer_norm", "layer_norm(x, axis = [0, 1])", &[5, 9], &[5, 9]).rounded(),
    ];
    let halves = Kernel::new("kernel", "join_in_place", "*x = concat([x[3..] + z, -x[..3]], axis = 0);");
    all.push(halves.in_out("x", "f32", &[7, 9]).input("z", "f32", &[9]));
    let rows = Kernel::new("kernel", "join_embedding", "embedding(x, z)").input("x", "u8", &[2, 3]);
    all.push(rows.input("z", "f32", &[40, 19]).result("f32", &[2, 3, 19]));
    let batch = Kernel::new("kernel", "join_batch_norm", "batch_norm(x, w, z, m, abs(v))").input("x", "f32", &[6, 19]);
    let batch = ["w", "z", "m", "v"].iter().fold(batch, |kernel, name| kernel.input(name, "f32", &[19]));
    all.push(batch.result("f32", &[6, 19]).rounded());
    all
}
