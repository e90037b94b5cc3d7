//! A kernel and its entry in the table of cases, as text.

use std::fmt::Write;

/// A kernel.
#[derive(Clone)]
pub struct Kernel {
    /// The function's name.
    pub name: String,
    /// `gemm`, `conv`, `pool` or `kernel`.
    pub claim: &'static str,
    /// Options: `layout = nchw`.
    pub options: Vec<String>,
    /// Operands, results last.
    pub params: Vec<Param>,
    /// The body: an expression or statements.
    pub body: String,
    /// Whether small integers give exact results.
    pub exact: bool,
    /// An expression of type `Truth`.
    pub truth: Option<String>,
}

/// A parameter.
#[derive(Clone)]
pub struct Param {
    pub name: String,
    pub dtype: &'static str,
    pub shape: Vec<usize>,
    pub access: Access,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Access {
    In,
    InOut,
    Out,
}

impl Kernel {
    /// A kernel without parameters yet.
    pub fn new(claim: &'static str, name: impl Into<String>, body: impl Into<String>) -> Kernel {
        Kernel {
            name: name.into(),
            claim,
            options: Vec::new(),
            params: Vec::new(),
            body: body.into(),
            exact: true,
            truth: None,
        }
    }

    /// With another operand; a scalar has no extents.
    pub fn input(self, name: &str, dtype: &'static str, shape: &[usize]) -> Kernel {
        self.param(name, dtype, shape, Access::In)
    }

    /// With another operand that is overwritten.
    pub fn in_out(self, name: &str, dtype: &'static str, shape: &[usize]) -> Kernel {
        self.param(name, dtype, shape, Access::InOut)
    }

    /// With another result.
    pub fn result(self, dtype: &'static str, shape: &[usize]) -> Kernel {
        let name = format!("result{}", self.params.len());
        self.param(&name, dtype, shape, Access::Out)
    }

    fn param(mut self, name: &str, dtype: &'static str, shape: &[usize], access: Access) -> Kernel {
        self.params.push(Param { name: name.to_owned(), dtype, shape: shape.to_vec(), access });
        self
    }

    /// With an option.
    pub fn option(mut self, option: impl Into<String>) -> Kernel {
        self.options.push(option.into());
        self
    }

    /// With results that are rounded even for small integers.
    pub fn rounded(mut self) -> Kernel {
        self.exact = false;
        self
    }

    /// With the same in textbook loops.
    pub fn truth(mut self, truth: impl Into<String>) -> Kernel {
        self.truth = Some(truth.into());
        self
    }

    /// The declaration.
    fn source(&self) -> String {
        let short = self.claim != "kernel";
        let ty = |p: &Param| match (p.shape.as_slice(), short) {
            ([], _) => p.dtype.to_owned(),
            (shape, true) => format!("{}[{}]", p.dtype, list(shape)),
            (shape, false) => format!("kernforge::Tensor![{}; {}]", p.dtype, list(shape)),
        };
        let inputs = self.params.iter().filter(|p| p.access != Access::Out).map(|p| match p.access {
            Access::InOut => format!("{}: &mut {}", p.name, ty(p)),
            Access::In | Access::Out => format!("{}: {}", p.name, ty(p)),
        });
        let inputs = inputs.collect::<Vec<_>>().join(", ");
        let results: Vec<String> = self.params.iter().filter(|p| p.access == Access::Out).map(ty).collect();
        let results = match results.as_slice() {
            [] => String::new(),
            [one] => format!(" -> {one}"),
            several => format!(" -> ({})", several.join(", ")),
        };
        let signature = format!("pub fn {}({inputs}){results}", self.name);
        let options = self.options.join(", ");
        if short {
            let options = self.options.iter().map(|o| format!("#[{o}] ")).collect::<String>();
            let body =
                if self.body.contains(';') { format!("{{ {} }}", self.body) } else { format!("= {};", self.body) };
            format!("kernforge::{}! {{ {options}{signature} {body} }}", self.claim)
        } else if options.is_empty() {
            format!("#[kernforge::kernel] {signature} {{ {} }}", self.body)
        } else {
            format!("#[kernforge::kernel({options})] {signature} {{ {} }}", self.body)
        }
    }

    /// The entry in the table.
    fn case(&self) -> String {
        let Kernel { name, params, exact, .. } = self;
        let truth = self.truth.as_ref().map_or("None".to_owned(), |t| format!("Some({t})"));
        let (mut entries, mut names, mut borrows, mut arguments) =
            (String::new(), String::new(), String::new(), String::new());
        for Param { name, dtype, shape, access } in params {
            let word = match access {
                Access::In => "In",
                Access::InOut => "InOut",
                Access::Out => "Out",
            };
            let len: usize = shape.iter().product();
            let _ = write!(
                entries,
                "Param {{ name: {name:?}, dtype: DType::{}, access: Access::{word}, len: {len} }}, ",
                dtype.to_uppercase()
            );
            let array = shape.iter().rev().fold((*dtype).to_owned(), |inner, extent| format!("[{inner}; {extent}]"));
            let mutable = if *access == Access::In { "" } else { "_mut" };
            let _ = write!(names, "{name}, ");
            let _ = write!(borrows, "{name}.array{mutable}::<{array}>(), ");
            // A scalar is passed by value.
            let scalar = shape.is_empty() && *access == Access::In;
            let _ = write!(arguments, "{}{name}, ", if scalar { "*" } else { "" });
        }
        let arguments = arguments.trim_end_matches(", ");
        format!(
            "Case {{\n    name: {name:?},\n    source: {:?},\n    params: &[{}],\n    exact: {exact},\n    truth: {truth},\n    \
             run: |how, memory| {{\n        let [{}] = memory else {{ panic!(\"as many buffers as parameters\") }};\n        \
             let ({borrows}) = ({borrows_of});\n        match how {{\n            \
             How::Reference => kernels::{name}::reference({arguments}),\n            \
             How::On(isa) => return kernels::{name}::on(isa, {arguments}),\n            \
             How::Call => kernels::{name}({arguments}),\n        }}\n        Ok(())\n    }},\n}}",
            self.source(),
            entries.trim_end_matches(", "),
            names.trim_end_matches(", "),
            borrows = names,
            borrows_of = borrows,
        )
    }
}

/// `2, 3, 4`
pub fn list(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// The file of a suite.
pub fn file(kernels: &[Kernel]) -> String {
    let mut text = String::from("// Generated by build/.\n\nmod kernels {\n");
    for kernel in kernels {
        let _ = writeln!(text, "    {}", kernel.source());
    }
    text.push_str("}\n\nstatic CASES: &[Case] = &[\n");
    for kernel in kernels {
        let _ = writeln!(text, "{},", kernel.case());
    }
    text.push_str("];\n");
    text
}
