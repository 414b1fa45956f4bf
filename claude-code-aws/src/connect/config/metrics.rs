//! Variables about metrics and logs: ours, and OpenTelemetry's own.

use claude_code_core::Result;

use super::env::Vars;
use super::settings::{Config, LAMBDA};
use crate::metrics::request_log::LogForm;

impl Vars {
    pub(super) fn read_metrics(&self, config: &mut Config) -> Result<()> {
        config.emf = self.flag("EMF")?.unwrap_or(self.0.contains_key(LAMBDA));
        let log = self.parse("LOG", "json, text or off", |text| match text {
            "json" => Some(LogForm::Json),
            "text" => Some(LogForm::Text),
            "off" => Some(LogForm::Off),
            _ => None,
        })?;
        config.log = log.unwrap_or_default();
        config.usage_counters = self.flag("USAGE_COUNTERS")?.unwrap_or(true);
        #[cfg(feature = "otlp")]
        {
            config.otlp = crate::metrics::otlp::Settings::from_vars(&self.0);
        }
        Ok(())
    }
}
