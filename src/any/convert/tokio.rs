use super::{made, runtime};
use crate::any::time::Sleep;
use crate::backend::Tokio;
use crate::runtime::Time;

runtime!(Tokio, from_tokio, into_tokio);

made! {
    <Tokio as Time>::Sleep => Sleep, tokio;
}
