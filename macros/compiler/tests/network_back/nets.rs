//! Networks made by hand, as the front end would make them.

use kernforge_compiler::dtype::DType;
use kernforge_compiler::graph::network::{
    Entry, Init, Layer, LayerId, Network, Prune, PruneRule, Source, State, Weight,
};
use kernforge_compiler::graph::{Binary, Graph, NodeId, Op, Param, ParamId, ParamKind, Pool, Unary, Window};
use kernforge_compiler::syntax::ast::Vis;
use kernforge_compiler::train::Training;
use kernforge_compiler::train::loss::Loss;
use kernforge_compiler::train::optimizer::Optimizer;
use proc_macro2::{Ident, Span, TokenStream};

/// A network while it is made.
pub struct Net {
    pub network: Network,
    graph: Graph,
}

/// Numbers that look random, the same at every run.
pub fn numbers(seed: u64, len: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(((state >> 40) as f32 / (1u64 << 24) as f32) - 0.5)
    };
    (0..len).map(|_| next()).collect()
}

impl Net {
    pub fn new(name: &str) -> Net {
        let network = Network {
            name: Ident::new(name, Span::call_site()),
            vis: Vis::Public,
            attrs: "/// A network made by hand.\n".parse().unwrap_or_default(),
            source: Source::Seeded(1),
            weights: vec![],
            states: vec![],
            layers: vec![],
            entries: vec![],
            batch: vec![],
            isas: vec![],
            ignore: vec![],
            golden: None,
            prune: vec![],
            train: None,
            explain: None,
        };
        Net { network, graph: Graph::new("forward".into()) }
    }

    fn push(&mut self, op: Op, inputs: &[NodeId], shape: &[usize]) -> NodeId {
        self.graph.push(op, inputs.to_vec(), DType::F32, shape.to_vec(), Span::call_site())
    }

    fn param(&mut self, name: &str, shape: &[usize], kind: ParamKind) -> ParamId {
        let param =
            Param { name: name.into(), dtype: DType::F32, shape: shape.to_vec(), kind, span: Span::call_site() };
        self.graph.params.push(param);
        ParamId(self.graph.params.len() as u32 - 1)
    }

    pub fn input(&mut self, name: &str, shape: &[usize]) -> NodeId {
        let kind = if shape.is_empty() { ParamKind::Scalar } else { ParamKind::In };
        let p = self.param(name, shape, kind);
        self.push(Op::Param(p), &[], shape)
    }

    pub fn layer(&mut self, path: &str, op: &'static str, macs: u64) {
        let layer = Layer {
            path: path.into(),
            op,
            input: vec![],
            output: vec![],
            macs,
            params: 0,
            momentum: None,
            span: Span::call_site(),
        };
        self.network.layers.push(layer);
        self.graph.layer = Some(LayerId(self.network.layers.len() as u32 - 1));
    }

    pub fn weight(&mut self, role: &str, shape: &[usize]) -> NodeId {
        let layer = LayerId(self.network.layers.len() as u32 - 1);
        let path = self.network.layer(layer).path.clone();
        let key = format!("{path}.{role}");
        let len = shape.iter().product();
        if self.network.weight(&key).is_none() {
            let weight = Weight {
                key: key.clone(),
                names: vec![key.clone()],
                shape: shape.to_vec(),
                dtype: DType::F32,
                layer,
                init: Init::Uniform(0.5),
                values: Some(numbers(self.network.weights.len() as u64 + 7, len).into()),
                span: Span::call_site(),
            };
            self.network.weights.push(weight);
            self.network.layers[layer.0 as usize].params += len as u64;
        }
        let p = self.param(&key, shape, ParamKind::Weight);
        self.push(Op::Param(p), &[], shape)
    }

    pub fn shape(&self, x: NodeId) -> Vec<usize> {
        self.graph.node(x).shape.clone()
    }

    pub fn binary(&mut self, f: Binary, a: NodeId, b: NodeId) -> NodeId {
        let (x, y) = (self.shape(a), self.shape(b));
        let shape = if x.len() >= y.len() { x } else { y };
        self.push(Op::Binary(f), &[a, b], &shape)
    }

    pub fn unary(&mut self, f: Unary, x: NodeId) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Unary(f), &[x], &shape)
    }

    pub fn softmax(&mut self, x: NodeId) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Softmax { axis: shape.len() - 1 }, &[x], &shape)
    }

    pub fn reshape(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        self.push(Op::Reshape, &[x], shape)
    }

    /// `x · wᵀ`, with the matrix as PyTorch keeps it.
    pub fn product(&mut self, x: NodeId, role: &str, out: usize) -> NodeId {
        let shape = self.shape(x);
        let (rows, inner) = match shape.as_slice() {
            [inner] => (1, *inner),
            [.., rows, inner] => (*rows, *inner),
            [] => (1, 1),
        };
        let w = self.weight(role, &[out, inner]);
        let w = self.push(Op::Transpose(vec![1, 0]), &[w], &[inner, out]);
        let x = if shape.len() == 1 { self.reshape(x, &[1, inner]) } else { x };
        let y = self.push(Op::MatMul, &[x, w], &[rows, out]);
        if shape.len() == 1 { self.reshape(y, &[out]) } else { y }
    }

    pub fn linear(&mut self, path: &str, x: NodeId, out: usize) -> NodeId {
        let inner = self.shape(x).last().copied().unwrap_or(1);
        self.layer(path, "linear", (inner * out) as u64);
        let y = self.product(x, "weight", out);
        let b = self.weight("bias", &[out]);
        self.binary(Binary::Add, y, b)
    }

    /// A square convolution with filters as PyTorch keeps them: `[O, I, K, K]`.
    pub fn conv2d(&mut self, path: &str, x: NodeId, filters: usize, kernel: usize, pad: usize) -> NodeId {
        let shape = self.shape(x);
        let [h, w, c] = shape[..] else { panic!("an image") };
        let (oh, ow) = (h + 2 * pad + 1 - kernel, w + 2 * pad + 1 - kernel);
        self.layer(path, "conv2d", (oh * ow * c * filters * kernel * kernel) as u64);
        let weight = self.weight("weight", &[filters, c, kernel, kernel]);
        let weight = self.push(Op::Transpose(vec![2, 3, 1, 0]), &[weight], &[kernel, kernel, c, filters]);
        let window =
            Window { kernel: vec![kernel; 2], stride: vec![1; 2], pad: vec![(pad, pad); 2], dilation: vec![1; 2] };
        let y = self.push(Op::Conv(window, 1), &[x, weight], &[oh, ow, filters]);
        let b = self.weight("bias", &[filters]);
        self.binary(Binary::Add, y, b)
    }

    pub fn max_pool(&mut self, path: &str, x: NodeId, kernel: usize) -> NodeId {
        self.layer(path, "max_pool2d", 0);
        let shape = self.shape(x);
        let [h, w, c] = shape[..] else { panic!("an image") };
        let window =
            Window { kernel: vec![kernel; 2], stride: vec![kernel; 2], pad: vec![(0, 0); 2], dilation: vec![1; 2] };
        self.push(Op::Pool(Pool::Max, window), &[x], &[h / kernel, w / kernel, c])
    }

    /// `(x − mean) / sqrt(var + eps) · weight + bias`, with the constants joined.
    pub fn batch_norm(&mut self, path: &str, x: NodeId) -> NodeId {
        self.layer(path, "batch_norm", 0);
        let channels = [self.shape(x).last().copied().unwrap_or(1)];
        let [weight, bias, mean, var] =
            ["weight", "bias", "running_mean", "running_var"].map(|role| self.weight(role, &channels));
        let eps = self.push(Op::Constant(vec![1.0].into()), &[], &[]);
        let var = self.binary(Binary::Add, var, eps);
        let root = self.unary(Unary::Rsqrt, var);
        let scale = self.binary(Binary::Mul, weight, root);
        let product = self.binary(Binary::Mul, mean, scale);
        let shift = self.binary(Binary::Sub, bias, product);
        let y = self.binary(Binary::Mul, x, scale);
        self.binary(Binary::Add, y, shift)
    }

    /// The value of a state of the current layer before the call.
    pub fn state(&mut self, path: &str, part: &str, shape: &[usize]) -> (ParamId, NodeId) {
        let name = format!("{path}.{part}");
        if self.network.state(&name).is_none() {
            self.network.states.push(State {
                name: name.clone(),
                path: path.into(),
                part: part.into(),
                shape: shape.to_vec(),
                dtype: DType::F32,
            });
        }
        let p = self.param(&name, shape, ParamKind::State);
        (p, self.push(Op::Param(p), &[], shape))
    }

    /// What a state is at the next call.
    pub fn keep(&mut self, state: ParamId, value: NodeId) {
        self.graph.stores.push((state, value));
    }

    /// Ends an entry.
    pub fn entry(&mut self, name: &str, results: &[NodeId]) {
        let tuple = results.len() > 1;
        for (i, &r) in results.iter().enumerate() {
            let shape = self.shape(r);
            let p = self.param(&if tuple { format!("out{i}") } else { "out".into() }, &shape, ParamKind::Out);
            self.graph.stores.push((p, r));
        }
        let graph = std::mem::replace(&mut self.graph, Graph::new(name.into()));
        self.network.entries.push(Entry {
            name: Ident::new(name, Span::call_site()),
            vis: Vis::Public,
            attrs: TokenStream::new(),
            graph: Graph { name: name.into(), layer: None, ..graph },
            tuple,
            batched: true,
            formula: "by hand".into(),
        });
    }
}

/// Every network.
pub fn all() -> Vec<Network> {
    vec![mlp(), cnn(), recurrent(), deep(), loaded(), normed(), flattened()]
}

/// A small layer at every density, and one whose zeros are whole rows.
pub fn pruned() -> Vec<Network> {
    let mut all: Vec<Network> = (0..=100)
        .step_by(10)
        .map(|percent| pruned_linear(&format!("Pruned{percent}"), &[24], 40, f64::from(percent) / 100.0))
        .collect();
    all.push(rows_of_zeros());
    all
}

/// A layer `fc` of which a part of the weights stays.
pub fn pruned_linear(name: &str, input: &[usize], out: usize, keep: f64) -> Network {
    let mut n = Net::new(name);
    let x = n.input("x", input);
    let y = n.linear("fc", x, out);
    n.entry("forward", &[y]);
    n.network.prune.push(Prune { layer: "fc".into(), rule: PruneRule::Keep(keep), span: Span::call_site() });
    n.network
}

/// A layer that does not read two of three inputs.
pub fn rows_of_zeros() -> Network {
    let mut network = pruned_linear("Rows", &[64], 192, 1.0);
    network.prune.clear();
    for weight in network.weights.iter_mut().filter(|w| w.shape.len() > 1) {
        // As a file has them: [192, 64].
        let values = numbers(3, 192 * 64).into_iter().enumerate();
        weight.values = Some(values.map(|(i, v)| if i % 64 % 3 == 0 { v } else { 0.0 }).collect());
    }
    network
}

/// Two layers and a softmax.
pub fn mlp() -> Network {
    let mut n = Net::new("Mlp");
    let x = n.input("x", &[20]);
    let h = n.linear("hidden", x, 33);
    let h = n.unary(Unary::Relu, h);
    let y = n.linear("out", h, 7);
    let y = n.softmax(y);
    n.entry("forward", &[y]);
    n.network
}

/// Convolutions, poolings, a matrix.
pub fn cnn() -> Network {
    let mut n = Net::new("Cnn");
    let x = n.input("image", &[12, 12, 1]);
    let y = n.conv2d("conv1", x, 8, 3, 1);
    let y = n.unary(Unary::Relu, y);
    let y = n.max_pool("pool1", y, 2);
    let y = n.conv2d("conv2", y, 16, 3, 1);
    let y = n.unary(Unary::Relu, y);
    let y = n.max_pool("pool2", y, 2);
    let y = n.reshape(y, &[9 * 16]);
    let y = n.linear("fc", y, 10);
    n.entry("forward", &[y]);
    n.network.batch = vec![1, 4, 8];
    n.network
}

/// Convolutions with batch normalisation behind them.
pub fn normed() -> Network {
    let mut n = Net::new("Normed");
    let x = n.input("image", &[6, 6, 3]);
    let y = n.conv2d("conv1", x, 8, 3, 1);
    let y = n.batch_norm("bn1", y);
    let y = n.unary(Unary::Relu, y);
    // Before a padded convolution nothing is folded.
    let y = n.batch_norm("bn2", y);
    let y = n.conv2d("conv2", y, 4, 3, 1);
    let y = n.reshape(y, &[6 * 6 * 4]);
    let y = n.linear("fc", y, 5);
    let y = n.batch_norm("bn3", y);
    n.entry("forward", &[y]);
    n.network
}

/// An image read channels first by a matrix.
pub fn flattened() -> Network {
    let mut n = Net::new("Flattened");
    let x = n.input("image", &[4, 5, 3]);
    let y = n.unary(Unary::Sigmoid, x);
    let y = n.push(Op::Transpose(vec![2, 0, 1]), &[y], &[3, 4, 5]);
    let y = n.reshape(y, &[60]);
    let y = n.linear("fc", y, 6);
    n.entry("forward", &[y]);
    n.network.batch = vec![3];
    n.network
}

/// [`cnn`] with weights given at run time.
pub fn loaded() -> Network {
    let mut network = cnn();
    network.name = Ident::new("Loaded", Span::call_site());
    network.source = Source::Runtime;
    network.batch.clear();
    for weight in &mut network.weights {
        weight.values = None;
    }
    network
}

/// Many layers of one shape, and too many weights for a thread's stack.
pub fn deep() -> Network {
    let mut n = Net::new("Deep");
    n.network.source = Source::Zeroed;
    let x = n.input("x", &[1024]);
    let mut y = x;
    for i in 0..4 {
        y = n.linear(&format!("layers.{i}"), y, 1024);
        y = n.unary(Unary::Relu, y);
    }
    let y = n.reshape(y, &[1024, 1]);
    let wide = n.input("wide", &[1, 1024]);
    let y = n.push(Op::MatMul, &[y, wide], &[1024, 1024]);
    n.entry("forward", &[y]);
    for weight in &mut n.network.weights {
        weight.values = None;
    }
    n.network
}

/// A recurrent layer with a state, two entry functions that share weights, several results.
pub fn recurrent() -> Network {
    let mut n = Net::new("Recurrent");
    let x = n.input("x", &[6]);
    let gain = n.input("gain", &[]);
    n.layer("rnn", "rnn", 6 * 9 + 9 * 9);
    let (h, before) = n.state("rnn", "h", &[9]);
    let a = n.product(x, "weight_ih", 9);
    let b = n.product(before, "weight_hh", 9);
    let sum = n.binary(Binary::Add, a, b);
    let after = n.unary(Unary::Tanh, sum);
    n.keep(h, after);
    let y = n.linear("head", after, 3);
    let y = n.binary(Binary::Mul, y, gain);
    n.entry("step", &[y, after]);
    let z = n.input("z", &[9]);
    let y = n.linear_again("head", z, 3);
    n.entry("head", &[y]);
    n.network
}

impl Net {
    /// A layer that exists already.
    fn linear_again(&mut self, path: &str, x: NodeId, out: usize) -> NodeId {
        let at = self.network.layers.iter().position(|l| l.path == path).unwrap_or(0);
        let rest = self.network.layers.split_off(at + 1);
        self.graph.layer = Some(LayerId(at as u32));
        let y = self.product(x, "weight", out);
        let b = self.weight("bias", &[out]);
        self.network.layers.extend(rest);
        self.binary(Binary::Add, y, b)
    }
}

/// A plain step: in one part, of all weights.
pub fn training(batch: usize, loss: Loss, optimizer: Optimizer) -> Training {
    Training {
        batch,
        shards: 1,
        loss,
        optimizer,
        clip_norm: None,
        freeze: vec![],
        mask: vec![],
        span: Span::call_site(),
    }
}
