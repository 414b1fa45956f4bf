//! How figures look in a notebook: one table, without scripts or anything from a network.

use std::fmt::Write;

use crate::notebook::code::escape;

/// Greys and weights only: they stand on light and dark ground alike.
const STYLE: &str = "<style>.cct{border-collapse:collapse;font-size:13px;color:inherit}\
.cct caption{text-align:left;padding:.2em 0;opacity:.75}\
.cct th,.cct td{text-align:left;padding:.15em 1em .15em 0;border-bottom:1px solid rgba(127,127,127,.3);\
vertical-align:top;color:inherit;background:none}\
.cct .r{text-align:right;font-variant-numeric:tabular-nums}</style>";

/// A table with a line above it. Cells whose head begins with `#` stand at the right.
pub(crate) fn table<const N: usize>(caption: &str, head: [&str; N], rows: &[[String; N]]) -> String {
    let class = |name: &str| if name.starts_with('#') { " class=\"r\"" } else { "" };
    let mut html = format!("{STYLE}<table class=\"cct\"><caption>{}</caption><tr>", escape(caption));
    for name in head {
        let _ = write!(html, "<th{}>{}</th>", class(name), escape(name.trim_start_matches('#')));
    }
    html.push_str("</tr>");
    for row in rows {
        html.push_str("<tr>");
        for (name, cell) in head.iter().zip(row) {
            let _ = write!(html, "<td{}>{}</td>", class(name), escape(cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
    html
}
