//! The syntax tree as text: the function as it could have been written in a `!` macro, with its body
//! as a block. It is what `kern dump --stage ast` shows, and [`parse_block`](super::parse_block)
//! reads it back.

use super::ast::network::{Block, Pattern, Stmt};
use super::ast::{Expr, ExprKind, Function, Options, Type, Vis};
use crate::text::joined;
use std::fmt;

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let i = &self.interface;
        options(f, &self.options)?;
        write!(f, "{}fn {}(", visibility(&i.vis), i.name)?;
        let parameter = |p: &super::ast::Param| {
            let reference = if p.mutable { "&mut " } else { "" };
            format!("{}: {reference}{}", p.name, p.ty)
        };
        write!(f, "{})", joined(i.params.iter().map(parameter)))?;
        match i.results.as_slice() {
            [] => {}
            [one] => write!(f, " -> {one}")?,
            several => write!(f, " -> ({})", joined(several))?,
        }
        writeln!(f, " {{")?;
        for binding in &self.lets {
            let names = match binding.names.as_slice() {
                [one] => one.to_string(),
                several => format!("({})", joined(several)),
            };
            let claim = binding.claim.as_ref().map(|t| format!(": {}", in_rust(t))).unwrap_or_default();
            writeln!(f, "    let {names}{claim} = {};", binding.value)?;
        }
        let (stored, returned): (Vec<_>, Vec<_>) = self.results.iter().partition(|r| r.target.is_some());
        for result in stored {
            if let Some(target) = &result.target {
                writeln!(f, "    *{target} = {};", result.value)?;
            }
        }
        match returned.as_slice() {
            [] => {}
            [one] => writeln!(f, "    {}", one.value)?,
            several => writeln!(f, "    ({})", joined(several.iter().map(|r| &r.value)))?,
        }
        writeln!(f, "}}")
    }
}

fn options(f: &mut fmt::Formatter<'_>, options: &Options) -> fmt::Result {
    if !options.isa.is_empty() {
        writeln!(f, "#[isa({})]", joined(options.isa.iter().map(|(isa, _)| isa.name())))?;
    }
    if let Some((rows, vectors, _)) = options.tile {
        writeln!(f, "#[tile({rows}, {vectors})]")?;
    }
    if let Some((copies, _)) = options.unroll {
        writeln!(f, "#[unroll({copies})]")?;
    }
    if let Some((bytes, _)) = options.budget {
        writeln!(f, "#[budget(code = \"{bytes}\")]")?;
    }
    if options.nchw {
        writeln!(f, "#[layout(nchw)]")?;
    }
    Ok(())
}

fn visibility(vis: &Vis) -> String {
    match vis {
        Vis::Private => String::new(),
        Vis::Public => "pub ".to_string(),
        Vis::Crate => "pub(crate) ".to_string(),
        Vis::Super => "pub(super) ".to_string(),
        Vis::In(path) => format!("pub(in {path}) "),
    }
}

/// `f32[4, 8]`
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dims.is_empty() {
            return write!(f, "{}", self.dtype);
        }
        write!(f, "{}[{}]", self.dtype, joined(self.dims.iter().map(|d| d.0)))
    }
}

/// The type as Rust can read it, which the type of a `let` must be.
fn in_rust(ty: &Type) -> String {
    if ty.dims.is_empty() {
        return ty.dtype.to_string();
    }
    format!("Tensor![{}; {}]", ty.dtype, joined(ty.dims.iter().map(|d| d.0)))
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Number(x, true) => write!(f, "{x:.0}"),
            ExprKind::Number(x, false) => write!(f, "{x:?}"),
            ExprKind::Bool(b) => write!(f, "{b}"),
            ExprKind::List(items) => write!(f, "[{}]", joined(items)),
            ExprKind::Tuple(items) => write!(f, "({})", joined(items)),
            ExprKind::Call { name, args, named } => {
                let named = named.iter().map(|(key, value)| format!("{key} = {value}"));
                write!(f, "{name}({})", joined(args.iter().map(ToString::to_string).chain(named)))
            }
            ExprKind::Neg(x) => write!(f, "-{}", operand(x)),
            ExprKind::Arith(sign, a, b) => write!(f, "{} {sign} {}", operand(a), operand(b)),
            ExprKind::Cast(x, dtype) => write!(f, "{} as {dtype}", operand(x)),
            ExprKind::Index(x, Some(at), _, true) => write!(f, "{}[{at}]", operand(x)),
            ExprKind::Index(x, start, end, _) => write!(f, "{}[{}]", operand(x), range(*start, *end)),
            ExprKind::Range(start, end) => f.write_str(&range(*start, *end)),
            ExprKind::Text(text) => write!(f, "{text:?}"),
            ExprKind::Associated(name) => write!(f, "Self::{name}"),
            ExprKind::Own { name, method, args, named } => {
                let owner = if *method { "self." } else { "Self::" };
                let named = named.iter().map(|(key, value)| format!("{key} = {value}"));
                write!(f, "{owner}{name}({})", joined(args.iter().map(ToString::to_string).chain(named)))
            }
            ExprKind::Field(x, name) => write!(f, "{}.{name}", operand(x)),
            ExprKind::At(x, at) => write!(f, "{}[{at}]", operand(x)),
            ExprKind::Bounds(start, end, closed) => {
                let bound = |b: &Option<Box<Expr>>| b.as_ref().map(|e| operand(e)).unwrap_or_default();
                write!(f, "{}..{}{}", bound(start), if *closed { "=" } else { "" }, bound(end))
            }
            ExprKind::Operator(sign, a, b) => write!(f, "{} {sign} {}", operand(a), operand(b)),
            ExprKind::Not(x) => write!(f, "!{}", operand(x)),
            ExprKind::If(cond, then, None) => write!(f, "if {cond} {then}"),
            ExprKind::If(cond, then, Some(otherwise)) => write!(f, "if {cond} {then} else {otherwise}"),
            ExprKind::Block(block) => write!(f, "{block}"),
            ExprKind::Closure(params, body) => write!(f, "|{}| {body}", joined(params)),
            ExprKind::Invalid => f.write_str("_"),
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stmts = self.stmts.iter().map(|s| format!("{s} "));
        write!(
            f,
            "{{ {}{}}}",
            stmts.collect::<String>(),
            self.result.iter().map(|e| format!("{e} ")).collect::<String>()
        )
    }
}

impl fmt::Display for Stmt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stmt::Let(l) => write!(f, "let {} = {};", l.pattern, l.value),
            Stmt::Const(c) => write!(f, "const {}: _ = {};", c.name, c.value),
            Stmt::Assign(name, value) => write!(f, "{name} = {value};"),
            Stmt::Store(name, value) => write!(f, "*{name} = {value};"),
            Stmt::For(l) => {
                let label = l.label.iter().map(|l| format!("'{l}: ")).collect::<String>();
                write!(f, "{label}for {} in {} {}", l.pattern, l.over, l.body)
            }
            Stmt::Expr(e) => write!(f, "{e};"),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Name(name, true) => write!(f, "mut {name}"),
            Pattern::Name(name, false) => write!(f, "{name}"),
            Pattern::Tuple(parts, _) => write!(f, "({})", joined(parts)),
            Pattern::Ignored(_) => f.write_str("_"),
        }
    }
}

/// `1..3`, open where there is no bound.
fn range(start: Option<usize>, end: Option<usize>) -> String {
    let bound = |b: Option<usize>| b.map(|n| n.to_string()).unwrap_or_default();
    format!("{}..{}", bound(start), bound(end))
}

/// An expression as part of another, in parentheses where it is more than one word or call.
fn operand(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Neg(_)
        | ExprKind::Arith(..)
        | ExprKind::Cast(..)
        | ExprKind::Range(..)
        | ExprKind::Bounds(..)
        | ExprKind::Operator(..)
        | ExprKind::Not(_)
        | ExprKind::If(..)
        | ExprKind::Closure(..) => format!("({e})"),
        ExprKind::Number(x, _) if x.is_sign_negative() => format!("({e})"),
        ExprKind::Name(_)
        | ExprKind::Number(..)
        | ExprKind::Bool(_)
        | ExprKind::List(_)
        | ExprKind::Tuple(_)
        | ExprKind::Call { .. }
        | ExprKind::Index(..)
        | ExprKind::Text(_)
        | ExprKind::Associated(_)
        | ExprKind::Own { .. }
        | ExprKind::Field(..)
        | ExprKind::At(..)
        | ExprKind::Block(_)
        | ExprKind::Invalid => e.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::syntax::ast::Claim;
    use crate::syntax::parse_block;

    #[test]
    fn a_print_reads_back() {
        let source = "
            #[isa(avx2, avx512)] #[tile(6, 2)] #[unroll(4)] #[budget(code = \"16K\")] #[layout = nchw]
            pub(crate) fn f(x: f32[4, 8], y: &mut f32[4, 4], s: f32) -> (f32[4], f32[8]) {
                let a: Tensor![f32; 4, 4] = 0.5 * matmul(x, x.t()) - -y;
                let (b, c) = split(x[0..2], [1, 1], axis = 0);
                *y = a * (s + 1e-5) as f32;
                (a[1], x[..3][0])
            }
            fn g(x: f64[3]) -> f64 = clamp(-(x + 1), -1.5, 3, flag = true, pad = (1, 2), r = 1..2);";
        let print = |text: &str| {
            let (functions, errors) = parse_block(Claim::Gemm, text.parse().unwrap());
            assert!(errors.is_empty(), "{text}: {errors:?}");
            functions.iter().map(ToString::to_string).collect::<String>()
        };
        let text = print(source);
        assert_eq!(print(&text), text);
        assert!(text.contains("(0.5 * matmul(x, t(x))) - (-y)"), "{text}");
    }
}
