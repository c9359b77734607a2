//! The receiver on a store in a file: what is answered when, what follows from it once, and what is never lost.

mod answers;
mod effects;
mod served;
mod setup;
mod work;
