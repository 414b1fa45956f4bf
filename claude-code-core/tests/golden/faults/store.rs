//! A small store of orders.

use std::collections::HashMap;
use std::fmt;

/// What went wrong.
#[derive(Debug)]
pub enum StoreError {
    Missing(u32),
    Broken { path: String, line: usize },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Missing(number) => write!(f, "no order {number}"),
            StoreError::Broken { path, line } => write!(f, "{path}:{line} is broken"),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Order {
    pub number: u32,
    pub lines: Vec<String>,
}

impl Order {
    pub fn total(&self, prices: &HashMap<String, u64>) -> Option<u64> {
        let mut total = 0;
        for line in &self.lines {
            total += prices.get(line)?;
        }
        Some(total)
    }
}

pub struct Store {
    orders: HashMap<u32, Order>,
}

impl Store {
    pub fn new(orders: impl IntoIterator<Item = Order>) -> Self {
        let orders = orders.into_iter().map(|order| (order.number, order)).collect();
        Store { orders }
    }

    pub fn find(&self, number: u32) -> Result<&Order, StoreError> {
        self.orders.get(&number).ok_or(StoreError::Missing(number))
    }

    pub fn largest(&self, prices: &HashMap<String, u64>) -> Option<&Order> {
        self.orders.values().max_by_key(|order| order.total(prices).unwrap_or(0))
    }
}

pub fn parse(text: &str) -> Result<Vec<Order>, StoreError> {
    let mut orders = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((number, rest)) = line.split_once(':') else {
            return Err(StoreError::Broken { path: "orders".to_owned(), line: at + 1 });
        };
        let number = number.trim().parse().map_err(|_| StoreError::Missing(0))?;
        let lines = rest.split(',').map(|part| part.trim().to_owned()).collect();
        orders.push(Order { number, lines });
    }
    if orders.is_empty() {
        println!("{}", "nothing");
    }
    Ok(orders)
}
