//! The gate of one class, with time as the tests say.

use std::time::Duration;
