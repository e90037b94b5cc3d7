//! What a layer's parameters are called in a file and how they lie there: the table of the language
//! reference, "Weights", as data.
//!
//! Input: the file's [`Format`], the [`Layer`], the [`Role`] of the parameter and its native shape.
//! Output: [`Source`]: the names to look for in order, and one or more [`Layout`]s, each the shape
//! that the tensor may have in the file and how to read it into native order.
//!
//! Native order, which the kernels read:
//!
//! | layer | parameters |
//! |---|---|
//! | linear | weight `[in, out]` |
//! | conv | weight `[*K, in/groups, out]` |
//! | depthwise | weight `[*K, C·m]`, the m filters of a channel side by side |
//! | conv_transpose | weight `[*K, in/groups, out]` |
//! | recurrent, each direction | weight `[in, G·H]`, recurrent `[H, G·H]`, bias and recurrent bias `[G·H]`; gates as PyTorch orders them: gru r z n, lstm i f g o |
//! | attention | in_proj `[E, 3·E]`, output `[E, E]` |
//! | embedding | `[vocab, dim]` |
//! | everything else | as in the file |

/// A convention for names, layouts, gates, and defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PyTorch's modules.
    Pytorch,
    /// ONNX operators.
    Onnx,
    /// Keras layers.
    Keras,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Format::Pytorch, Format::Onnx, Format::Keras];

    /// Its name in the language.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pytorch => "pytorch",
            Format::Onnx => "onnx",
            Format::Keras => "keras",
        }
    }

    /// The format of a name.
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|f| f.name() == name)
    }

    /// What normalisations add to the variance unless the layer says otherwise.
    pub fn eps(self) -> f64 {
        match self {
            Format::Pytorch | Format::Onnx => 1e-5,
            Format::Keras => 1e-3,
        }
    }

    /// Whether `flatten` of an image runs over channels first.
    pub fn channels_first(self) -> bool {
        match self {
            Format::Pytorch | Format::Onnx => true,
            Format::Keras => false,
        }
    }
}

/// A kind of layer, as far as its parameters differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Layer {
    Linear,
    Conv {
        spatial: usize,
    },
    Depthwise {
        spatial: usize,
        multiplier: usize,
    },
    ConvTranspose {
        spatial: usize,
        groups: usize,
    },
    BatchNorm,
    /// Layer, group and RMS norm.
    Norm,
    Prelu,
    Embedding,
    Recurrent {
        cell: Cell,
        hidden: usize,
        bidirectional: bool,
    },
    Attention,
    /// A bare parameter: its key is its path.
    Param,
}

/// A recurrent cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Cell {
    Rnn,
    Gru,
    Lstm,
}

impl Cell {
    /// How many gates it has.
    pub fn gates(self) -> usize {
        match self {
            Cell::Rnn => 1,
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }

    /// For each of the native gates (gru r z n; lstm i f g o) its place in the file's order.
    fn order(self, format: Format) -> &'static [usize] {
        match (self, format) {
            (Cell::Rnn, _) => &[0],
            (Cell::Gru, Format::Pytorch) => &[0, 1, 2],
            // z r h
            (Cell::Gru, Format::Onnx | Format::Keras) => &[1, 0, 2],
            // i f c o
            (Cell::Lstm, Format::Pytorch | Format::Keras) => &[0, 1, 2, 3],
            // i o f c
            (Cell::Lstm, Format::Onnx) => &[0, 2, 3, 1],
        }
    }
}

/// What a parameter is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The matrix, filters, scale, slope or table; the output projection of attention; what a
    /// recurrent layer multiplies its input by.
    Weight,
    /// What is added; in a recurrent layer, with the input.
    Bias,
    /// A batch norm's mean.
    RunningMean,
    /// A batch norm's variance.
    RunningVar,
    /// What a recurrent layer multiplies its state by.
    Recurrent,
    /// What a recurrent layer adds with the state.
    RecurrentBias,
    /// Attention's query, key and value projections.
    InProjWeight,
    /// Their bias.
    InProjBias,
}

impl Role {
    /// Its name in arguments and `keys(..)` of the language; a key given for `bias` also holds for
    /// the recurrent bias, except in PyTorch's format, where that is a tensor of its own.
    pub fn name(self, format: Format) -> &'static str {
        match self {
            Role::Weight => "weight",
            Role::Bias => "bias",
            Role::RunningMean => "running_mean",
            Role::RunningVar => "running_var",
            Role::Recurrent => "recurrent",
            Role::RecurrentBias if format == Format::Pytorch => "recurrent_bias",
            Role::RecurrentBias => "bias",
            Role::InProjWeight => "in_proj_weight",
            Role::InProjBias => "in_proj_bias",
        }
    }
}

/// A direction of a recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Direction {
    Forward,
    Backward,
}

/// Where a parameter is in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// What follows the layer's path and a dot, in the order to look; the first is the one to name
    /// in messages. An empty one stands for the path alone.
    pub suffixes: Vec<String>,
    /// The shapes that the tensor may have, the usual one first.
    pub layouts: Vec<Layout>,
}

impl Source {
    /// The layout for a tensor of this shape. Axes of length 1 may be missing or extra.
    pub fn layout(&self, shape: &[usize]) -> Option<&Layout> {
        self.layouts.iter().find(|l| l.accepts(shape))
    }
}

/// How a tensor of the file becomes native.
///
/// The file's values are read as an array of extents `atoms`; of some axes one index is selected,
/// the gates' axis is reordered, and `axes` are the atoms left, in native order.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The tensor's shape in the file.
    pub shape: Vec<usize>,
    /// The same, axes that are products taken apart: `[3·H, I]` is `[3, H, I]`.
    pub atoms: Vec<usize>,
    /// Native order of the atoms that are not selected from.
    pub axes: Vec<usize>,
    /// Atoms of which one index is read: a direction, one of two biases.
    pub select: Vec<(usize, usize)>,
    /// The atom of the gates, and for each native gate its place in the file.
    pub gates: Option<(usize, &'static [usize])>,
    /// The tensor holds nothing for this role, whose values are zero.
    pub zero: bool,
}

impl Layout {
    /// A permutation of the file's axes.
    fn permuted(shape: Vec<usize>, axes: Vec<usize>) -> Layout {
        Layout { atoms: shape.clone(), shape, axes, select: Vec::new(), gates: None, zero: false }
    }

    /// As in the file.
    fn same(native: &[usize]) -> Layout {
        Layout::permuted(native.to_vec(), (0..native.len()).collect())
    }

    /// Whether the values are already in native order.
    pub fn is_native(&self) -> bool {
        let in_order = self.axes.iter().enumerate().all(|(i, axis)| i == *axis);
        let gates = self.gates.is_none_or(|(_, order)| order.iter().enumerate().all(|(i, g)| i == *g));
        in_order && gates && self.select.is_empty() && !self.zero
    }

    /// Whether a tensor of this shape can be read: the same but for axes of length 1.
    pub fn accepts(&self, shape: &[usize]) -> bool {
        fn long(extents: &[usize]) -> impl Iterator<Item = &usize> {
            extents.iter().filter(|e| **e != 1)
        }
        long(&self.shape).eq(long(shape))
    }

    /// The values in native order; `None` if there are not as many as the shape says.
    pub fn to_native<T: Copy + Default>(&self, values: &[T]) -> Option<Vec<T>> {
        if values.len() != self.shape.iter().product::<usize>() {
            return None;
        }
        let mut strides = vec![1; self.atoms.len()];
        let mut step = 1;
        for (stride, extent) in strides.iter_mut().zip(&self.atoms).rev() {
            *stride = step;
            step *= extent;
        }
        let stride = |atom: usize| strides.get(atom).copied().unwrap_or(0);
        let start: usize = self.select.iter().map(|(atom, index)| stride(*atom) * index).sum();
        // Of each native axis, how far each of its indices is from the start.
        let mut steps: Vec<Vec<usize>> = Vec::new();
        for axis in &self.axes {
            let extent = self.atoms.get(*axis).copied().unwrap_or(1);
            let place = |i: usize| match self.gates {
                Some((atom, order)) if atom == *axis => order.get(i).copied().unwrap_or(i),
                Some(_) | None => i,
            };
            steps.push((0..extent).map(|i| stride(*axis) * place(i)).collect());
        }
        let mut offsets = vec![start];
        for axis in steps {
            offsets = offsets.iter().flat_map(|base| axis.iter().map(move |step| base + step)).collect();
        }
        if self.zero {
            return Some(vec![T::default(); offsets.len()]);
        }
        offsets.into_iter().map(|at| values.get(at).copied()).collect()
    }
}

impl Layout {
    /// The file's tensor of which these are the native values; zero where they have no part.
    pub fn from_native<T: Copy + Default>(&self, native: &[T]) -> Option<Vec<T>> {
        let len = self.shape.iter().product::<usize>();
        let places = self.to_native(&(0..len).collect::<Vec<usize>>())?;
        if places.len() != native.len() {
            return None;
        }
        let mut values = vec![T::default(); len];
        for (place, value) in places.into_iter().zip(native) {
            *values.get_mut(place)? = *value;
        }
        Some(values)
    }
}

/// Where a file of this format has a parameter. `native` is the parameter's native shape; `layout`
/// a word of the language that replaces the format's order of a matrix or filter (`io`, `hwio`, ..).
/// `None` if the format has no such parameter, or the word does not fit the layer.
pub fn source(
    format: Format,
    layer: &Layer,
    role: Role,
    direction: Direction,
    native: &[usize],
    layout: Option<&str>,
) -> Option<Source> {
    if let Layer::Recurrent { cell, bidirectional, .. } = layer {
        let place = Place { format, cell: *cell, direction, bidirectional: *bidirectional };
        return if layout.is_none() { place.source(role, native) } else { None };
    }
    let layout = match role {
        Role::Weight | Role::InProjWeight => matrix(format, layer, native, layout)?,
        _ if layout.is_some() => return None,
        _ => Layout::same(native),
    };
    let suffixes = suffixes(format, layer, role)?.iter().map(|s| s.to_string()).collect();
    Some(Source { suffixes, layouts: vec![layout] })
}

/// Names of parameters other than a recurrent layer's.
fn suffixes(format: Format, layer: &Layer, role: Role) -> Option<&'static [&'static str]> {
    use Format::{Keras, Onnx, Pytorch};
    let normalised = matches!(layer, Layer::BatchNorm | Layer::Norm);
    Some(match (layer, role) {
        (Layer::Param, Role::Weight) => &[""],
        (Layer::Attention, _) => match (role, format) {
            (_, Keras) => return None,
            (Role::InProjWeight, _) => &["in_proj_weight"],
            (Role::InProjBias, _) => &["in_proj_bias"],
            (Role::Weight, _) => &["out_proj.weight"],
            (Role::Bias, _) => &["out_proj.bias"],
            (Role::RunningMean | Role::RunningVar | Role::Recurrent | Role::RecurrentBias, _) => return None,
        },
        (_, Role::Weight) => match format {
            Pytorch => &["weight"],
            Onnx if normalised => &["scale", "weight"],
            Onnx if *layer == Layer::Prelu => &["weight", "slope"],
            Onnx => &["weight"],
            Keras if normalised => &["gamma"],
            Keras => match layer {
                Layer::Prelu => &["alpha"],
                Layer::Embedding => &["embeddings"],
                // Keras 3 calls it `kernel` as well.
                Layer::Depthwise { .. } => &["depthwise_kernel", "kernel"],
                _ => &["kernel"],
            },
        },
        (_, Role::Bias) => match format {
            Pytorch => &["bias"],
            Onnx if normalised => &["B", "bias"],
            Onnx => &["bias"],
            Keras if normalised => &["beta"],
            Keras => &["bias"],
        },
        (Layer::BatchNorm, Role::RunningMean) => match format {
            Pytorch => &["running_mean"],
            Onnx => &["mean", "running_mean"],
            Keras => &["moving_mean"],
        },
        (Layer::BatchNorm, Role::RunningVar) => match format {
            Pytorch => &["running_var"],
            Onnx => &["var", "running_var"],
            Keras => &["moving_variance"],
        },
        (_, Role::RunningMean | Role::RunningVar | Role::Recurrent | Role::RecurrentBias) => return None,
        (_, Role::InProjWeight | Role::InProjBias) => return None,
    })
}

/// The layout of a weight.
fn matrix(format: Format, layer: &Layer, native: &[usize], word: Option<&str>) -> Option<Layout> {
    let (spatial, groups) = match layer {
        Layer::Linear | Layer::Attention => (0, 1),
        Layer::Conv { spatial } | Layer::Depthwise { spatial, .. } => (*spatial, 1),
        Layer::ConvTranspose { spatial, groups } => (*spatial, (*groups).max(1)),
        Layer::BatchNorm | Layer::Norm | Layer::Prelu | Layer::Embedding | Layer::Param | Layer::Recurrent { .. } => {
            return if word.is_none() { Some(Layout::same(native)) } else { None };
        }
    };
    let order = match word {
        Some(word) => axes_of(word, spatial)?,
        None => match (layer, format) {
            (Layer::ConvTranspose { .. }, Format::Pytorch | Format::Onnx) => [Axis::In, Axis::Out, Axis::Kernel],
            (Layer::ConvTranspose { .. }, Format::Keras) => [Axis::Kernel, Axis::Out, Axis::In],
            (_, Format::Pytorch | Format::Onnx) => [Axis::Out, Axis::In, Axis::Kernel],
            (_, Format::Keras) => [Axis::Kernel, Axis::In, Axis::Out],
        },
    };
    let (kernel, channels) = native.split_at_checked(spatial)?;
    let mut layout = match (layer, channels) {
        (Layer::Depthwise { .. }, [out]) => filter(kernel, 1, *out, 1, order),
        (Layer::Depthwise { .. }, _) => return None,
        (_, [input, out]) => filter(kernel, *input, *out, groups, order),
        _ => return None,
    };
    // Keras separates what the native order has side by side anyway: [*K, C, m].
    if let (Layer::Depthwise { multiplier, .. }, Format::Keras, None, [out]) = (layer, format, word, channels) {
        layout.shape = [kernel, &[out / (*multiplier).max(1), *multiplier]].concat();
    }
    Some(layout)
}

/// An axis (or all spatial ones) of a filter in a file.
#[derive(Clone, Copy, PartialEq)]
enum Axis {
    Kernel,
    In,
    Out,
}

/// `io`, `hwio`, `oihw`, ..: the letters i and o, and the spatial ones of 1-D (w), 2-D (hw) or 3-D
/// (dhw) filters in one piece.
fn axes_of(word: &str, spatial: usize) -> Option<[Axis; 3]> {
    use Axis::{In, Kernel, Out};
    let letters = ["", "w", "hw", "dhw"].get(spatial)?;
    let orders = [
        [Kernel, In, Out],
        [Kernel, Out, In],
        [Out, Kernel, In],
        [In, Kernel, Out],
        [Out, In, Kernel],
        [In, Out, Kernel],
    ];
    orders.into_iter().find(|order| {
        let name: Vec<&str> = order
            .iter()
            .map(|axis| match axis {
                Kernel => *letters,
                In => "i",
                Out => "o",
            })
            .collect();
        name.concat() == word
    })
}

/// A filter of native shape `[*kernel, input, out]` whose axes have another order in the file.
/// With groups, `input` is one group's; the file has all inputs and one group's outputs, as
/// PyTorch's transposed convolution: `[groups·input, out/groups, *kernel]`.
fn filter(kernel: &[usize], input: usize, out: usize, groups: usize, order: [Axis; 3]) -> Layout {
    let (mut shape, mut atoms) = (Vec::new(), Vec::new());
    let (mut kernel_at, mut group_at, mut in_at, mut out_at) = (0, None, 0, 0);
    for axis in order {
        match axis {
            Axis::Kernel => {
                kernel_at = atoms.len();
                atoms.extend(kernel);
                shape.extend(kernel);
            }
            Axis::In => {
                if groups > 1 {
                    group_at = Some(atoms.len());
                    atoms.push(groups);
                }
                in_at = atoms.len();
                atoms.push(input);
                shape.push(groups * input);
            }
            Axis::Out => {
                out_at = atoms.len();
                atoms.push(out / groups);
                shape.push(out / groups);
            }
        }
    }
    let mut axes: Vec<usize> = (kernel_at..kernel_at + kernel.len()).collect();
    axes.push(in_at);
    axes.extend(group_at);
    axes.push(out_at);
    Layout { shape, atoms, axes, select: Vec::new(), gates: None, zero: false }
}

/// Where a recurrent layer's parameters are.
struct Place {
    format: Format,
    cell: Cell,
    direction: Direction,
    bidirectional: bool,
}

impl Place {
    fn source(&self, role: Role, native: &[usize]) -> Option<Source> {
        let gates = self.cell.gates();
        let columns = *native.last()?;
        let hidden = columns / gates;
        let directions = if self.bidirectional { 2 } else { 1 };
        let direction = match self.direction {
            Direction::Forward => 0,
            Direction::Backward => 1,
        };
        let layout =
            |shape: &[usize], atoms: &[usize], axes: &[usize], select: &[(usize, usize)], gates: usize| Layout {
                shape: shape.to_vec(),
                atoms: atoms.to_vec(),
                axes: axes.to_vec(),
                select: select.to_vec(),
                gates: Some((gates, self.cell.order(self.format))),
                zero: false,
            };
        let bias = match role {
            Role::Weight | Role::Recurrent => None,
            Role::Bias => Some(0),
            Role::RecurrentBias => Some(1),
            Role::RunningMean | Role::RunningVar | Role::InProjWeight | Role::InProjBias => return None,
        };
        let layouts = match (self.format, native, bias) {
            (Format::Pytorch, [rows, _], None) => {
                vec![layout(&[columns, *rows], &[gates, hidden, *rows], &[2, 0, 1], &[], 0)]
            }
            (Format::Onnx, [rows, _], None) => {
                let (shape, atoms) = ([directions, columns, *rows], [directions, gates, hidden, *rows]);
                vec![layout(&shape, &atoms, &[3, 1, 2], &[(0, direction)], 1)]
            }
            (Format::Keras, [rows, _], None) => {
                vec![layout(&[*rows, columns], &[*rows, gates, hidden], &[0, 1, 2], &[], 1)]
            }
            (Format::Pytorch, [_], Some(_)) => vec![layout(&[columns], &[gates, hidden], &[0, 1], &[], 0)],
            (Format::Onnx, [_], Some(which)) => {
                let (shape, atoms) = ([directions, 2 * columns], [directions, 2, gates, hidden]);
                vec![layout(&shape, &atoms, &[2, 3], &[(0, direction), (1, which)], 2)]
            }
            (Format::Keras, [_], Some(which)) => {
                let one = layout(&[columns], &[gates, hidden], &[0, 1], &[], 0);
                let two = layout(&[2, columns], &[2, gates, hidden], &[1, 2], &[(0, which)], 1);
                vec![Layout { zero: which == 1, ..one }, two]
            }
            _ => return None,
        };
        Some(Source { suffixes: self.suffixes(role), layouts })
    }

    fn suffixes(&self, role: Role) -> Vec<String> {
        let pick = |names: [&'static str; 4]| match role {
            Role::Weight => names[0],
            Role::Recurrent => names[1],
            Role::Bias => names[2],
            _ => names[3],
        };
        match self.format {
            // PyTorch writes the number of the layer in a stack; cells and other writers do not.
            Format::Pytorch => {
                let name = pick(["weight_ih", "weight_hh", "bias_ih", "bias_hh"]);
                let reverse = if self.direction == Direction::Backward { "_reverse" } else { "" };
                vec![format!("{name}_l0{reverse}"), format!("{name}{reverse}")]
            }
            // Both directions and both biases are one tensor each.
            Format::Onnx => vec![pick(["W", "R", "B", "B"]).to_string()],
            // `Bidirectional` wraps two layers of these names.
            Format::Keras => {
                let name = pick(["kernel", "recurrent_kernel", "bias", "bias"]);
                vec![match (self.bidirectional, self.direction) {
                    (false, _) => name.to_string(),
                    (true, Direction::Forward) => format!("forward.{name}"),
                    (true, Direction::Backward) => format!("backward.{name}"),
                }]
            }
        }
    }
}

#[cfg(test)]
mod tests;
