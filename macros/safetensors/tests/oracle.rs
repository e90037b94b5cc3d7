//! The reader against the `safetensors` crate, which defines the format.

use kernforge_safetensors::{Dtype, Header, write};
use proptest::prelude::*;
use safetensors::tensor::{Dtype as Theirs, TensorView};
use safetensors::{SafeTensors, serialize};

const TYPES: [(Theirs, Dtype, usize); 6] = [
    (Theirs::F32, Dtype::F32, 4),
    (Theirs::F64, Dtype::F64, 8),
    (Theirs::F16, Dtype::F16, 2),
    (Theirs::BF16, Dtype::Bf16, 2),
    (Theirs::I64, Dtype::I64, 8),
    (Theirs::U8, Dtype::U8, 1),
];

/// A file of tensors with the given names, types and shapes, filled with their index.
fn file(tensors: &[(String, usize, Vec<usize>)]) -> Vec<u8> {
    let data: Vec<Vec<u8>> = tensors
        .iter()
        .enumerate()
        .map(|(i, (_, t, shape))| vec![i as u8; TYPES[*t].2 * shape.iter().product::<usize>()])
        .collect();
    let views = tensors
        .iter()
        .zip(&data)
        .map(|((name, t, shape), bytes)| (name.clone(), TensorView::new(TYPES[*t].0, shape.clone(), bytes).unwrap()));
    let about = [("format".to_string(), "p\"t".to_string())].into_iter().collect();
    serialize(views, Some(about)).unwrap()
}

fn tensors() -> impl Strategy<Value = Vec<(String, usize, Vec<usize>)>> {
    let one = (".*", 0..TYPES.len(), prop::collection::vec(0..4usize, 0..4));
    prop::collection::vec(one, 0..6).prop_map(|mut all| {
        all.sort();
        all.dedup_by(|a, b| a.0 == b.0);
        all.retain(|t| t.0 != "__metadata__");
        all
    })
}

proptest! {
    #[test]
    fn what_they_write_reads_back(tensors in tensors()) {
        let file = file(&tensors);
        let header = Header::parse(&file).unwrap();
        prop_assert_eq!(header.tensors().len(), tensors.len());
        for (i, (name, t, shape)) in tensors.iter().enumerate() {
            let found = header.get(name).unwrap();
            prop_assert_eq!(&found.dtype, &TYPES[*t].1);
            prop_assert_eq!(&found.shape, shape);
            prop_assert_eq!(found.bytes(&file), vec![i as u8; TYPES[*t].2 * found.len()]);
        }
    }

    #[test]
    fn what_we_write_they_read(tensors in tensors()) {
        let data: Vec<Vec<u8>> = tensors.iter().enumerate().map(|(i, (_, t, shape))| vec![i as u8; TYPES[*t].2 * shape.iter().product::<usize>()]).collect();
        let each = tensors.iter().zip(&data).map(|((name, t, shape), bytes)| (name.as_str(), &TYPES[*t].1, &shape[..], &bytes[..]));
        let file = write(each);
        let read = SafeTensors::deserialize(&file).unwrap();
        prop_assert_eq!(read.len(), tensors.len());
        for ((name, t, shape), bytes) in tensors.iter().zip(&data) {
            let found = read.tensor(name).unwrap();
            prop_assert_eq!(found.dtype(), TYPES[*t].0);
            prop_assert_eq!(found.shape(), &shape[..]);
            prop_assert_eq!(found.data(), &bytes[..]);
        }
    }

    /// A damaged file is read by both to the same, or refused by both.
    #[test]
    fn damage_is_found_by_both(tensors in tensors(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut file = file(&tensors);
        let at = at.index(file.len());
        if cut { file.truncate(at) } else { file[at] = byte }
        let theirs = SafeTensors::deserialize(&file);
        match Header::parse(&file) {
            Ok(header) => {
                let theirs = theirs.map_err(|e| TestCaseError::fail(format!("only they refuse: {e}")))?;
                prop_assert_eq!(header.tensors().len(), theirs.len());
                for tensor in header.tensors() {
                    let other = theirs.tensor(&tensor.name).unwrap();
                    prop_assert_eq!(&tensor.shape[..], other.shape());
                    prop_assert_eq!(tensor.bytes(&file), other.data());
                }
            }
            Err(e) => prop_assert!(theirs.is_err(), "only we refuse: {e}"),
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(Header::parse(&bytes).is_ok(), SafeTensors::deserialize(&bytes).is_ok());
    }
}

/// A file with this header and this many bytes of data.
fn with_header(json: &str, data: usize) -> Vec<u8> {
    let mut file = (json.len() as u64).to_le_bytes().to_vec();
    file.extend(json.bytes());
    file.extend(vec![0; data]);
    file
}

#[test]
fn mistakes_say_what_is_wrong() {
    let a = r#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
    for (json, data, message) in [
        ("{".to_string(), 0, "byte 1 of its header: expected a string"),
        (format!("{{{a},{a}}}"), 8, "tensor `a` is in it twice"),
        (format!("{{{a}}}"), 4, "its tensors take 8 bytes, but it has 4: was it cut short?"),
        (format!("{{{a}}}"), 9, "its tensors take 8 bytes, but it has 9"),
        (format!("{{{a}}} x"), 8, "expected the end"),
        (format!("{{{a}, {}}}", a.replace("\"a\"", "\"b\"")), 16, "tensor `b` overlaps the tensor before it"),
        (format!("{{{}}}", a.replace("[0,8]", "[4,12]")), 12, "tensor `a` leaves a gap before it"),
        (format!("{{{}}}", a.replace("[2]", "[3]")), 8, "tensor `a` of type F32 and shape [3] has 8 bytes"),
        (format!("{{{}}}", a.replace("F32", "F31")), 8, "tensor `a` has the unknown type `F31`"),
        (format!("{{{}}}", a.replace("[0,8]", "[8,0]")), 8, "not [start, end]"),
        (format!("{{{}}}", a.replace("\"shape\":[2],", "")), 8, "tensor `a` has no `shape`"),
        (
            format!("{{{}}}", a.replace("[2]", "[4294967296,4294967296,4294967296]")),
            8,
            "shape [4294967296, 4294967296, 4294967296] has 8 bytes",
        ),
    ] {
        let error = Header::parse(&with_header(&json, data)).unwrap_err().to_string();
        assert!(error.contains(message), "{json}: {error}");
    }
    assert!(Header::parse(&[1, 2, 3]).unwrap_err().to_string().contains("3 bytes"));
    let huge = Header::parse(&[0xff; 20]).unwrap_err().to_string();
    assert!(huge.contains("18446744073709551615 bytes, but 12 follow"), "{huge}");
}
