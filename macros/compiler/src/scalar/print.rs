//! Scalar programs as text.
//!
//! A program prints as one nested expression where that reads back to the same nodes in the same
//! order, with a `let` for every node where it does not (a shared value, a long expression):
//!
//! ```text
//! let t0 = exp(x[m, k]);
//! t0 / (1.0 + t0)
//! ```
//!
//! What a `let` or the last line states is always a node of its own; what is nested inside is
//! reused if an equal node is already there. [`read`](super::read) follows the same rule.

use super::{Block, Node, Prim, Val};
use crate::text::{Number, joined};
use std::fmt;

/// Expressions longer than this get a name.
const MAX_WIDTH: usize = 72;

/// Expressions nested deeper than this get a name.
const MAX_NESTING: usize = 24;

/// The lines of a program: `let`s, then the value. `load` prints access number `n`.
pub fn lines(block: &Block, load: impl Fn(usize) -> String) -> Vec<String> {
    let printer = Printer { block, names: names(block, &load), load: &load };
    let last = block.nodes.len().saturating_sub(1);
    if block.nodes.is_empty() {
        return vec!["()".to_string()];
    }
    let mut lines = Vec::new();
    for (at, name) in printer.names.iter().enumerate().take(last) {
        if let Some(n) = name {
            lines.push(format!("let t{n} = {};", printer.node(at).text));
        }
    }
    lines.push(printer.node(last).text);
    lines
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&lines(self, |n| format!("r{n}")).join("\n"))
    }
}

/// An expression and how tightly it binds: 0 sum, 1 product, 2 anything else.
struct Text {
    text: String,
    binding: u8,
    nesting: usize,
}

struct Printer<'a> {
    block: &'a Block,
    /// The number in the name `t0`, `t1`, … of each node that has one.
    names: Vec<Option<usize>>,
    load: &'a dyn Fn(usize) -> String,
}

impl Printer<'_> {
    /// A node where it is used: its name or, nested, what it states.
    fn operand(&self, user: usize, val: Val) -> Text {
        let at = val.0 as usize;
        match self.names.get(at) {
            Some(Some(n)) => Text { text: format!("t{n}"), binding: 2, nesting: 0 },
            // An operand that does not come before its user: not a valid program, but printable.
            _ if at >= user => Text { text: format!("?{at}"), binding: 2, nesting: 0 },
            _ => self.node(at),
        }
    }

    /// What a node states.
    fn node(&self, at: usize) -> Text {
        let leaf = |text: String| Text { text, binding: 2, nesting: 0 };
        match &self.block.nodes[at] {
            Node::Acc => leaf("acc".to_string()),
            Node::Arg(n) => leaf(format!("arg{n}")),
            Node::Load(n) => leaf((self.load)(*n)),
            Node::Const(c) => leaf(Number(*c).to_string()),
            Node::Prim(prim, args) => self.prim(at, *prim, args),
            Node::Call(func, arg) => {
                let arg = self.operand(at, *arg);
                Text { text: format!("{}({})", func.name(), arg.text), binding: 2, nesting: arg.nesting + 1 }
            }
        }
    }

    fn prim(&self, at: usize, prim: Prim, args: &[Val]) -> Text {
        let args: Vec<Text> = args.iter().map(|a| self.operand(at, *a)).collect();
        let nesting = args.iter().map(|a| a.nesting + 1).max().unwrap_or(0);
        if let (Some((sign, binding)), [a, b]) = (infix(prim), &args[..]) {
            let a = parenthesised(a, binding);
            let b = parenthesised(b, binding + 1);
            return Text { text: format!("{a} {sign} {b}"), binding, nesting };
        }
        let args = joined(args.iter().map(|a| &a.text));
        Text { text: format!("{}({args})", prim.name()), binding: 2, nesting }
    }
}

fn parenthesised(text: &Text, binding: u8) -> String {
    if text.binding < binding { format!("({})", text.text) } else { text.text.clone() }
}

/// The sign and binding of a primitive that is written between its operands.
pub(super) fn infix(prim: Prim) -> Option<(char, u8)> {
    match prim {
        Prim::Add => Some(('+', 0)),
        Prim::Sub => Some(('-', 0)),
        Prim::Mul => Some(('*', 1)),
        Prim::Div => Some(('/', 1)),
        Prim::Fma
        | Prim::Neg
        | Prim::Abs
        | Prim::Sqrt
        | Prim::Round
        | Prim::MaxSel
        | Prim::MinSel
        | Prim::Maximum
        | Prim::Minimum
        | Prim::Pow2
        | Prim::Exponent
        | Prim::Mantissa
        | Prim::CopySign
        | Prim::SelectLt
        | Prim::SelectLe
        | Prim::SelectEq => None,
    }
}

/// Which nodes get a name: as few as read well and read back equal.
fn names(block: &Block, load: &dyn Fn(usize) -> String) -> Vec<Option<usize>> {
    let count = block.nodes.len();
    let mut uses = vec![0usize; count];
    for arg in block.nodes.iter().flat_map(operands) {
        if let Some(n) = uses.get_mut(arg.0 as usize) {
            *n += 1;
        }
    }
    let last = count.saturating_sub(1);
    let mut named: Vec<bool> = (0..count).map(|at| at != last && uses[at] == 0).collect();
    for at in 0..last {
        if uses[at] > 1 && !operands(&block.nodes[at]).is_empty() {
            named[at] = true;
        }
    }
    for at in 0..last {
        let printer = Printer { block, names: numbered(&named), load };
        let text = printer.node(at);
        named[at] |= text.nesting >= MAX_NESTING || (text.nesting > 0 && text.text.chars().count() > MAX_WIDTH);
    }
    // Where the text would read back in another order, the node that should come first is named: it
    // or, better, the largest expression around it.
    loop {
        let same = agreement(block, &named);
        if same == count {
            return numbered(&named);
        }
        let mut around = vec![same];
        while let Some(user) = user(block, around[around.len() - 1], &named) {
            around.push(user);
        }
        let better = around.iter().rev().find(|at| {
            let mut trial = named.clone();
            trial[**at] = true;
            agreement(block, &trial) > same
        });
        match better {
            Some(at) => named[*at] = true,
            // No progress: name them all, which is the program as it stands.
            None => return (0..count).map(Some).collect(),
        }
    }
}

/// The first user of a node if it is part of the same line: neither has a name.
fn user(block: &Block, at: usize, named: &[bool]) -> Option<usize> {
    if named[at] {
        return None;
    }
    let uses = |node: &Node| operands(node).contains(&Val(at as u32));
    let user = block.nodes.iter().position(uses)?;
    (user > at && !named[user] && user + 1 < named.len()).then_some(user)
}

/// How many nodes a reader of the text would get right before the first that differs.
fn agreement(block: &Block, named: &[bool]) -> usize {
    let read = reread(block, named);
    if read.len() > block.nodes.len() {
        return 0;
    }
    read.iter().zip(&block.nodes).take_while(|(a, b)| a == b).count()
}

fn numbered(named: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0..;
    named.iter().map(|n| if *n { next.next() } else { None }).collect()
}

/// The operands of a node.
fn operands(node: &Node) -> &[Val] {
    match node {
        Node::Prim(_, args) => args,
        Node::Call(_, arg) => std::slice::from_ref(arg),
        Node::Acc | Node::Arg(_) | Node::Load(_) | Node::Const(_) => &[],
    }
}

/// The nodes that a reader would build from the text with these nodes named.
fn reread(block: &Block, named: &[bool]) -> Vec<Node> {
    let mut read = Block::new();
    let mut values: Vec<Option<Val>> = vec![None; named.len()];
    for at in 0..named.len() {
        if named[at] || at + 1 == named.len() {
            let node = rebuilt(block, at, &mut read, named, &mut values);
            read.nodes.push(node);
            values[at] = Some(read.result());
        }
    }
    read.nodes
}

/// Node `at` over the nodes of `read`, after what is nested in it has been added there.
fn rebuilt(block: &Block, at: usize, read: &mut Block, named: &[bool], values: &mut [Option<Val>]) -> Node {
    let mut operand = |arg: &Val| {
        let arg = arg.0 as usize;
        match values.get(arg).copied().flatten() {
            Some(value) if named[arg] => value,
            _ if arg >= at => Val(u32::MAX),
            _ => {
                let node = rebuilt(block, arg, read, named, values);
                read.push(node)
            }
        }
    };
    match &block.nodes[at] {
        Node::Prim(prim, args) => Node::Prim(*prim, args.iter().map(&mut operand).collect()),
        Node::Call(func, arg) => Node::Call(*func, operand(arg)),
        Node::Acc => Node::Acc,
        Node::Arg(n) => Node::Arg(*n),
        Node::Load(n) => Node::Load(*n),
        Node::Const(c) => Node::Const(*c),
    }
}
