//! The guide: its targets file is read, and what it shows of requests is what goes out.
