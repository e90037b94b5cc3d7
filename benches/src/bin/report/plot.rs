//! The SVG plots: a row for each shape, the kernel as a bar, everything else as marks on it.

use crate::measured::Measured;
use kernforge_benches::entries::KERNFORGE;
use kernforge_benches::machine::Machine;
use plotters::coord::Shift;
use plotters::element::{Circle, Cross, Rectangle, TriangleMarker};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

// Pixels. The width is what a README shows without shrinking the text.
const WIDTH: i32 = 860;
const LEFT: i32 = 200;
const RIGHT: i32 = 790;
const TOP: i32 = 86;
const ROW: i32 = 21;
const BAR: i32 = 11;
const FOOT: i32 = 44;

const OURS: RGBColor = RGBColor(232, 130, 100);
/// Colours of the others, in the order of the entries: the generic loops in grey, then the rivals.
const COLOURS: [RGBColor; 8] = [
    RGBColor(70, 70, 70),
    RGBColor(130, 130, 130),
    RGBColor(31, 90, 160),
    RGBColor(20, 130, 70),
    RGBColor(120, 60, 160),
    RGBColor(180, 30, 60),
    RGBColor(150, 100, 0),
    RGBColor(0, 140, 170),
];

/// Draws one group: percent of the core's FMA peak, or GB/s where multiply-adds are not what is done.
pub fn svg(path: &Path, group: &str, measured: &[Measured], machine: &Machine) -> Drawn {
    let Some(first) = measured.first() else { return Ok(()) };
    let of_peak = first.case.problem.flops().is_some();
    let value = |m: &Measured, ns: f64| if of_peak { 100.0 * m.rate(ns) / m.best_peak() } else { m.rate(ns) };

    // The forced copies of the kernel are in the table; the plot shows what a user calls.
    let mut others: Vec<&str> = Vec::new();
    for (name, _) in measured.iter().flat_map(|m| &m.entries) {
        if !name.starts_with(KERNFORGE) && !others.contains(&name.as_str()) {
            others.push(name);
        }
    }
    let shown = others.iter().copied().chain([KERNFORGE]);
    let highest = measured
        .iter()
        .flat_map(|m| shown.clone().filter_map(|name| m.ns(name)).map(|ns| value(m, ns)))
        .fold(if of_peak { 100.0 } else { 0.0 }, f64::max);
    let step = nice_step(highest);
    let end = (highest / step).ceil() * step;
    let x_of = |value: f64| LEFT + (value / end * f64::from(RIGHT - LEFT)).round() as i32;

    let bottom = TOP + ROW * measured.len() as i32;
    let area = SVGBackend::new(path, (WIDTH as u32, (bottom + FOOT) as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let unit = if of_peak { "% of this core's FMA peak" } else { "GB/s, operands read once, results written once" };
    area.draw(&Text::new(format!("{group}, f32, one thread: {unit}"), (10, 8), text(15)))?;
    area.draw(&Text::new(machine.line(), (10, bottom + FOOT - 15), text(10)))?;
    legend(&area, &others)?;

    for tick in 0..=(end / step).round() as i32 {
        let at = f64::from(tick) * step;
        let shade = if of_peak && at == 100.0 { BLACK } else { RGBColor(220, 220, 220) };
        area.draw(&PathElement::new(vec![(x_of(at), TOP), (x_of(at), bottom)], shade))?;
        let style = text(11).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(format!("{at}"), (x_of(at), bottom + 5), style))?;
    }
    let right = text(11).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new("× best other", (WIDTH - 10, TOP - 9), right.clone()))?;
    for (m, row) in measured.iter().zip(0..) {
        let y = TOP + ROW * row + ROW / 2;
        area.draw(&Text::new(m.case.name, (LEFT - 8, y), text(12).pos(Pos::new(HPos::Right, VPos::Center))))?;
        if let Some(ns) = m.ns(KERNFORGE) {
            area.draw(&Rectangle::new([(LEFT, y - BAR / 2), (x_of(value(m, ns)), y + BAR / 2)], OURS.filled()))?;
        }
        for (index, name) in others.iter().enumerate() {
            if let Some(ns) = m.ns(name) {
                mark(&area, index, (x_of(value(m, ns)), y))?;
            }
        }
        if let Some(ratio) = m.times_best_other() {
            let digits = if ratio < 10.0 { 2 } else { 0 };
            area.draw(&Text::new(format!("{ratio:.digits$}"), (WIDTH - 10, y), right.clone()))?;
        }
    }
    area.present()?;
    Ok(())
}

/// What each colour and shape means, in as many lines as it takes.
fn legend(area: &Area, others: &[&str]) -> Drawn {
    let (mut x, mut y) = (16, 38);
    area.draw(&Rectangle::new([(x - 5, y - BAR / 2), (x + 7, y + BAR / 2)], OURS.filled()))?;
    let left = text(12).pos(Pos::new(HPos::Left, VPos::Center));
    for (slot, name) in std::iter::once(&KERNFORGE).chain(others).enumerate() {
        let width = 30 + 7 * name.chars().count() as i32;
        if x + width > WIDTH {
            (x, y) = (16, y + 19);
        }
        if let Some(index) = slot.checked_sub(1) {
            mark(area, index, (x, y))?;
        }
        area.draw(&Text::new((*name).to_owned(), (x + 11, y), left.clone()))?;
        x += width;
    }
    Ok(())
}

/// The mark of one of the others: colours differ, and neighbours in shape, too.
fn mark(area: &Area, index: usize, at: (i32, i32)) -> Drawn {
    let colour = COLOURS[index % COLOURS.len()];
    match index % 4 {
        0 => area.draw(&Circle::new(at, 4, colour.filled()))?,
        1 => area.draw(&Circle::new(at, 4, colour.stroke_width(2)))?,
        2 => area.draw(&TriangleMarker::new(at, 5, colour.filled()))?,
        _ => area.draw(&Cross::new(at, 4, colour.stroke_width(2)))?,
    }
    Ok(())
}

fn text(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

/// A round distance between ticks that gives at most twelve of them.
fn nice_step(highest: f64) -> f64 {
    let steps = (0..9).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    steps.into_iter().find(|step| highest / step <= 12.0).unwrap_or(highest)
}
