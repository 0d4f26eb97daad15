//! The tests that need the runtime clients and the libraries of the peers.

mod decisions;
mod run;
mod second_opinion;
