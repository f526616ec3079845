use super::runtime;
use crate::backend::Smol;

runtime!(Smol, from_smol, into_smol);
