//! The model catalogue: ids, limits, prices, capabilities and lifecycle, as data with its date.
