//! Dollars cross as `decimal.Decimal`, never as floats.

use claude_code_aws::price::SignedPicoUsd;
use claude_code_aws::{Cost, PicoUsd};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::raise;

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

/// An amount as people write it: `"0.05"`, `Decimal("0.05")`, `1`, and also `0.05`, read by its digits.
pub(crate) fn from_python(amount: &Bound<'_, PyAny>) -> PyResult<PicoUsd> {
    let py = amount.py();
    let digits = decimal(py)?.call1((amount.str()?,))?.call_method1("__format__", ("f",))?;
    PicoUsd::from_usd(&digits.extract::<String>()?).map_err(|error| raise(py, error))
}
