//! Attributions as pictures.

use crate::math::Float;

/// An attribution of an image as grey levels: 128 where nothing depends on a pixel, up to 255 where it speaks for the
/// output, down to 1 where it speaks against it. Channels are added; the largest magnitude reaches the end of the
/// scale. A number that is not finite is 0.
pub fn heat<T: Float, const H: usize, const W: usize, const C: usize>(map: &[[[T; C]; W]; H]) -> [[u8; W]; H] {
    let pixel = |channels: &[T; C]| channels.iter().map(|c| Float::to_f64(*c)).sum::<f64>();
    let size = |p: f64| if p.is_finite() { if p < 0.0 { -p } else { p } } else { 0.0 };
    let largest = map.as_flattened().iter().map(|p| size(pixel(p))).fold(0.0, f64::max);
    let mut levels = [[0; W]; H];
    for (level, channels) in levels.as_flattened_mut().iter_mut().zip(map.as_flattened()) {
        let value = pixel(channels);
        *level = match value.is_finite() {
            true if largest > 0.0 => (128.5 + 127.0 * (value / largest)) as u8,
            true => 128,
            false => 0,
        };
    }
    levels
}

/// Writes grey levels as a binary PGM file (Netpbm's `P5`), which most viewers read.
#[cfg(feature = "std")]
pub fn write_pgm<const H: usize, const W: usize>(
    to: &mut impl std::io::Write,
    image: &[[u8; W]; H],
) -> std::io::Result<()> {
    write!(to, "P5\n{W} {H}\n255\n")?;
    to.write_all(image.as_flattened())
}
