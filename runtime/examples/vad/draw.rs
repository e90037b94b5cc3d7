//! Loudness and probability of speech along time.

use std::fmt::Write;

/// A second of sound has this many samples.
const RATE: f32 = 16_000.0;
/// Characters of a row in the terminal.
const COLUMNS: usize = 75;

/// Above this, it is speech.
const THRESHOLD: f32 = 0.5;

/// The largest magnitude in each of `count` equal parts.
fn peaks(values: &[f32], count: usize) -> Vec<f32> {
    (0..count)
        .map(|part| {
            let range = part * values.len() / count..(part + 1) * values.len() / count;
            values.get(range).unwrap_or_default().iter().fold(0.0f32, |peak, value| peak.max(value.abs()))
        })
        .collect()
}

/// The mean in each of `count` equal parts.
fn means(values: &[f32], count: usize) -> Vec<f32> {
    (0..count)
        .map(|part| {
            let range = part * values.len() / count..(part + 1) * values.len() / count;
            let values = values.get(range).unwrap_or_default();
            values.iter().sum::<f32>() / values.len().max(1) as f32
        })
        .collect()
}

/// Two curves of blocks, loudness above and probability below, and a row of seconds.
pub fn terminal(samples: &[f32], probabilities: &[f32]) -> String {
    let loudness = peaks(samples, COLUMNS);
    let loudest = loudness.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let mut text = String::from("loudness\n");
    curve(&mut text, &loudness.iter().map(|value| value / loudest).collect::<Vec<_>>(), 3);
    text.push_str("probability of speech\n");
    curve(&mut text, &means(probabilities, COLUMNS), 5);
    let seconds = samples.len() as f32 / RATE;
    let mut scale = String::new();
    for second in (0..=seconds as usize).step_by(2) {
        let column = (second as f32 / seconds * COLUMNS as f32) as usize;
        let _ = write!(scale, "{:width$}{second} s", "", width = column.saturating_sub(scale.len()));
    }
    text.push_str(scale.trim_end());
    text.push_str("\n\n");
    text
}

/// Values from 0 to 1 as columns of eighths, `rows` characters high.
fn curve(text: &mut String, values: &[f32], rows: usize) {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    for row in (0..rows).rev() {
        let line: String = values
            .iter()
            .map(|value| {
                let eighths = (value * (8 * rows) as f32).round() as usize;
                EIGHTHS[eighths.saturating_sub(8 * row).min(8)]
            })
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// The same as a picture: the wave in grey, coloured where it is speech, and the probability over it.
pub fn svg(samples: &[f32], probabilities: &[f32]) -> String {
    const WIDTH: f32 = 900.0;
    const HEIGHT: f32 = 160.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        HEIGHT + 24.0
    );
    let columns = 2 * probabilities.len();
    let step = WIDTH / columns as f32;
    for (column, peak) in peaks(samples, columns).into_iter().enumerate() {
        let speech = probabilities.get(column / 2).is_some_and(|p| *p > THRESHOLD);
        let colour = if speech { "#e88264" } else { "#bbbbbb" };
        let half = (peak * HEIGHT / 2.0).max(0.5);
        let _ = writeln!(
            text,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{step:.2}\" height=\"{:.1}\" fill=\"{colour}\"/>",
            column as f32 * step,
            HEIGHT / 2.0 - half,
            2.0 * half
        );
    }
    text.push_str("<polyline fill=\"none\" stroke=\"#1f5aa0\" stroke-width=\"1.5\" points=\"");
    for (block, probability) in probabilities.iter().enumerate() {
        let _ = write!(text, "{:.1},{:.1} ", (2 * block + 1) as f32 * step, 4.0 + (1.0 - probability) * (HEIGHT - 8.0));
    }
    text.push_str("\"/>\n");
    let seconds = samples.len() as f32 / RATE;
    for second in 0..seconds.ceil() as usize {
        let x = second as f32 / seconds * WIDTH;
        let _ = writeln!(text, "<text x=\"{:.0}\" y=\"{}\">{second} s</text>", x + 2.0, HEIGHT + 18.0);
    }
    text.push_str("</svg>\n");
    text
}
