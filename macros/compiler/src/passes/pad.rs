//! Padding: zeros around the image of a convolution become the convolution's own padding, which is
//! never stored; any other padding becomes a concatenation with constants.
//!
//! ```text
//! conv(pad(x, 0), w)     conv(x, w) with a larger `pad`
//! pad(x, v), axis by axis concat(v.., x, v..)
//! ```
//! A convolution skips what it pads where the formula multiplies zeros: the same but for filters
//! that are not finite. Padding wider than the window stays explicit, so that no more output than
//! one window at each side sees nothing of the image.

use crate::graph::{Graph, Node, NodeId, Op, Window};

/// Runs the pass.
pub fn run(graph: Graph) -> Graph {
    let folded = super::rebuild(graph, |out, node, mut inputs| {
        let mut op = node.op.clone();
        if let (Op::Conv(window, _), Some(image)) = (&mut op, inputs.first_mut()) {
            while let Some(inner) = absorb(out.node(*image), window) {
                *image = inner;
            }
        }
        out.push(op, inputs, node.dtype, node.shape.clone(), node.span)
    });
    super::rebuild(folded, |out, node, inputs| match &node.op {
        Op::Pad { pad, value } => concatenated(out, node, inputs[0], pad, *value),
        op => out.push(op.clone(), inputs, node.dtype, node.shape.clone(), node.span),
    })
}

/// Adds the zeros that `image` has around it to the window's padding; returns what they are around.
fn absorb(image: &Node, window: &mut Window) -> Option<NodeId> {
    let Op::Pad { pad, value } = &image.op else { return None };
    let lead = pad.len().checked_sub(window.rank() + 1)?;
    let spatial = &pad[lead..lead + window.rank()];
    let elsewhere = pad[..lead].iter().chain(pad.last()).any(|p| *p != (0, 0));
    let sum: Vec<(usize, usize)> = window.pad.iter().zip(spatial).map(|(a, b)| (a.0 + b.0, a.1 + b.1)).collect();
    let spans = window.kernel.iter().zip(&window.dilation).map(|(k, d)| d * (k - 1) + 1);
    let wide = sum.iter().zip(spans).any(|(p, span)| p.0.max(p.1) > span);
    if *value != 0.0 || elsewhere || wide {
        return None;
    }
    window.pad = sum;
    image.inputs.first().copied()
}

/// One concatenation per padded axis; nested ones are written in place.
fn concatenated(out: &mut Graph, node: &Node, x: NodeId, pad: &[(usize, usize)], value: f64) -> NodeId {
    let mut inner = x;
    for (axis, &(before, after)) in pad.iter().enumerate().filter(|(_, p)| **p != (0, 0)) {
        let mut shape = out.node(inner).shape.clone();
        let extent = shape[axis];
        let mut parts = Vec::new();
        for (position, thickness) in [before, after].into_iter().enumerate() {
            if position == 1 {
                parts.push(inner);
            }
            if thickness > 0 {
                shape[axis] = thickness;
                parts.push(out.push(Op::Constant([value].into()), vec![], node.dtype, shape.clone(), node.span));
            }
        }
        shape[axis] = before + extent + after;
        inner = out.push(Op::Concat { axis }, parts, node.dtype, shape, node.span);
    }
    inner
}
