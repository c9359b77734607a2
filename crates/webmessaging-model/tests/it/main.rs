//! The validators' exact boundaries, and what they promise for any input.

mod domain;
mod upload;
mod wire;
