//! A compiled network → Rust: the type, its state, one driver per instruction set.
//!
//! For `#[network(..)] impl Digits { pub fn forward(&mut self, image: Tensor![f32; 28, 28, 1]) -> Tensor![f32; 10] }`
//! the items are these, at the place of the `impl`, with the visibility of its first public function
//! (of each function, for that function). The stub for networks with mistakes has the same items.
//!
//! ```ignore
//! pub struct Digits { .. }                     // private fields. With `weights = runtime`: `Digits<'w>`
//! impl Digits {
//!     pub const MACS: u64;                     // multiply-adds of one call of the first entry
//!     pub const PARAMS: u64;                   // numbers in its weights
//!     pub const ARENA_BYTES: usize;
//!     pub const WEIGHT_BYTES: usize;
//!     pub const LAYERS: &'static [::kernforge::Layer];
//!     pub const fn new() -> Digits;            // runtime: `new(weights: &'w DigitsWeights) -> Digits<'w>`
//!     pub fn boxed() -> Box<Digits>;           // feature `alloc`; runtime: `boxed(weights: &'w DigitsWeights)`
//!     pub fn reset(&mut self);                 // as after `new`
//!     pub fn state(&self) -> &DigitsState;
//!     pub fn state_mut(&mut self) -> &mut DigitsState;
//!     pub fn isa() -> ::kernforge::Isa;
//!     pub fn variants() -> impl Iterator<Item = ::kernforge::Variant>;
//!     pub fn profile(&mut self) -> ::kernforge::Profile;    // feature `std`; of the first entry
//!     // For each entry:
//!     pub fn forward(&mut self, image: &[[[f32; 1]; 28]; 28]) -> &[f32; 10];
//!     pub fn forward_on(&mut self, isa: ::kernforge::Isa, image: ..) -> Result<&[f32; 10], ::kernforge::IsaUnavailable>;
//!     pub fn forward_reference(&mut self, image: ..) -> &[f32; 10];
//!     // With `batch = [1, 32]`, for the largest of them:
//!     pub fn forward_batch(&mut self, image: &[[[[f32; 1]; 28]; 28]; 32]) -> &[[f32; 10]; 32];
//!     pub fn forward_many(&mut self, image: &[[[[f32; 1]; 28]; 28]], out: &mut [[f32; 10]])
//!         -> Result<(), ::kernforge::ShapeError>;
//! }
//! impl Default for Digits;                     // not with `weights = runtime`
//!
//! pub struct DigitsState { pub gru: DigitsStateGru, .. }   // one field per layer with a state; Clone, Debug, Default
//! impl DigitsState {
//!     pub const BYTES: usize;
//!     pub const fn zeroed() -> DigitsState;
//!     pub fn to_bytes(&self) -> [u8; DigitsState::BYTES];
//!     pub fn from_bytes(bytes: &[u8]) -> Result<DigitsState, ::kernforge::ShapeError>;
//! }
//! pub struct DigitsStateGru { pub h: [f32; 64] }           // path in camel case; its parts
//!
//! // Only with `weights = runtime`:
//! pub struct DigitsWeights { .. }
//! impl DigitsWeights {
//!     pub const fn zeroed() -> DigitsWeights;
//!     pub fn boxed() -> Box<DigitsWeights>;                // feature `alloc`
//!     pub fn load_into(weights: &mut DigitsWeights, bytes: &[u8]) -> Result<(), ::kernforge::WeightsError>;
//! }
//! ```
//!
//! Arguments: a tensor is `&array`, an in-out tensor `&mut array`, a scalar (and a rank-0 tensor) is
//! passed by value. A result is `&array`, of rank 0 a number by value; several are a tuple.
