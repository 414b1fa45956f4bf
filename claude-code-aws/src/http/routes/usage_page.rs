//! The usage page: figures, a bar for each day as inline SVG, and a table by model. No script; every text is escaped.

use std::fmt::Write as _;

use claude_code_core::PicoUsd;
use claude_code_core::budget::usage_report::{By, Group, UsageReport};

/// Width of the drawing in its own units; it scales with the screen.
const WIDTH: usize = 600;
const HEIGHT: usize = 160;
/// Below the bars stand the dates.
const FOOT: usize = 20;

/// The page.
pub(super) fn html(report: &UsageReport, today: &str) -> String {
    let total = report.total();
    let days = report.groups(By::Day);
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Usage</title><link rel=\"stylesheet\" href=\"style.css\"></head><body><main><h1>Usage</h1>",
    );
    if total.requests == 0 {
        let _ = write!(html, "<p>No requests in the last {} days.</p></main></body></html>", report.days);
        return html;
    }
    let _ = write!(html, "<p>The last {} days, until {}.</p>", report.days, escaped(today));
    figures(&mut html, &total);
    bars(&mut html, &days);
    for (name, by) in [("Model", By::Model), ("Tier", By::Tier)] {
        table(&mut html, name, &report.groups(by));
    }
    html.push_str("</main></body></html>");
    html
}

fn figures(html: &mut String, total: &Group) {
    html.push_str("<dl>");
    for (name, value) in [
        ("Spent", usd(total.spent)),
        ("Requests", total.requests.to_string()),
        ("Accepted", format!("{} %", percent(total.accepted, total.requests))),
        ("Average time", format!("{:.1} s", total.average_seconds())),
        ("90 % within", format!("{:.1} s", total.p90_seconds())),
        ("Saved by cache", usd(total.saved_by_cache)),
        ("Saved by tier", usd(total.saved_by_tier)),
    ] {
        let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", escaped(&value));
    }
    html.push_str("</dl>");
}

/// A bar for each day that has requests, as high as what it cost.
fn bars(html: &mut String, days: &[Group]) {
    let most = days.iter().map(|day| day.spent.0).max().unwrap_or(0).max(1);
    let step = (WIDTH / days.len().max(1)).clamp(1, 80);
    let _ = write!(
        html,
        "<svg viewBox=\"0 0 {WIDTH} {}\" width=\"100%\" role=\"img\" aria-label=\"Dollars a day\">",
        HEIGHT + FOOT
    );
    for (at, day) in days.iter().enumerate() {
        let part = u128::from(day.spent.0) * (HEIGHT as u128 - 10) / u128::from(most);
        let high = usize::try_from(part).unwrap_or(HEIGHT).max(2);
        let (x, y, wide) = (at * step, HEIGHT - high, (step * 4 / 5).max(1));
        let _ = write!(
            html,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\" fill=\"#2f6f9f\"><title>{}: {}, {} requests\
             </title></rect>",
            escaped(&day.name),
            usd(day.spent),
            day.requests
        );
        if at % days.len().div_ceil(6).max(1) == 0 {
            let date = day.name.get(5..).unwrap_or(&day.name);
            let _ = write!(
                html,
                "<text x=\"{x}\" y=\"{}\" font-size=\"12\" fill=\"#666\">{}</text>",
                HEIGHT + FOOT - 5,
                escaped(date)
            );
        }
    }
    html.push_str("</svg>");
}

fn table(html: &mut String, name: &str, groups: &[Group]) {
    let _ = write!(
        html,
        "<table cellpadding=\"3\"><thead><tr><th>{name}</th><th>Requests</th><th>OK</th><th>Spent</th><th>90 %</th></tr>\
         </thead><tbody>"
    );
    for group in groups {
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{} %</td><td>{}</td><td>{:.1} s</td></tr>",
            escaped(&group.name),
            group.requests,
            percent(group.accepted, group.requests),
            usd(group.spent),
            group.p90_seconds()
        );
    }
    html.push_str("</tbody></table>");
}

/// Dollars to the cent, below a dollar to the hundredth of a cent.
fn usd(amount: PicoUsd) -> String {
    if amount.0 >= 1_000_000_000_000 {
        let cents = amount.0.div_ceil(10_000_000_000);
        return format!("${}.{:02}", cents / 100, cents % 100);
    }
    let hundredths = amount.0.div_ceil(100_000_000);
    format!("${}.{:04}", hundredths / 10_000, hundredths % 10_000)
}

fn percent(part: u64, of: u64) -> u64 {
    part.saturating_mul(100) / of.max(1)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
