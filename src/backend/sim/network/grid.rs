use super::path::Path;
use crate::backend::sim::lists::List;

/// The paths from every host to every host, in one list. A new host adds its own at the end, so that none moves.
#[derive(Default)]
pub(super) struct Grid {
    paths: Vec<Path>,
}

impl List for Grid {
    fn emptied(&mut self) -> Self {
        Self { paths: self.paths.emptied() }
    }
}

impl Grid {
    /// Adds a host to this number of them. The paths between it and the others are like this one.
    pub(super) fn add_host(&mut self, hosts: usize, path: &Path) {
        self.paths.extend((0..hosts).map(|_| path.like()));
        self.paths.push(Path::loopback());
        self.paths.extend((0..hosts).map(|_| path.like()));
    }

    #[inline]
    pub(super) fn get(&self, from: usize, to: usize) -> &Path {
        &self.paths[place(from, to)]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, from: usize, to: usize) -> &mut Path {
        &mut self.paths[place(from, to)]
    }
}

/// The newer of the two hosts has added the path: first those from it, then its loopback, then those to it.
fn place(from: usize, to: usize) -> usize {
    let newer = from.max(to);
    newer * newer + if from == newer { to } else { newer + 1 + from }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_a_place_of_its_own() {
        let mut places: Vec<_> = (0..10).flat_map(|from| (0..10).map(move |to| place(from, to))).collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..100));
        assert!((0..10).all(|host| place(host, host) == host * host + host), "the loopback is in the middle");
    }
}
