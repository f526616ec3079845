use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::sync::OnceLock;

use crate::AnyRuntime;
use crate::runtime::{Spawn, random_seed_of_the_system};

/// Returns a seed for a random number generator from the current runtime, or from the system if no runtime is current;
/// see [`Spawn::random_seed`].
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

/// State for hash maps, seeded by the current runtime: the iteration order of a map is the same in each run of a
/// [simulation](crate::guide::simulation) with the same seed.
///
/// A state that is created where no runtime is current is seeded when it first hashes or is cloned: a map that is
/// created before a `block_on` and filled inside is seeded by the simulation. If no runtime is current even then, the
/// system seeds it. The hash function is that of the standard library.
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
    /// Creates a state with a new seed.
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

/// A clone hashes like the original, so several tables can share one hash.
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
