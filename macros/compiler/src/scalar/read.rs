//! The inverse of [`print`](super::print).

use super::{Block, Func, Node, Prim, Val};
use crate::text::{Reader, Token};

/// Reads a program over `acc`, `arg0`, … and `r0`, ….
pub fn read(text: &str) -> Result<Block, String> {
    let mut reader = Reader::new(text);
    let block = program(&mut reader, &mut |r| Err(r.fail("a read needs a kernel around it")))?;
    reader.finish()?;
    Ok(block)
}

/// A program: `let`s, then the value. `access` reads `x[m, k]` and returns its number.
pub fn program(
    reader: &mut Reader<'_>,
    access: &mut dyn FnMut(&mut Reader<'_>) -> Result<usize, String>,
) -> Result<Block, String> {
    let mut builder = Builder::new(access);
    while builder.binding(reader)? {}
    builder.value(reader)
}

/// A program under construction.
pub struct Builder<'a> {
    block: Block,
    names: Vec<(String, Val)>,
    access: &'a mut dyn FnMut(&mut Reader<'_>) -> Result<usize, String>,
}

impl<'a> Builder<'a> {
    /// An empty program.
    pub fn new(access: &'a mut dyn FnMut(&mut Reader<'_>) -> Result<usize, String>) -> Builder<'a> {
        Builder { block: Block::new(), names: Vec::new(), access }
    }

    /// `let t0 = …;`, if that is what comes.
    pub fn binding(&mut self, reader: &mut Reader<'_>) -> Result<bool, String> {
        if !reader.is("let") || reader.second() == Token::Sign("[") {
            return Ok(false);
        }
        reader.bump();
        let name = reader.name()?;
        reader.expect("=")?;
        let node = self.statement(reader)?;
        reader.expect(";")?;
        self.block.nodes.push(node);
        self.names.push((name, self.block.result()));
        Ok(true)
    }

    /// The value, which ends the program.
    pub fn value(mut self, reader: &mut Reader<'_>) -> Result<Block, String> {
        if reader.is("(") && reader.second() == Token::Sign(")") {
            reader.bump();
            reader.bump();
            return Ok(self.block);
        }
        let node = self.statement(reader)?;
        self.block.nodes.push(node);
        Ok(self.block)
    }

    /// An expression that becomes a node of its own.
    fn statement(&mut self, reader: &mut Reader<'_>) -> Result<Node, String> {
        let start = reader.clone();
        match self.sum(reader)? {
            Part::New(node) => Ok(node),
            Part::Named(_) => Err(start.fail("a name alone computes nothing")),
        }
    }

    /// Terms between `+` and `-`.
    fn sum(&mut self, reader: &mut Reader<'_>) -> Result<Part, String> {
        let mut left = self.product(reader)?;
        loop {
            let prim = match reader.token() {
                Token::Sign("+") => Prim::Add,
                Token::Sign("-") => Prim::Sub,
                _ => return Ok(left),
            };
            reader.bump();
            let a = self.operand(left);
            let right = self.product(reader)?;
            left = Part::New(Node::Prim(prim, vec![a, self.operand(right)]));
        }
    }

    /// Factors between `*` and `/`.
    fn product(&mut self, reader: &mut Reader<'_>) -> Result<Part, String> {
        let mut left = self.factor(reader)?;
        loop {
            let prim = match reader.token() {
                Token::Sign("*") => Prim::Mul,
                Token::Sign("/") => Prim::Div,
                _ => return Ok(left),
            };
            reader.bump();
            let a = self.operand(left);
            let right = self.factor(reader)?;
            left = Part::New(Node::Prim(prim, vec![a, self.operand(right)]));
        }
    }

    /// A number, a name, a read, a call or something in parentheses.
    fn factor(&mut self, reader: &mut Reader<'_>) -> Result<Part, String> {
        if matches!(reader.token(), Token::Number(_) | Token::Sign("-")) {
            return Ok(Part::New(Node::Const(reader.f64()?)));
        }
        if reader.eat("(") {
            let inside = reader.nested(|r| self.sum(r))?;
            reader.expect(")")?;
            return Ok(inside);
        }
        if reader.second() == Token::Sign("[") {
            return Ok(Part::New(Node::Load((self.access)(reader)?)));
        }
        let Token::Ident(word) = reader.token() else { return Err(reader.expected("an expression")) };
        if word == "inf" || word == "nan" {
            return Ok(Part::New(Node::Const(reader.f64()?)));
        }
        if let Some((_, val)) = self.names.iter().rev().find(|(name, _)| name == word) {
            let val = *val;
            reader.bump();
            return Ok(Part::Named(val));
        }
        if let Some(func) = Func::from_name(word) {
            let args = self.arguments(reader, 1)?;
            return Ok(Part::New(Node::Call(func, args.first().copied().unwrap_or(Val(0)))));
        }
        if let Some(prim) = Prim::from_name(word) {
            return Ok(Part::New(Node::Prim(prim, self.arguments(reader, prim.arity())?)));
        }
        let numbered = |prefix: &str| word.strip_prefix(prefix).and_then(|n| n.parse().ok());
        let leaf = match (word, numbered("arg"), numbered("r")) {
            ("acc", _, _) => Node::Acc,
            (_, Some(n), _) => Node::Arg(n),
            (_, None, Some(n)) => Node::Load(n),
            (_, None, None) => return Err(reader.fail(format!("`{word}` is neither a value nor a function"))),
        };
        reader.bump();
        Ok(Part::New(leaf))
    }

    /// `name(a, b)` with exactly `count` arguments.
    fn arguments(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<Vec<Val>, String> {
        let start = reader.clone();
        reader.bump();
        reader.expect("(")?;
        let args = reader.list(")", |r| {
            let part = r.nested(|r| self.sum(r))?;
            Ok(self.operand(part))
        })?;
        if args.len() != count {
            return Err(start.fail(format!("{count} operands are needed, {} are given", args.len())));
        }
        Ok(args)
    }

    /// An operand: what is nested becomes a node, unless an equal one is there already.
    fn operand(&mut self, part: Part) -> Val {
        match part {
            Part::Named(val) => val,
            Part::New(node) => self.block.push(node),
        }
    }
}

/// An expression that was read: something named, or what the next node would be.
enum Part {
    Named(Val),
    New(Node),
}
