//! Money in integer pico-dollars, rates and the receipt.
