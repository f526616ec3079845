//! The generator of a simulation. Its values are part of the meaning of a seed: other values change every pinned trace.

/// xoshiro256++ of Blackman and Vigna, seeded by SplitMix64 as they recommend (<https://prng.di.unimi.it>).
#[derive(Debug)]
pub(super) struct Random {
    state: [u64; 4],
}

impl Random {
    /// Creates one of several generators that share a seed.
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        // The state of the n-th stream begins at the n-th output of SplitMix64.
        let mut at = mix(seed.wrapping_add(GOLDEN.wrapping_mul(stream as u64 + 1)));
        let mut split_mix = || {
            at = at.wrapping_add(GOLDEN);
            mix(at)
        };
        Self { state: [split_mix(), split_mix(), split_mix(), split_mix()] }
    }

    pub(super) fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// Returns a number below `end`, or 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        // For the ranges used here, the bias is below one in a billion.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

/// Purpose of the numbers. Each purpose has its own generator, so one that draws more or less does not change the
/// others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    /// The scheduler.
    Schedule,
    /// The network.
    Network,
    /// Faults.
    Faults,
    /// The program itself.
    Program,
    /// A place of `buggify!`. Each has a generator of its own.
    Place,
    /// The search for a run that fails, which is not part of any.
    Search,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64.
pub(super) fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_reference() {
        let mut random = Random { state: [1, 2, 3, 4] };
        assert_eq!(
            [random.next(), random.next(), random.next()],
            [41_943_041, 58_720_359, 3_588_806_011_781_223]
        );
    }

    #[test]
    fn below_stays_below() {
        let mut random = Random::new(0, Stream::Network);
        assert!((1..1_000).all(|end| random.below(end) < end));
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn streams_differ() {
        let first = |stream| Random::new(7, stream).next();
        let streams = [
            Stream::Schedule,
            Stream::Network,
            Stream::Faults,
            Stream::Program,
            Stream::Place,
            Stream::Search,
        ];
        let all = streams.map(first);
        assert!((0..6).all(|a| (0..a).all(|b| all[a] != all[b])), "{all:?}");
    }
}
