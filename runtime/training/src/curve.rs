//! The loss over the steps and the accuracy after each epoch, as SVG.

use crate::BATCH;
use crate::error::Error;
use crate::record::Record;
use plotters::prelude::*;
use std::path::Path;

const LOSS: RGBColor = RGBColor(31, 90, 160);
const ACCURACY: RGBColor = RGBColor(232, 130, 100);

/// Draws a run.
pub fn svg(path: &Path, title: &str, record: &Record) -> Result<(), Error> {
    draw(path, title, record).map_err(|error| Error::Drawing { path: path.to_owned(), what: error.to_string() })
}

fn draw(path: &Path, title: &str, record: &Record) -> Result<(), Box<dyn std::error::Error>> {
    let epochs = record.epochs.len() as f64;
    let per_point = (Record::EVERY * BATCH) as f64 / record.samples as f64;
    let lowest = record.losses.iter().copied().fold(1.0, f32::min).max(1e-4);
    let highest = record.losses.iter().copied().fold(lowest, f32::max);
    let worst = record.epochs.iter().map(|e| 100.0 * (1.0 - e.accuracy)).fold(0.5, f64::max);
    let area = SVGBackend::new(path, (800, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .right_y_label_area_size(56)
        .build_cartesian_2d(0.0..epochs, (0.8 * lowest..1.2 * highest).log_scale())?
        .set_secondary_coord(0.0..epochs, 0.0..1.2 * worst);
    chart.configure_mesh().light_line_style(WHITE).x_desc("epochs").y_desc("loss (logarithmic)").draw()?;
    chart.configure_secondary_axes().y_desc("test images wrong, %").draw()?;
    let losses = record.losses.iter().enumerate().map(|(i, loss)| ((i as f64 + 0.5) * per_point, *loss));
    chart.draw_series(LineSeries::new(losses, LOSS))?.label("loss").legend(|(x, y)| bar(x, y, LOSS));
    let wrong = record.epochs.iter().enumerate().map(|(i, e)| (i as f64 + 1.0, 100.0 * (1.0 - e.accuracy)));
    let points = LineSeries::new(wrong, ACCURACY.stroke_width(2)).point_size(4);
    chart.draw_secondary_series(points)?.label("wrong").legend(|(x, y)| bar(x, y, ACCURACY));
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    area.present()?;
    Ok(())
}

fn bar(x: i32, y: i32, colour: RGBColor) -> Rectangle<(i32, i32)> {
    Rectangle::new([(x, y - 2), (x + 14, y + 2)], colour.filled())
}
