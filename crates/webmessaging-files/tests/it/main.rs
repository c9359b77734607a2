//! Uploads against the emulator, with everything that can go wrong.

mod attachment;
mod bad_input;
mod setup;
mod shapes;
mod upload;
