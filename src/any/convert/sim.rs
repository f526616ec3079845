use super::{made, runtime};
use crate::any::time::Sleep;
use crate::backend::Sim;
use crate::runtime::Time;

runtime!(Sim, from_sim, into_sim);

made! {
    <Sim as Time>::Sleep => Sleep, sim;
}
