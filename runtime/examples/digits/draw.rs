//! Images as text: a half block is two pixels.

use crate::data::Image;

/// How many fit into 80 columns.
pub const PER_ROW: usize = 3;

/// The images beside each other, each with its caption below.
pub fn side_by_side(images: &[(&Image, String)]) -> String {
    let mut text = String::new();
    // The outermost rows and columns are always empty.
    for row in (2..26).step_by(2) {
        for (image, _) in images {
            for column in 1..27 {
                let ink = |row: usize| image[row][column][0] > 0.4;
                text.push(match (ink(row), ink(row + 1)) {
                    (false, false) => ' ',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (true, true) => '█',
                });
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    for (_, caption) in images {
        text.push_str(&format!("{caption:^26}"));
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
    text
}
