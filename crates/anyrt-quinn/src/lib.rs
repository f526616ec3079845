//! quinn on any async runtime, through anyrt.
