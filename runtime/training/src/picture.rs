//! A grid of small images as one PNG file.

use crate::error::Error;
use crate::record::replace;
use png::{BitDepth, ColorType, Encoder};
use std::io;
use std::path::Path;

/// Red, green and blue of 28×28 pixels.
pub type Tile = [[[u8; 3]; 28]; 28];

/// Each pixel is a square of this many.
const SCALE: usize = 4;
/// Pixels between tiles.
const GAP: usize = 6;
const BACKGROUND: u8 = 200;

/// A grey image as a tile.
pub fn grey(image: &[[[u8; 1]; 28]; 28]) -> Tile {
    image.map(|row| row.map(|[level]| [level; 3]))
}

/// An attribution as grey levels around 128 (`attribute::heat`) as a tile: white is no influence, red speaks for the
/// answer, blue against it.
pub fn heat(levels: &[[u8; 28]; 28]) -> Tile {
    levels.map(|row| {
        row.map(|level| {
            let away = level.abs_diff(128).saturating_mul(2);
            if level >= 128 { [255, 255 - away, 255 - away] } else { [255 - away, 255 - away, 255] }
        })
    })
}

/// Writes rows of tiles; shorter rows end with background.
pub fn png(path: &Path, rows: &[Vec<Tile>]) -> Result<(), Error> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let extent = |tiles: usize| tiles * (28 * SCALE + GAP) + GAP;
    let (width, height) = (extent(columns), extent(rows.len()));
    let mut pixels = vec![BACKGROUND; 3 * width * height];
    for (r, row) in rows.iter().enumerate() {
        for (c, tile) in row.iter().enumerate() {
            for (y, line) in pixels.chunks_exact_mut(3 * width).skip(extent(r)).take(28 * SCALE).enumerate() {
                for (x, pixel) in line.as_chunks_mut::<3>().0.iter_mut().skip(extent(c)).take(28 * SCALE).enumerate() {
                    *pixel = tile[y / SCALE][x / SCALE];
                }
            }
        }
    }
    replace(path, |file| {
        let mut encoder = Encoder::new(file, width as u32, height as u32);
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
        written.map_err(io::Error::other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_come_back() {
        let path = std::env::temp_dir().join(format!("kernforge-picture-{}.png", std::process::id()));
        let mut levels = [[128; 28]; 28];
        levels[27][0] = 255;
        levels[0][27] = 1;
        png(&path, &[vec![grey(&[[[7]; 28]; 28]), heat(&levels)], vec![]]).unwrap();
        let decoder = png::Decoder::new(io::BufReader::new(std::fs::File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        std::fs::remove_file(&path).unwrap();
        let width = 2 * (28 * SCALE + GAP) + GAP;
        assert_eq!((info.width as usize, info.height as usize), (width, width));
        let at = |x: usize, y: usize| &pixels[3 * (y * width + x)..][..3];
        let second = 28 * SCALE + 2 * GAP;
        let last = 28 * SCALE - 1;
        assert_eq!(at(0, 0), [BACKGROUND; 3]);
        assert_eq!(at(GAP, GAP), [7; 3]);
        assert_eq!(at(second, GAP), [255; 3]);
        assert_eq!(at(second, GAP + last), [255, 1, 1]); // for the answer
        assert_eq!(at(second + last, GAP), [1, 1, 255]); // against it
        assert_eq!(at(GAP, second), [BACKGROUND; 3]);
    }
}
