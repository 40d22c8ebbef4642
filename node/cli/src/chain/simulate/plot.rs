//! A chart of a simulation: the time between blocks above, the difficulty below, over the height.
//!
//! The program carries the font, so that it draws on machines that have none.

use std::ops::Range;
use std::path::Path;
use std::sync::Once;

use anyhow::{Result, anyhow, bail};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use pyrite_consensus::pow::difficulty;

use super::profile::Phase;
use super::report::mean;
use super::run::SimulatedBlock;

const SIZE: (u32, u32) = (1_200, 800);

/// Blocks of the moving mean of the spacing.
const MEAN_OF: usize = 60;

/// Points of a line: more than the picture has columns would only make its file large.
const MAX_POINTS: usize = 1_200;

const SPACING: RGBColor = RGBColor(0x1f, 0x6f, 0xb4);
const DIFFICULTY: RGBColor = RGBColor(0xc0, 0x4f, 0x15);
const NEEDED: RGBColor = RGBColor(0x55, 0x55, 0x55);
const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
const CHANGE: RGBColor = RGBColor(0xb8, 0xb8, 0xb8);

/// What is drawn.
pub(super) struct Chart<'a> {
    pub(super) title: String,
    /// Intended seconds between blocks.
    pub(super) spacing_s: f64,
    pub(super) phases: &'a [Phase],
    pub(super) blocks: &'a [SimulatedBlock],
}

/// A file's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Svg,
    Png,
}

/// The format by the file's name.
///
/// # Errors
/// It ends otherwise.
pub(super) fn format_of(path: &Path) -> Result<Format> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => bail!("{}: a plot's name ends in .svg or .png", path.display()),
    }
}

/// Writes the chart to a file.
///
/// # Errors
/// The file can't be written.
pub(super) fn draw(chart: &Chart<'_>, path: &Path, format: Format) -> Result<()> {
    static FONT: Once = Once::new();
    FONT.call_once(|| {
        register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
            .unwrap_or_else(|_| unreachable!("the font that is built in can be read"));
    });
    match format {
        Format::Svg => draw_on(&SVGBackend::new(path, SIZE).into_drawing_area(), chart),
        Format::Png => draw_on(&BitMapBackend::new(path, SIZE).into_drawing_area(), chart),
    }
}

/// A line of the chart, as points of height and value.
struct Line {
    label: &'static str,
    points: Vec<(u32, f64)>,
    colour: RGBColor,
    is_dashed: bool,
}

fn draw_on<B: DrawingBackend>(area: &DrawingArea<B, Shift>, chart: &Chart<'_>) -> Result<()> {
    area.fill(&WHITE).map_err(failed)?;
    let area = area.margin(12, 12, 12, 24);
    let area = area
        .titled(&chart.title, ("sans-serif", 20))
        .map_err(failed)?;
    let (above, below) = area.split_vertically(SIZE.1 * 46 / 100);
    let heights = 1..u32::try_from(chart.blocks.len()).unwrap_or(u32::MAX) + 1;
    let intended = [1, heights.end].map(|height| (height, chart.spacing_s));
    let spacing = [
        Line {
            label: "intended",
            points: intended.to_vec(),
            colour: NEEDED,
            is_dashed: true,
        },
        Line {
            label: "mean of 60 blocks",
            points: moving_mean(chart.blocks),
            colour: SPACING,
            is_dashed: false,
        },
    ];
    panel(&above, chart, &heights, "seconds between blocks", &spacing)?;
    let difficulties = [
        Line {
            label: "what the hash power needs",
            points: needed(chart),
            colour: NEEDED,
            is_dashed: true,
        },
        Line {
            label: "difficulty",
            points: sampled(chart.blocks, |block| difficulty(block.header.bits)),
            colour: DIFFICULTY,
            is_dashed: false,
        },
    ];
    panel(&below, chart, &heights, "difficulty", &difficulties)?;
    area.present().map_err(failed)
}

/// One diagram with a logarithmic scale.
fn panel<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    chart: &Chart<'_>,
    heights: &Range<u32>,
    label: &str,
    lines: &[Line],
) -> Result<()> {
    let range = value_range(lines);
    let mut context = ChartBuilder::on(area)
        .margin_top(12)
        .x_label_area_size(42)
        .y_label_area_size(92)
        .build_cartesian_2d(
            heights.clone(),
            range
                .clone()
                .log_scale()
                .with_key_points(round_numbers(&range)),
        )
        .map_err(failed)?;
    context
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(NEEDED)
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 16))
        .x_desc("height")
        .y_desc(label)
        .x_labels(13)
        .y_label_formatter(&|value| tick(*value))
        .draw()
        .map_err(failed)?;
    // Where the hash power changes.
    for phase in &chart.phases[1..] {
        let height = phase.blocks.start + 1;
        let line = [(height, range.start), (height, range.end)];
        context
            .draw_series(LineSeries::new(line, CHANGE))
            .map_err(failed)?;
    }
    for line in lines {
        let style = line.colour.stroke_width(2);
        let points = line.points.iter().copied();
        let series = if line.is_dashed {
            context.draw_series(DashedLineSeries::new(points, 8, 6, style))
        } else {
            context.draw_series(LineSeries::new(points, style))
        };
        series
            .map_err(failed)?
            .label(line.label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
    }
    context
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(CHANGE)
        .label_font(("sans-serif", 14))
        .legend_area_size(28)
        .margin(8)
        .draw()
        .map_err(failed)
}

/// A range that has all values, and some room above for the legend.
fn value_range(lines: &[Line]) -> Range<f64> {
    let values = || {
        lines
            .iter()
            .flat_map(|line| &line.points)
            .map(|(_, value)| *value)
    };
    let least = values()
        .fold(f64::INFINITY, f64::min)
        .max(f64::MIN_POSITIVE);
    let most = values().fold(0.0, f64::max).max(least);
    least / 1.6..most * 2.5
}

/// The marks of a logarithmic scale: the powers of ten, and twice and five times as much where that
/// isn't too many.
fn round_numbers(range: &Range<f64>) -> Vec<f64> {
    let steps: &[u32] = if range.end / range.start > 1e4 {
        &[1]
    } else {
        &[1, 2, 5]
    };
    let exponent = |value: f64| value.log10().floor() as i32;
    (exponent(range.start)..=exponent(range.end))
        .flat_map(|exponent| steps.iter().map(move |step| format!("{step}e{exponent}")))
        // Read from text, the numbers are as round as they can be.
        .filter_map(|text| text.parse().ok())
        .filter(|value| range.contains(value))
        .collect()
}

/// A mark's label.
fn tick(value: f64) -> String {
    if (1e-4..1e6).contains(&value) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// The mean of the last blocks, from the first on that has so many before it.
fn moving_mean(blocks: &[SimulatedBlock]) -> Vec<(u32, f64)> {
    let length = MEAN_OF.min(blocks.len()).max(1);
    let windows = blocks.windows(length);
    let means: Vec<f64> = windows
        .map(|window| mean(window.iter().map(|block| block.solve_s)))
        .collect();
    sampled_from(length, &means, |value| *value)
}

/// The difficulty with which the hash power would find blocks as intended.
fn needed(chart: &Chart<'_>) -> Vec<(u32, f64)> {
    sampled(chart.blocks, |block| {
        difficulty(block.header.bits) * chart.spacing_s / block.expected_s
    })
}

fn sampled(blocks: &[SimulatedBlock], value: impl Fn(&SimulatedBlock) -> f64) -> Vec<(u32, f64)> {
    sampled_from(1, blocks, value)
}

/// Some of the values, evenly, the first at this height.
fn sampled_from<T>(height: usize, values: &[T], value: impl Fn(&T) -> f64) -> Vec<(u32, f64)> {
    let step = values.len().div_ceil(MAX_POINTS).max(1);
    values
        .iter()
        .enumerate()
        .step_by(step)
        .map(|(index, item)| {
            let height = u32::try_from(height + index).unwrap_or(u32::MAX);
            (height, value(item))
        })
        .collect()
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the plot can't be drawn: {error}")
}
