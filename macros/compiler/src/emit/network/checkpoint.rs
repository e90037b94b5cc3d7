//! Checkpoints of a trainer: every state but the masks of dropout, which each step draws anew, as a safetensors
//! file under the states' own names (`weights.fc.weight`, `optimizer.rate`) and in their own layouts, so that a file
//! of another network or optimiser is refused tensor by tensor like a file of weights.
//!
//! ```ignore
//! pub fn save_checkpoint(&self, to: &mut impl std::io::Write) -> std::io::Result<()>;   // feature `std`
//! pub fn load_checkpoint(&mut self, bytes: &[u8]) -> Result<(), WeightsError>;          // feature `alloc`
//! ```

use super::names;
use crate::graph::network::State;
use crate::train::{Trainer, dropout};
use kernforge_safetensors::Listing;
use std::fmt::Write;

/// The number of steps taken, which decides the masks of dropout: f64, exact for all that will ever be counted.
const STEPS: &str = "steps";

/// `save_checkpoint` and `load_checkpoint`.
pub(super) fn methods(trainer: &Trainer) -> String {
    let mut header = Listing::default();
    let (mut write, mut expect, mut read) = (String::new(), String::new(), String::new());
    for state in trainer.network.states.iter().filter(|s| s.path != dropout::PATH) {
        let len: usize = state.shape.iter().product();
        let bytes = state.dtype.bytes() * len;
        header.tensor(&state.name, &state.dtype.name().to_uppercase(), &state.shape, bytes);
        let (elements, elements_mut) = elements(state);
        let (name, shape) = (&state.name, &state.shape);
        let _ = writeln!(write, "    ::kernforge::__private::save(to, {elements}, 0..{len})?;");
        let _ = writeln!(expect, "    file.expect(&[{name:?}], &{shape:?});");
        let _ = writeln!(
            read,
            "    ::kernforge::__private::load(&file, &[{name:?}], &{shape:?}, {elements_mut}, 0..{len})?;"
        );
    }
    if !trainer.masks.is_empty() {
        header.tensor(STEPS, "F64", &[], size_of::<f64>());
        write += "    to.write_all(&(self.steps as f64).to_le_bytes())?;\n";
        let _ = writeln!(expect, "    file.expect(&[{STEPS:?}], &[]);");
        let _ = writeln!(
            read,
            "    let mut steps = [0.0];\n    file.read_f64(&[{STEPS:?}], &[], &mut steps)?;\n    self.steps = steps[0] as u64;"
        );
    }
    let header = header.finish();
    format!(
        "::kernforge::__with_std! {{\n\
         /// Writes all that the next step depends on, as a safetensors file: the weights, what the optimiser remembers, \
         the learning rate, running statistics and, with dropout, the number of steps.\n\
         pub fn save_checkpoint(&self, to: &mut impl ::kernforge::__private::io::Write) -> ::kernforge::__private::io::Result<()> {{\n    \
             const HEADER: &str = {header:?};\n    \
             to.write_all(&(HEADER.len() as u64).to_le_bytes())?;\n    to.write_all(HEADER.as_bytes())?;\n    \
             let state = self.net.state();\n{write}    ::core::result::Result::Ok(())\n}}\n}}\n\n\
         ::kernforge::__with_alloc! {{\n\
         /// Goes on from where [`save_checkpoint`](Self::save_checkpoint) was called: the steps that follow are the same \
         bits. A file that does not fit changes nothing.\n\
         pub fn load_checkpoint(&mut self, bytes: &[u8]) -> ::core::result::Result<(), ::kernforge::WeightsError> {{\n    \
             let mut file = ::kernforge::__private::weights::File::parse(bytes)?;\n{expect}    file.finish(&[])?;\n    \
             let state = self.net.state_mut();\n{read}    ::core::result::Result::Ok(())\n}}\n}}\n"
    )
}

/// A state's numbers as slices of `state`.
fn elements(of: &State) -> (String, String) {
    let field = format!("state.{}.{}", names::field(&of.path), names::field(&of.part));
    match of.shape.len() {
        0 => (format!("::core::slice::from_ref(&{field})"), format!("::core::slice::from_mut(&mut {field})")),
        1 => (format!("&{field}"), format!("&mut {field}")),
        rank => (
            format!("{field}{}", ".as_flattened()".repeat(rank - 1)),
            format!("{field}{}", ".as_flattened_mut()".repeat(rank - 1)),
        ),
    }
}
