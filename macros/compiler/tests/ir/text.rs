//! Prints read back equal, and no text makes a reader panic.

use crate::ir::random;
use kernforge_compiler::{graph, kernel_ir, scalar, schedule, vir};
use proptest::prelude::*;

const CASES: u32 = 500;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_come_back(block in random::block(9)) {
        let text = block.to_string();
        prop_assert_eq!(scalar::read::read(&text), Ok(block), "{}", text);
    }

    #[test]
    fn kernels_and_schedules_come_back((kernel, schedule) in random::kernel_and_schedule()) {
        let text = kernel.to_string();
        let read = kernel_ir::read::read(&text);
        // Kernels hold NaN constants, which only blocks compare by their bits.
        prop_assert_eq!(format!("{read:?}"), format!("{:?}", Ok::<_, String>(&kernel)), "{}", text);
        let text = schedule.display(&kernel).to_string();
        prop_assert_eq!(schedule::read::read(&text, &kernel), Ok(schedule), "{}", text);
    }

    #[test]
    fn graphs_come_back(graph in random::graph()) {
        let text = graph.to_string();
        let read = graph::read::parse(&text);
        prop_assert_eq!(format!("{read:?}"), format!("{:?}", Ok::<_, String>(&graph)), "{}", text);
    }

    #[test]
    fn code_comes_back(code in random::code()) {
        let text = code.to_string();
        let read = vir::read::read(&text);
        prop_assert_eq!(format!("{read:?}"), format!("{:?}", Ok::<_, String>(&code)), "{}", text);
    }

    #[test]
    fn words_in_any_order_do_not_panic(text in random::words()) {
        read_all(&text);
        read_all(&format!("graph f {{ in x: f32[4] n0: f32[4] = param x {text}"));
        read_all(&format!("kernel f: f32 {{ in x: f32[4] parallel m < 2 {{ {text}"));
        read_all(&format!("code f: f32 for avx2 {{ in x: f32[4] regs r0..r4 of 4 {text}"));
    }

    #[test]
    fn characters_in_any_order_do_not_panic(text in "(?s).{0,60}") {
        read_all(&text);
    }

    #[test]
    fn damaged_prints_do_not_panic(
        (kernel, schedule) in random::kernel_and_schedule(),
        code in random::code(),
        graph in random::graph(),
        cut in (0usize..4000, 0usize..40),
        insert in "(?s).{0,3}",
    ) {
        for text in [graph.to_string(), kernel.to_string(), code.to_string(), schedule.display(&kernel).to_string()] {
            let chars: Vec<char> = text.chars().collect();
            let start = cut.0 % (chars.len() + 1);
            let end = (start + cut.1).min(chars.len());
            let damaged: String = chars[..start].iter().chain(&insert.chars().collect::<Vec<_>>()).chain(&chars[end..]).collect();
            read_all(&damaged);
            let _ = schedule::read::read(&damaged, &kernel);
        }
    }
}

fn read_all(text: &str) {
    let _ = scalar::read::read(text);
    let _ = vir::read::read(text);
    let _ = graph::read::read(text);
    if let Ok(kernel) = kernel_ir::read::read(text) {
        let _ = schedule::read::read(text, &kernel);
    }
}

#[test]
fn nesting_has_an_end() {
    let deep = "(".repeat(100_000);
    assert!(scalar::read::read(&deep).unwrap_err().contains("nested deeper"));
    let loops = "for i in 0..1 { ".repeat(100_000);
    assert!(vir::read::read(&format!("code f: f32 for avx2 {{ {loops}")).unwrap_err().contains("nested deeper"));
    assert!(vir::read::read("code f: f32 for avx2 { regs r0..r4000000000 of 4 }").is_err());
}

#[test]
fn mistakes_have_a_place() {
    let text = "kernel f: f32 {\n  in x: f32[4]\n  parallel m < 4 {\n    y[m] = x[m]\n  }\n}\n";
    assert_eq!(kernel_ir::read::read(text), Err("line 4, column 5: there is no buffer `y`".to_string()));
}

/// A long chain is cut into named pieces, and a shared value is printed once.
#[test]
fn expressions_stay_readable() {
    use kernforge_compiler::scalar::{Block, Node, Prim};
    let mut block = Block::new();
    let x = block.push(Node::Load(0));
    let mut value = x;
    for i in 0..60 {
        let c = block.constant(f64::from(i));
        value = block.prim(Prim::Fma, &[value, x, c]);
    }
    let text = block.to_string();
    assert!(text.lines().count() > 5 && text.lines().all(|l| l.len() < 120), "{text}");
    assert_eq!(scalar::read::read(&text), Ok(block));
}
