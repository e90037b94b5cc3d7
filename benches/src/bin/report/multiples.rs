//! An SVG plot of times as multiples of a limit, on a logarithmic scale: a row for each network or step.

use kernforge_benches::entries::KERNFORGE;
use kernforge_benches::machine::Machine;
use plotters::element::{Circle, Rectangle};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;

const WIDTH: i32 = 860;
const LEFT: i32 = 180;
const RIGHT: i32 = 830;
const TOP: i32 = 66;
const ROW: i32 = 24;
const BAR: i32 = 12;
const FOOT: i32 = 44;
const OURS: RGBColor = RGBColor(232, 130, 100);
const COLOURS: [RGBColor; 4] =
    [RGBColor(70, 70, 70), RGBColor(31, 90, 160), RGBColor(20, 130, 70), RGBColor(120, 60, 160)];

/// What a row shows.
pub struct Row {
    /// At its left.
    pub name: String,
    /// Times as multiples of the limit: ours is a bar, the others are dots.
    pub multiples: Vec<(String, f64)>,
}

/// Draws the rows.
pub fn svg(path: &Path, title: &str, rows: &[Row], machine: &Machine) -> Result<(), Box<dyn Error>> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.multiples) {
        if name != KERNFORGE && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let multiple = |row: &Row, name: &str| row.multiples.iter().find(|(n, _)| n == name).map(|(_, multiple)| *multiple);
    let highest = rows.iter().flat_map(|row| &row.multiples).fold(10.0, |highest, (_, m)| f64::max(highest, *m));
    let decades = highest.log10().ceil();
    let x_of = |multiple: f64| LEFT + (multiple.max(1.0).log10() / decades * f64::from(RIGHT - LEFT)).round() as i32;
    let bottom = TOP + ROW * rows.len() as i32;
    let area = SVGBackend::new(path, (WIDTH as u32, (bottom + FOOT) as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    area.draw(&Text::new(title.to_owned(), (10, 8), text(15)))?;
    area.draw(&Text::new(machine.line(), (10, bottom + FOOT - 15), text(10)))?;

    let left = text(12).pos(Pos::new(HPos::Left, VPos::Center));
    let mut x = 16;
    area.draw(&Rectangle::new([(x - 5, 44 - BAR / 2), (x + 7, 44 + BAR / 2)], OURS.filled()))?;
    for (slot, name) in std::iter::once(KERNFORGE).chain(names.iter().copied()).enumerate() {
        if let Some(index) = slot.checked_sub(1) {
            area.draw(&Circle::new((x, 44), 5, COLOURS[index % COLOURS.len()].filled()))?;
        }
        area.draw(&Text::new(name.to_owned(), (x + 11, 44), left.clone()))?;
        x += 30 + 7 * name.chars().count() as i32;
    }
    for decade in 0..=decades as i32 {
        let at = 10f64.powi(decade);
        area.draw(&PathElement::new(vec![(x_of(at), TOP), (x_of(at), bottom)], RGBColor(220, 220, 220)))?;
        let style = text(11).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(format!("{at}"), (x_of(at), bottom + 5), style))?;
    }
    for (row, number) in rows.iter().zip(0..) {
        let y = TOP + ROW * number + ROW / 2;
        let right = text(12).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(row.name.clone(), (LEFT - 8, y), right))?;
        if let Some(ours) = multiple(row, KERNFORGE) {
            area.draw(&Rectangle::new([(LEFT, y - BAR / 2), (x_of(ours), y + BAR / 2)], OURS.filled()))?;
        }
        for (name, colour) in names.iter().zip(COLOURS.iter().cycle()) {
            if let Some(other) = multiple(row, name) {
                area.draw(&Circle::new((x_of(other), y), 5, colour.filled()))?;
            }
        }
    }
    area.present()?;
    Ok(())
}

fn text(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}
