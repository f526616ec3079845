//! The hash of what happened. It is part of what a seed means: changing it changes every pinned trace.

/// One step of a hash: fold the word in, then spread it over all bits.
pub(super) fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

/// The hash of bytes, eight at a time.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(8);
    let rest = words.remainder();
    let hash = words.map(word).fold(bytes.len() as u64, mix);
    if rest.is_empty() { hash } else { mix(hash, word(rest)) }
}

/// The hash of bytes that are in two places, which says nothing of where they are cut.
#[inline]
pub(crate) fn hash_of_both(first: &[u8], second: &[u8]) -> u64 {
    if second.is_empty() {
        return hash(first);
    }
    let (words, rest) = first.split_at(first.len() - first.len() % 8);
    let (middle, second) = second.split_at(second.len().min((8 - rest.len()) % 8));
    let mut between = [0; 8];
    between[..rest.len()].copy_from_slice(rest);
    between[rest.len()..][..middle.len()].copy_from_slice(middle);
    let between = (!rest.is_empty()).then(|| u64::from_le_bytes(between));
    let words = words.chunks(8).map(word).chain(between).chain(second.chunks(8).map(word));
    words.fold((first.len() + (middle.len() + second.len())) as u64, mix)
}

fn word(chunk: &[u8]) -> u64 {
    // A copy whose length is not known is a call.
    if let Ok(word) = chunk.try_into() {
        return u64::from_le_bytes(word);
    }
    let mut word = [0; 8];
    word[..chunk.len()].copy_from_slice(chunk);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_same_wherever_bytes_are_cut() {
        let bytes: Vec<u8> = (1..=40).collect();
        for end in 0..=bytes.len() {
            for at in 0..=end {
                assert_eq!(hash_of_both(&bytes[..at], &bytes[at..end]), hash(&bytes[..end]), "{at} of {end}");
            }
        }
    }
}
