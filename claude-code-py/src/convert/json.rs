//! The one result schema between JSON and Python's own values.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Deeper than any schema of ours.
const DEPTH: usize = 32;

/// A value as dicts, lists, strings and numbers.
pub(crate) fn to_python(py: Python<'_>, value: &Value) -> PyResult<Py<PyAny>> {
    match value {
        Value::Null => Ok(py.None()),
        Value::Bool(flag) => flag.into_py_any(py),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into_py_any(py),
            None => number.as_f64().into_py_any(py),
        },
        Value::String(text) => text.into_py_any(py),
        Value::Array(items) => {
            let list = PyList::empty(py);
            items.iter().try_for_each(|item| list.append(to_python(py, item)?))?;
            list.into_py_any(py)
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            fields.iter().try_for_each(|(name, field)| dict.set_item(name, to_python(py, field)?))?;
            dict.into_py_any(py)
        }
    }
}

/// What `to_python` gave, back. Fails with TypeError on anything that JSON cannot hold.
pub(crate) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    read(value, DEPTH)
}

fn read(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if depth == 0 {
        return Err(PyValueError::new_err("the dict is nested too deeply to be a result"));
    }
    if value.is_none() {
        Ok(Value::Null)
    } else if let Ok(flag) = value.cast::<PyBool>() {
        Ok(Value::Bool(flag.is_true()))
    } else if let Ok(text) = value.cast::<PyString>() {
        Ok(Value::String(text.to_cow()?.into_owned()))
    } else if let Ok(dict) = value.cast::<PyDict>() {
        let field = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Ok((name.extract::<String>()?, read(&value, depth - 1)?))
        };
        dict.iter().map(field).collect::<PyResult<Map<_, _>>>().map(Value::Object)
    } else if let Ok(list) = value.cast::<PyList>() {
        list.iter().map(|item| read(&item, depth - 1)).collect::<PyResult<_>>().map(Value::Array)
    } else if let Ok(whole) = value.extract::<i64>() {
        Ok(whole.into())
    } else if let Ok(number) = value.extract::<f64>() {
        Ok(number.into())
    } else {
        Err(PyTypeError::new_err(format!("{} is not part of a result", value.get_type().name()?)))
    }
}

/// A value of ours in its schema.
pub(crate) fn schema(value: &impl Serialize) -> PyResult<Value> {
    serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A value of ours from its schema. Fails with ValueError naming the field that is missing or wrong.
pub(crate) fn value<T: DeserializeOwned>(schema: Value) -> PyResult<T> {
    serde_json::from_value(schema).map_err(|error| PyValueError::new_err(error.to_string()))
}
