//! The layers of tower that need a clock or a spawn, on any async runtime, through anyrt.
