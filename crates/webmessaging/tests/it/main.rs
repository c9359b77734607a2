//! The toolkit as a whole: what its documents say about it is generated from it or compared with it.

mod errors;
mod reference;
