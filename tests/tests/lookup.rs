//! `embedding` in compiled code: the row that an id names, zeros where it names none, nothing read outside.

use kernforge::{Isa, kernel, network};

#[kernel]
pub fn wide(ids: Tensor![i32; 2, 5], table: Tensor![f32; 7, 19]) -> Tensor![f32; 2, 5, 19] {
    embedding(ids, table)
}

/// Ids of every integer type, a row that is one number, and arithmetic on what was looked up.
#[kernel]
pub fn mixed(
    a: Tensor![u8; 9],
    b: Tensor![i8; 9],
    c: Tensor![u16; 9],
    d: Tensor![u32; 9],
    one: Tensor![f32; 6, 1],
    table: Tensor![f64; 6, 4],
) -> Tensor![f64; 9, 4] {
    let narrow = embedding(a, one as f64);
    embedding(b, table) + 2.0 * embedding(c, table) * narrow - sqrt(embedding(d, table))
}

/// An id by value.
#[kernel]
pub fn single(id: u32, table: Tensor![f32; 6, 8]) -> Tensor![f32; 8] {
    relu(embedding(id, table))
}

/// The embedding of what the network itself chooses.
#[network(weights = seeded(5), batch = [1, 3])]
impl Chooser {
    pub fn forward(&mut self, x: Tensor![f32; 4, 6]) -> Tensor![f32; 4, 10] {
        let scores = linear(x, 12);
        let embed = embedding(argmax(scores), 12, 10);
        embed
    }
}

fn value(i: usize) -> f32 {
    (i * 7919 % 97) as f32 - 30.0
}

fn row<const D: usize>(id: i64, table: &[[f32; D]]) -> [f32; D] {
    usize::try_from(id).ok().and_then(|row| table.get(row)).copied().unwrap_or([0.0; D])
}

#[test]
fn every_id_is_safe() {
    let table: [[f32; 19]; 7] = std::array::from_fn(|i| std::array::from_fn(|j| value(i * 19 + j)));
    let ids = [[0, 6, 3, 7, -1], [i32::MAX, i32::MIN, 2, 5, 100]];
    let expected = ids.map(|row_of| row_of.map(|id| row(i64::from(id), &table)));
    let mut found = [[[9.0; 19]; 5]; 2];
    wide::reference(&ids, &table, &mut found);
    assert_eq!(found, expected);
    for isa in kernforge::cpu::available() {
        let mut found = [[[9.0; 19]; 5]; 2];
        wide::on(isa, &ids, &table, &mut found).unwrap();
        assert_eq!(found, expected, "{isa}");
    }
}

#[test]
fn ids_of_every_type() {
    let one: [[f32; 1]; 6] = std::array::from_fn(|i| [value(i)]);
    let table: [[f64; 4]; 6] = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(value(i * 4 + j)).abs()));
    let (a, b) = ([0, 5, 6, 255, 1, 2, 3, 4, 0], [-128, 127, 0, 1, 2, 3, 4, 5, 6]);
    let (c, d) = ([65535, 3, 1, 0, 5, 6, 2, 2, 4], [u32::MAX, 1 << 24, 16_777_217, 0, 1, 2, 3, 4, 5]);
    let mut expected = [[9.0; 4]; 9];
    mixed::reference(&a, &b, &c, &d, &one, &table, &mut expected);
    for (t, row) in expected.iter().enumerate() {
        let at = |id: i64, j: usize| usize::try_from(id).ok().and_then(|i| table.get(i)).map_or(0.0, |row| row[j]);
        let narrow = f64::from(one.get(usize::from(a[t])).map_or(0.0, |row| row[0]));
        for (j, found) in row.iter().enumerate() {
            let by_hand =
                at(i64::from(b[t]), j) + 2.0 * at(i64::from(c[t]), j) * narrow - at(i64::from(d[t]), j).sqrt();
            assert!((found - by_hand).abs() < 1e-9, "{t} {j}: {found} by hand {by_hand}");
        }
    }
    for isa in kernforge::cpu::available().filter(|isa| *isa != Isa::Portable) {
        let mut found = [[9.0; 4]; 9];
        mixed::on(isa, &a, &b, &c, &d, &one, &table, &mut found).unwrap();
        assert_eq!(found, expected, "{isa}");
    }
}

#[test]
fn an_id_by_value() {
    let table: [[f32; 8]; 6] = std::array::from_fn(|i| std::array::from_fn(|j| value(i * 8 + j)));
    for id in [0, 5, 6, u32::MAX] {
        let expected = row(i64::from(id), &table).map(|v| v.max(0.0));
        for isa in kernforge::cpu::available() {
            let mut found = [9.0; 8];
            single::on(isa, id, &table, &mut found).unwrap();
            assert_eq!(found, expected, "{isa}: {id}");
        }
    }
}

#[test]
fn a_network_that_looks_up_what_it_chose() {
    let samples: Vec<[[f32; 6]; 4]> =
        (0..5).map(|s| std::array::from_fn(|t| std::array::from_fn(|i| value(s * 24 + t * 6 + i) / 30.0))).collect();
    let (mut net, mut out) = (Chooser::new(), [[[9.0; 10]; 4]; 5]);
    net.forward_many(&samples, &mut out).unwrap();
    let mut different = std::collections::BTreeSet::new();
    for (x, out) in samples.iter().zip(&out) {
        let reference = *net.forward_reference(x);
        assert_eq!(*out, reference);
        for isa in kernforge::cpu::available().filter(|isa| *isa != Isa::Portable) {
            assert_eq!(*net.forward_on(isa, x).unwrap(), reference, "{isa}");
        }
        different.extend(reference.iter().map(|row| row.map(f32::to_bits)));
    }
    assert!(different.len() > 2, "the network chooses");
}
