//! What all result classes share: read-only fields, equality, copies, pickles, the one schema, and a repr that shows
//! neither prompt nor code.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use serde_json::Value;

use crate::client::service::ServiceCode;
use crate::convert::json;
use crate::result::answer::Answer;
use crate::result::event::{FileChunk, FileFinished, FileStarted, Finished, Notice, Text};
use crate::result::generation::{CodeFile, Generation};
use crate::result::store::{Page, ResultRow};
use crate::result::values::{
    Attempt, Budget, Cached, Diagnostic, Estimate, Finding, Receipt, ReceiptItem, Usage,
};
use crate::twin::Sent;

/// Fields whose text is the user's or the model's.
const PRIVATE: [&str; 6] = ["content", "text", "prompt", "system", "diff", "message"];
/// Fields that are for reading, whatever their length.
const OPEN: [&str; 2] = ["detail", "fix"];
/// A longer text is shown by its length.
const SHOWN: usize = 80;

/// A result class over a value of the core: its fields with their docstrings, then what else it can do.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $name:ident($inner:ty) { $($(#[$doc:meta])* $field:ident: $type:ty = $read:expr;)* }
        $($more:tt)*
    ) => {
        $(#[$meta])*
        #[pyo3::pyclass(frozen, eq, module = "claude_code")]
        #[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) $inner);

        #[pyo3::pymethods]
        impl $name {
            $(
                $(#[$doc])*
                #[getter]
                fn $field(&self) -> $type {
                    let read: fn(&$inner) -> $type = $read;
                    read(&self.0)
                }
            )*

            /// The value as a dict, in the one result schema.
            fn to_dict(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<pyo3::Py<pyo3::PyAny>> {
                crate::convert::json::to_python(py, &crate::convert::json::schema(self)?)
            }

            /// The value of such a dict. ValueError names a field that is missing or wrong.
            #[classmethod]
            fn from_dict(
                _cls: &pyo3::Bound<'_, pyo3::types::PyType>,
                value: &pyo3::Bound<'_, pyo3::types::PyDict>,
            ) -> pyo3::PyResult<Self> {
                crate::convert::json::value(crate::convert::json::from_python(value)?)
            }

            fn __reduce__(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<crate::convert::record::Reduced> {
                crate::convert::record::reduce(py, stringify!($name), &crate::convert::json::schema(self)?)
            }

            fn __copy__(slf: pyo3::Py<Self>) -> pyo3::Py<Self> {
                slf
            }

            fn __deepcopy__(slf: pyo3::Py<Self>, _memo: pyo3::Py<pyo3::PyAny>) -> pyo3::Py<Self> {
                slf
            }

            fn __hash__(&self) -> pyo3::PyResult<u64> {
                Ok(crate::convert::record::hash(&crate::convert::json::schema(self)?))
            }

            fn __repr__(&self) -> pyo3::PyResult<String> {
                let order = [$(stringify!($field)),*];
                Ok(crate::convert::record::brief(stringify!($name), &order, &crate::convert::json::schema(self)?))
            }

            $($more)*
        }
    };
}
pub(crate) use record;

/// What pickle keeps: how to make the value anew, and from what.
pub(crate) type Reduced = (Py<PyAny>, (&'static str, String));

/// The pickle of a value in its schema.
pub(crate) fn reduce(py: Python<'_>, name: &'static str, schema: &Value) -> PyResult<Reduced> {
    static RESTORE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let restore = RESTORE.import(py, "claude_code._claude_code", "_restore")?;
    Ok((restore.clone().unbind(), (name, schema.to_string())))
}

/// Makes a value anew: what pickles call.
#[pyfunction(name = "_restore")]
pub(crate) fn restore(py: Python<'_>, name: &str, schema: &str) -> PyResult<Py<PyAny>> {
    let schema: Value = serde_json::from_str(schema).map_err(|e| PyValueError::new_err(e.to_string()))?;
    macro_rules! by_name {
        ($($class:ident),*) => {
            match name {
                $(stringify!($class) => json::value::<$class>(schema)?.into_py_any(py),)*
                "Generation" => Generation::of(json::value(schema)?).into_py_any(py),
                "Finished" => Finished::of(py, Generation::of(json::value(schema)?))?.into_py_any(py),
                _ => Err(PyValueError::new_err("the pickle names no class of this version")),
            }
        };
    }
    by_name!(
        Answer,
        Attempt,
        Budget,
        Cached,
        CodeFile,
        Diagnostic,
        Estimate,
        FileChunk,
        FileFinished,
        FileStarted,
        Finding,
        Notice,
        Page,
        Receipt,
        ReceiptItem,
        ResultRow,
        Sent,
        ServiceCode,
        Text,
        Usage
    )
}

/// Equal values have equal hashes: their schema is the same to the letter.
pub(crate) fn hash(schema: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    schema.to_string().hash(&mut hasher);
    hasher.finish()
}

/// `Name(field=value, …)`, in the order of the fields: figures and short names; texts by their length, lists by their
/// number.
pub(crate) fn brief(name: &str, order: &[&str], schema: &Value) -> String {
    let field = |field: &&str| schema.get(*field).map(|value| format!("{field}={}", shown(field, value)));
    let fields: Vec<String> = order.iter().filter_map(field).collect();
    format!("{name}({})", fields.join(", "))
}

fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if PRIVATE.contains(&name) || text.len() > SHOWN && !OPEN.contains(&name) => {
            format!("<{} characters>", text.chars().count())
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => format!("[{}]", items.len()),
        Value::Object(_) => "{…}".to_owned(),
    }
}
