//! Money: prices, token usage, rates, receipts and monthly forecasts.

pub mod forecast;
pub mod price;
pub mod rates;
pub mod receipt;
pub mod usage;
pub mod usage_figures;
