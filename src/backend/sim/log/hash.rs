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

fn word(chunk: &[u8]) -> u64 {
    // A copy whose length is not known is a call.
    if let Ok(word) = chunk.try_into() {
        return u64::from_le_bytes(word);
    }
    let mut word = [0; 8];
    word[..chunk.len()].copy_from_slice(chunk);
    u64::from_le_bytes(word)
}
