//! Compiled networks: the same bits as `reference`, close to the graph's meaning, states kept, no heap.

#[allow(dead_code, clippy::all)]
#[path = "../../macros/compiler/tests/network_back/nets.rs"]
mod nets;

/// The networks of [`nets`], compiled when this crate was built.
// Printed tokens: their comments are gone, and style is not theirs.
#[allow(clippy::all, clippy::undocumented_unsafe_blocks)]
mod compiled {
    include!(concat!(env!("OUT_DIR"), "/networks.rs"));
}

use compiled::{Cnn, Deep, Loaded, LoadedWeights, Mlp, Recurrent, RecurrentState};
use kernforge::{Isa, WeightsError};
use kernforge_compiler::graph::network::Network;
use kernforge_compiler::graph::{ParamKind, interp};

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting.
struct Counting;

thread_local! {
    /// Allocations of this thread: the test harness has threads of its own.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What an entry's graph computes of its arguments and states: all its parameters afterwards.
fn truth(network: &Network, entry: usize, given: &[(&str, &[f32])]) -> Vec<(String, Vec<f32>)> {
    let graph = &network.entries[entry].graph;
    let value = |p: &kernforge_compiler::graph::Param| -> Vec<f32> {
        let known = given.iter().find(|(name, _)| *name == p.name).map(|(_, v)| v.to_vec());
        match p.kind {
            ParamKind::Weight => {
                let weight = network.weight(&p.name).expect("a weight");
                weight.values.as_ref().expect("values").iter().map(|v| *v as f32).collect()
            }
            ParamKind::Out => vec![0.0; p.shape.iter().product()],
            _ => known.unwrap_or_else(|| panic!("`{}` is not given", p.name)),
        }
    };
    let mut params: Vec<Vec<f32>> = graph.params.iter().map(value).collect();
    interp::run(graph, &mut params).expect("a valid graph");
    graph.params.iter().map(|p| p.name.clone()).zip(params).collect()
}

/// The value of one parameter.
fn of<'a>(params: &'a [(String, Vec<f32>)], name: &str) -> &'a [f32] {
    params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_slice()).expect("a parameter")
}

fn numbers(seed: u64, len: usize) -> Vec<f32> {
    nets::numbers(seed, len).into_iter().map(|v| v as f32).collect()
}

fn close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= 1e-5 * e.abs().max(1.0), "{i}: {f} instead of {e}");
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// The instruction sets of this CPU that fuse: they give the reference's bits.
fn fused() -> impl Iterator<Item = Isa> {
    kernforge::cpu::available().filter(|isa| *isa != Isa::Portable)
}

#[test]
fn a_perceptron() {
    let x: [f32; 20] = numbers(3, 20).try_into().unwrap();
    let expected = truth(&nets::mlp(), 0, &[("x", &x)]);
    let mut net = Mlp::new();
    close(net.forward(&x), of(&expected, "out"));
    let reference = *net.forward_reference(&x);
    close(&reference, of(&expected, "out"));
    for isa in fused() {
        assert_eq!(bits(net.forward_on(isa, &x).unwrap()), bits(&reference), "{isa}");
    }
    close(net.forward_on(Isa::Portable, &x).unwrap(), &reference);
}

#[test]
fn a_convolutional_network() {
    let mut image = [[[0.0; 1]; 12]; 12];
    image.as_flattened_mut().as_flattened_mut().copy_from_slice(&numbers(5, 144));
    let expected = truth(&nets::cnn(), 0, &[("image", image.as_flattened().as_flattened())]);
    let mut net = Cnn::boxed();
    close(net.forward(&image), of(&expected, "out"));
    let reference = *net.forward_reference(&image);
    for isa in fused() {
        assert_eq!(bits(net.forward_on(isa, &image).unwrap()), bits(&reference), "{isa}");
    }
}

#[test]
fn states_last_from_call_to_call() {
    let network = nets::recurrent();
    let mut net = Recurrent::new();
    let mut h = vec![0.0; 9];
    for step in 0..5 {
        let x: [f32; 6] = numbers(step + 11, 6).try_into().unwrap();
        let expected = truth(&network, 0, &[("x", &x), ("gain", &[1.5]), ("rnn.h", &h)]);
        let (y, after) = net.step(&x, 1.5);
        close(y, of(&expected, "out0"));
        close(after, of(&expected, "out1"));
        h = of(&expected, "rnn.h").to_vec();
        close(&net.state().rnn.h, &h);
    }
    let saved = net.state().to_bytes();
    assert_eq!(saved.len(), RecurrentState::BYTES);
    let x = [0.25; 6];
    let (first, _) = net.step(&x, 1.0);
    let first = *first;
    *net.state_mut() = RecurrentState::from_bytes(&saved).unwrap();
    assert_eq!(bits(net.step(&x, 1.0).0), bits(&first));
    net.reset();
    assert_eq!(net.state().rnn.h, [0.0; 9]);
    assert!(RecurrentState::from_bytes(&saved[1..]).is_err());
}

#[test]
fn entries_share_weights() {
    let network = nets::recurrent();
    let z: [f32; 9] = numbers(2, 9).try_into().unwrap();
    let expected = truth(&network, 1, &[("z", &z)]);
    let mut net = Recurrent::new();
    close(net.head(&z), of(&expected, "out"));
    // Two matrices and a bias of 64-byte multiples: the head's only once.
    assert_eq!(Recurrent::WEIGHT_BYTES, 4 * (6 * 9usize + 9 * 9 + 9 * 3 + 3).next_multiple_of(16) + 3 * 64 - 64);
}

#[test]
fn batches_equal_single_samples() {
    let mut net = Cnn::boxed();
    let mut images = [[[[0.0; 1]; 12]; 12]; 15];
    images.as_flattened_mut().as_flattened_mut().as_flattened_mut().copy_from_slice(&numbers(9, 15 * 144));
    let singles: Vec<[f32; 10]> = images.iter().map(|image| *net.forward(image)).collect();
    // 8 + 4 + 1 + 1 + 1
    let mut many = [[0.0; 10]; 15];
    net.forward_many(&images, &mut many).unwrap();
    let eight = *net.forward_batch(images.first_chunk().unwrap());
    for (i, single) in singles.iter().enumerate() {
        close(&many[i], single);
        if i < 8 {
            close(&eight[i], single);
        }
    }
    assert!(net.forward_many(&images, &mut many[1..]).is_err());
}

#[test]
fn a_large_network_is_built_on_a_small_stack() {
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let run = || {
        let mut net = Deep::boxed();
        let x = Box::new([1.0; 1024]);
        net.forward(&x, &[[1.0; 1024]])[1023][1023]
    };
    assert_eq!(small.spawn(run).unwrap().join().unwrap(), 0.0);
    const { assert!(Deep::ARENA_BYTES > 4 << 20) };
    assert_eq!(Deep::WEIGHT_BYTES, 4 * 4 * (1024 * 1024 + 1024));
}

#[test]
fn layers_describe_themselves() {
    let names: Vec<&str> = Deep::LAYERS.iter().map(|l| l.name).collect();
    assert_eq!(names, ["layers.0", "layers.1", "layers.2", "layers.3"]);
    assert_eq!(Deep::PARAMS, 4 * (1024 * 1024 + 1024));
    assert_eq!(Deep::MACS, 4 * 1024 * 1024);
    for layer in Deep::LAYERS.iter().chain(Cnn::LAYERS) {
        assert!(layer.code.contains("cycles"), "{layer:?}");
    }
    // Equal layers have one code.
    assert_eq!(Deep::LAYERS[1].code, Deep::LAYERS[2].code);
}

/// The weights of a network as a safetensors file.
fn file(network: &Network) -> Vec<u8> {
    let (mut header, mut data) = (String::from("{"), Vec::new());
    for weight in &network.weights {
        let start = data.len();
        data.extend(weight.values.as_ref().expect("values").iter().flat_map(|v| (*v as f32).to_le_bytes()));
        let comma = if start == 0 { "" } else { "," };
        header += &format!(
            "{comma}{:?}:{{\"dtype\":\"F32\",\"shape\":{:?},\"data_offsets\":[{start},{}]}}",
            weight.key,
            weight.shape,
            data.len()
        );
    }
    header.push('}');
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

#[test]
fn weights_are_loaded_at_run_time() {
    let mut image = [[[0.0; 1]; 12]; 12];
    image.as_flattened_mut().as_flattened_mut().copy_from_slice(&numbers(5, 144));
    let mut weights = LoadedWeights::boxed();
    LoadedWeights::load_into(&mut weights, &file(&nets::cnn())).unwrap();
    let mut fixed = Cnn::boxed();
    let (mut one, mut two) = (Loaded::new(&weights), Loaded::boxed(&weights));
    let expected = bits(fixed.forward(&image));
    assert_eq!(bits(one.forward(&image)), expected);
    assert_eq!(bits(two.forward(&image)), expected);
    // A file that does not fit changes nothing.
    let mut other = nets::cnn();
    let short: Vec<usize> = vec![9, 1];
    other.weights[1].shape = short.clone();
    other.weights[1].values = Some(vec![0.0; 9].into());
    let mut kept = LoadedWeights::boxed();
    LoadedWeights::load_into(&mut kept, &file(&nets::cnn())).unwrap();
    let error = LoadedWeights::load_into(&mut kept, &file(&other)).unwrap_err();
    let expected_error = WeightsError::Shape { key: other.weights[1].key.clone(), expected: vec![8], found: short };
    assert_eq!(error, expected_error);
    assert_eq!(bits(Loaded::new(&kept).forward(&image)), expected);
}

#[test]
fn calls_allocate_nothing() {
    // Set by users who force an instruction set; reading it copies it.
    if std::env::var_os("KERNFORGE_ISA").is_some() {
        println!("skipped: KERNFORGE_ISA is set, and the first call allocates its value");
        return;
    }
    let before = COUNT.get();
    let (mut cnn, mut recurrent) = (Cnn::new(), Recurrent::new());
    let images = [[[[0.5; 1]; 12]; 12]; 9];
    let mut out = [[0.0; 10]; 9];
    cnn.forward(&images[0]);
    cnn.forward_reference(&images[0]);
    cnn.forward_many(&images, &mut out).unwrap();
    for isa in Isa::ALL {
        let _ = cnn.forward_on(isa, &images[0]);
    }
    recurrent.step(&[0.5; 6], 2.0);
    recurrent.reset();
    assert_eq!(COUNT.get() - before, 0);
    let _counted = Cnn::boxed();
    assert_eq!(COUNT.get() - before, 1);
}

#[test]
fn a_profile_names_the_layers() {
    let mut net = Recurrent::new();
    net.step(&[0.5; 6], 2.0);
    let before = net.state().rnn.h;
    let profile = net.profile();
    assert_eq!(net.state().rnn.h, before);
    assert_eq!(profile.isa, Recurrent::isa());
    let names: Vec<&str> = profile.rows.iter().map(|r| r.layer.name).collect();
    assert_eq!(names, ["rnn", "head"]);
    assert!(profile.rows.iter().all(|r| r.cycles > 0.0));
    let table = profile.to_string();
    assert!(table.lines().count() == 4 && table.contains("head"), "{table}");
}

/// One network of [`nets::pruned`]: near its graph's meaning, and of the reference's bits.
macro_rules! leaves_out_zeros {
    ($pruned:expr, $net:ident) => {{
        let network = $pruned.iter().find(|n| n.name == stringify!($net)).expect("a network");
        let network = kernforge_compiler::network::prune::apply(network).ok().expect("rules that fit");
        let x = std::array::from_fn(|i| ((i * 37 % 19) as f32 - 9.0) / 8.0);
        let expected = truth(&network, 0, &[("x", &x)]);
        let mut net = compiled::$net::new();
        close(net.forward(&x), of(&expected, "out"));
        let reference = *net.forward_reference(&x);
        for isa in fused() {
            assert_eq!(bits(net.forward_on(isa, &x).unwrap()), bits(&reference), "{isa}");
        }
        close(net.forward_on(Isa::Portable, &x).unwrap(), &reference);
        compiled::$net::LAYERS[0].code
    }};
}

#[test]
fn zeros_are_left_out_at_every_density() {
    let pruned = nets::pruned();
    let code = [
        leaves_out_zeros!(pruned, Pruned0),
        leaves_out_zeros!(pruned, Pruned10),
        leaves_out_zeros!(pruned, Pruned20),
        leaves_out_zeros!(pruned, Pruned30),
        leaves_out_zeros!(pruned, Pruned40),
        leaves_out_zeros!(pruned, Pruned50),
        leaves_out_zeros!(pruned, Pruned60),
        leaves_out_zeros!(pruned, Pruned70),
        leaves_out_zeros!(pruned, Pruned80),
        leaves_out_zeros!(pruned, Pruned90),
        leaves_out_zeros!(pruned, Pruned100),
    ];
    assert!(code[1].starts_with("unrolled: 864 of 960 weights are zero"), "{}", code[1]);
    assert!(!code[10].contains("zero"), "{}", code[10]);
    let rows = leaves_out_zeros!(pruned, Rows);
    assert!(rows.starts_with("rows: 8064 of 12288 weights are zero, 42 of 64 rows are skipped"), "{rows}");
}
