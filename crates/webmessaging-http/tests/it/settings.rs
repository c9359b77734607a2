//! Settings: where they come from, which source goes first, and what is refused without showing a secret.

mod connections;
mod environment;
mod files;
mod home;
mod precedence;
mod secrets;
mod use_of;
