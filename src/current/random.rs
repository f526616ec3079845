use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::sync::OnceLock;

use crate::AnyRuntime;
use crate::runtime::{Spawn, random_seed_of_the_system};

/// A number to seed a generator with, from the current runtime, or from the system where none is; see
/// [`Spawn::random_seed`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// /// Up to a tenth more, so that not all come back at once.
/// fn with_jitter(pause: Duration) -> Duration {
///     let mut random = fastrand::Rng::with_seed(anyrt::random_seed());
///     pause + pause.mul_f64(random.f64() / 10.0)
/// }
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `random_seeds_differ`, `free_functions_find_the_runtime`.</details>
pub fn random_seed() -> u64 {
    AnyRuntime::try_current().map_or_else(|_| random_seed_of_the_system(), |runtime| runtime.random_seed())
}

/// A state for hash maps that is seeded from the current runtime: the order of a map, which nobody can rely on, is the same
/// each time that a [simulation](crate::guide::simulation) runs with one seed.
///
/// One that is made where no runtime is current is seeded when it first hashes, or is cloned: so a map that is made before a
/// `block_on`, and filled in it, is seeded from the simulation. Where no runtime is current even then, it is seeded from the
/// system. It hashes as the standard library does.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
///
/// use anyrt::RandomState;
///
/// /// Who is connected, in no order that a caller could come to rely on.
/// #[derive(Default)]
/// struct Peers {
///     names: HashMap<u64, String, RandomState>,
/// }
///
/// let mut peers = Peers::default();
/// peers.names.insert(7, "seven".to_owned());
/// assert_eq!(peers.names[&7], "seven");
/// ```
///
/// <details><summary>Scenarios</summary>
///
/// `hash_map_keeps_what_it_gets`.</details>
#[derive(Debug)]
pub struct RandomState {
    seed: OnceLock<u64>,
}

impl RandomState {
    /// The next state.
    pub fn new() -> Self {
        Self {
            seed: AnyRuntime::try_current()
                .map_or_else(|_| OnceLock::new(), |here| here.random_seed().into()),
        }
    }

    fn seed(&self) -> u64 {
        *self.seed.get_or_init(random_seed)
    }
}

/// Both hash alike: whoever has several tables under one hash clones the state for each.
impl Clone for RandomState {
    fn clone(&self) -> Self {
        Self { seed: self.seed().into() }
    }
}

impl Default for RandomState {
    fn default() -> Self {
        Self::new()
    }
}

impl BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed());
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_hash_alike_though_none_has_hashed() {
        let state = RandomState::new();
        let clone = state.clone();
        assert_eq!(state.hash_one(7), clone.hash_one(7));
        assert_ne!(state.hash_one(7), RandomState::new().hash_one(7));
    }
}
