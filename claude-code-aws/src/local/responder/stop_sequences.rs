//! Stop sequences, found in a text that arrives in pieces.

/// Looks for the first of some texts.
#[derive(Debug)]
pub(crate) struct Stops {
    stops: Vec<String>,
    /// What could still be the beginning of one.
    held: String,
}

impl Stops {
    /// Empty texts stop nothing.
    pub(crate) fn new(stops: &[String]) -> Self {
        Stops { stops: stops.iter().filter(|stop| !stop.is_empty()).cloned().collect(), held: String::new() }
    }

    /// The text that is certain after this piece, and the stop that was met behind it.
    pub(crate) fn feed(&mut self, piece: &str) -> (String, Option<String>) {
        self.held.push_str(piece);
        let met = self.stops.iter().filter_map(|stop| Some((self.held.find(stop.as_str())?, stop)));
        if let Some((at, stop)) = met.min_by_key(|(at, _)| *at) {
            let stop = stop.clone();
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), Some(stop));
        }
        let begun = |at: &usize| self.stops.iter().any(|stop| stop.starts_with(&self.held[*at..]));
        let longest = self.stops.iter().map(String::len).max().unwrap_or(0);
        let from = self.held.len().saturating_sub(longest);
        let mut places = self.held.char_indices().map(|(at, _)| at).filter(|at| *at >= from);
        let kept = places.find(begun).unwrap_or(self.held.len());
        let behind = self.held.split_off(kept);
        (std::mem::replace(&mut self.held, behind), None)
    }

    /// What was held back, at the end.
    pub(crate) fn rest(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|&stop| stop.to_owned()).collect();
        let (mut stops, mut text) = (Stops::new(&stops), String::new());
        for piece in pieces {
            let (certain, met) = stops.feed(piece);
            text.push_str(&certain);
            if met.is_some() {
                return (text, true);
            }
        }
        (text + &stops.rest(), false)
    }

    #[test]
    fn a_stop_is_met_however_the_text_is_cut() {
        let text = "abé STOPx";
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            let (before, behind) = text.split_at(at);
            assert_eq!(fed(&["STOP", ""], &[before, behind]), ("abé ".to_owned(), true), "{at}");
            assert_eq!(fed(&["STOPS"], &[before, behind]), (text.to_owned(), false), "{at}");
        }
        assert_eq!(fed(&["bc", "ab"], &["xa", "bc"]), ("x".to_owned(), true), "the first of them");
    }
}
