//! The built command, run as a person or a program would.

mod demo;
mod emulator;
mod exit_codes;
mod files;
mod process;
