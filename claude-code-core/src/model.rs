//! Model ids of every shape, tiers and profile scopes.
