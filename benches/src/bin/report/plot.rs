//! The SVG plots: a group of bars for each shape.

use crate::measured::Measured;
use kernforge_benches::entries::KERNFORGE;
use kernforge_benches::machine::Machine;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;

/// In the order of the entries: the kernel, the generic loops in grey, the rivals in colours that also differ
/// in lightness.
const COLOURS: [RGBColor; 9] = [
    RGBColor(200, 60, 30),
    RGBColor(120, 120, 120),
    RGBColor(190, 190, 190),
    RGBColor(31, 90, 160),
    RGBColor(110, 170, 220),
    RGBColor(40, 140, 80),
    RGBColor(150, 205, 130),
    RGBColor(130, 80, 160),
    RGBColor(205, 165, 215),
];
const BAR: i32 = 9;
const GAP: i32 = 14;
const LEFT: i32 = 60;
const TOP: i32 = 56;
const HEIGHT: i32 = 300;
const LABELS: i32 = 190;

/// Draws one group: percent of the core's FMA peak, or GB/s where multiply-adds are not what is done.
pub fn svg(path: &Path, group: &str, measured: &[Measured], machine: &Machine) -> Result<(), Box<dyn Error>> {
    let Some(first) = measured.first() else { return Ok(()) };
    let of_peak = first.case.problem.flops().is_some();
    let value = |m: &Measured, ns: f64| if of_peak { 100.0 * m.rate(ns) / m.best_peak() } else { m.rate(ns) };

    let mut names: Vec<&str> = Vec::new();
    for (name, _) in measured.iter().flat_map(|m| &m.entries) {
        // The forced copies are in the table; the plot shows what a user calls.
        if (name == KERNFORGE || !name.starts_with(KERNFORGE)) && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let highest = measured
        .iter()
        .flat_map(|m| names.iter().filter_map(|name| m.ns(name)).map(|ns| value(m, ns)))
        .fold(if of_peak { 100.0 } else { 0.0 }, f64::max);
    let step = nice_step(highest);
    let top_value = (highest / step).ceil() * step;
    let y_of = |value: f64| TOP + HEIGHT - (value / top_value * f64::from(HEIGHT)) as i32;

    let group_width = BAR * names.len() as i32 + GAP;
    let width = (LEFT + group_width * measured.len() as i32 + 20).max(760);
    let size = (width as u32, (TOP + HEIGHT + LABELS) as u32);
    let root = SVGBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    let text = |size: i32| ("sans-serif", size).into_font().color(&BLACK);

    let unit = if of_peak { "% of this core's FMA peak" } else { "GB/s, operands read once, results written once" };
    root.draw(&Text::new(format!("{group}, f32, one thread: {unit}"), (LEFT, 6), text(15)))?;
    root.draw(&Text::new(machine.line(), (LEFT, TOP + HEIGHT + LABELS - 16), text(10)))?;
    let mut x = LEFT;
    for (name, colour) in names.iter().zip(COLOURS.iter().cycle()) {
        root.draw(&Rectangle::new([(x, 30), (x + 10, 40)], colour.filled()))?;
        root.draw(&Text::new(name.to_string(), (x + 14, 29), text(12)))?;
        x += 14 + 7 * name.chars().count() as i32 + 14;
    }

    let ticks = (top_value / step).round() as i32;
    for tick in 0..=ticks {
        let tick_value = f64::from(tick) * step;
        let y = y_of(tick_value);
        let shade = if of_peak && tick_value == 100.0 { BLACK } else { RGBColor(215, 215, 215) };
        root.draw(&PathElement::new(vec![(LEFT, y), (width - 10, y)], shade))?;
        let style = text(11).pos(Pos::new(HPos::Right, VPos::Center));
        root.draw(&Text::new(format!("{tick_value}"), (LEFT - 6, y), style))?;
    }
    for (index, m) in measured.iter().enumerate() {
        let left = LEFT + GAP / 2 + group_width * index as i32;
        for (slot, (name, colour)) in names.iter().zip(COLOURS.iter().cycle()).enumerate() {
            if let Some(ns) = m.ns(name) {
                let x = left + BAR * slot as i32;
                let bar = [(x, y_of(value(m, ns))), (x + BAR - 1, TOP + HEIGHT)];
                root.draw(&Rectangle::new(bar, colour.filled()))?;
            }
        }
        let middle = left + BAR * names.len() as i32 / 2;
        let style = text(11).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Right, VPos::Center));
        root.draw(&Text::new(m.case.name, (middle, TOP + HEIGHT + 6), style))?;
    }
    root.present()?;
    Ok(())
}

/// A round distance between ticks that gives at most twelve of them.
fn nice_step(highest: f64) -> f64 {
    let steps = (0..9).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    steps.into_iter().find(|step| highest / step <= 12.0).unwrap_or(highest)
}
