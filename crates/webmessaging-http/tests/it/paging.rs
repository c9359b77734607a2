//! Lists in pages: the shapes, the guards, the streams, and what is read ahead.

mod ahead;
mod guards;
pub(crate) mod list;
mod property;
mod shapes;
mod streams;
