//! Dollars cross as `decimal.Decimal`, never as floats.

use claude_code_aws::money::price::SignedPicoUsd;
use claude_code_aws::{Cost, Error, PicoUsd};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyFloat};

use crate::convert::error::raise;

/// An amount in dollars on its way to Python.
pub(crate) struct Usd(String);

impl From<PicoUsd> for Usd {
    fn from(amount: PicoUsd) -> Self {
        Usd(amount.to_string())
    }
}

impl From<SignedPicoUsd> for Usd {
    fn from(amount: SignedPicoUsd) -> Self {
        Usd(amount.to_string())
    }
}

/// The amount, where it is known.
pub(crate) fn usd(cost: Cost) -> Option<Usd> {
    cost.priced().map(Usd::from)
}

impl<'py> IntoPyObject<'py> for Usd {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        decimal(py)?.call1((self.0,))
    }
}

fn decimal(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static DECIMAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    DECIMAL.import(py, "decimal", "Decimal")
}

/// An amount as people write it: `"0.05"`, `Decimal("0.05")`, `1`, and also `0.05`; what a float has beyond the twelfth
/// digit is the float's own. InvalidRequestError names the option.
pub(crate) fn from_python(name: &str, amount: &Bound<'_, PyAny>) -> PyResult<PicoUsd> {
    let py = amount.py();
    let read = || {
        let digits = if amount.is_instance_of::<PyFloat>() {
            amount.call_method1("__format__", (".12f",))
        } else {
            decimal(py)?.call1((amount.str()?,))?.call_method1("__format__", ("f",))
        };
        let digits: String = digits?.extract()?;
        Ok::<_, PyErr>(PicoUsd::from_usd(&digits).ok())
    };
    let read = if amount.is_instance_of::<PyBool>() { None } else { read().ok().flatten() };
    let wrong = || {
        let shown = amount.repr().map(|text| text.to_string()).unwrap_or_default();
        let shown: String = shown.chars().take(40).collect();
        Error::invalid(format!(
            "{name} {shown} is not dollars from 0 on, with at most twelve digits after the point, such as \"0.50\""
        ))
    };
    read.ok_or_else(|| raise(py, wrong()))
}
