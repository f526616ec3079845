use std::collections::VecDeque;

use super::delivery::Packet;

/// Packets in flight to one end, the first one first. Nearly always there is one, which needs no allocation.
#[derive(Default)]
pub(super) struct Flight {
    first: Option<Packet>,
    others: VecDeque<Packet>,
}

impl Flight {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[inline]
    pub(super) fn push(&mut self, packet: Packet) {
        if self.first.is_none() {
            self.first = Some(packet);
        } else {
            self.others.push_back(packet);
        }
    }

    #[inline]
    pub(super) fn first(&mut self) -> Option<&mut Packet> {
        self.first.as_mut()
    }

    pub(super) fn any(&self, is_meant: impl FnMut(&Packet) -> bool) -> bool {
        self.first.iter().chain(&self.others).any(is_meant)
    }

    #[inline]
    pub(super) fn remove_first(&mut self) {
        self.first = self.others.pop_front();
    }

    pub(super) fn clear(&mut self) {
        self.first = None;
        self.others.clear();
    }

    /// The sender is gone: what was lost is not sent again, and nothing arrives without what was sent before it. Returns how many bytes
    /// will not arrive.
    pub(super) fn lose_what_was_lost(&mut self) -> usize {
        if self.first.as_ref().is_none_or(Packet::was_lost) {
            let lost = self.first.iter().chain(&self.others).map(Packet::len).sum();
            self.clear();
            return lost;
        }
        let kept = self.others.iter().take_while(|packet| !packet.was_lost()).count();
        self.others.drain(kept..).map(|packet| packet.len()).sum()
    }
}
