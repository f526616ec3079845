//! The resolver of hickory on any async runtime, through anyrt.
