/// What happens. The order is part of the hash of what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Spawned,
    Woken,
    Polled,
    Ended,
    TimerFired,
    ConnectionAsked,
    ConnectionOpened,
    ConnectionRefused,
    DataArrived,
    EndArrived,
    ResetArrived,
    DatagramArrived,
    DatagramRefused,
    Cancelled,
    Spurious,
    TimedOut,
    Lost,
    Cut,
    Duplicated,
    // Of paths: from which host in the upper half of the number, and to which in the lower.
    Held,
    PartitionBegan,
    PartitionEnded,
    HoldBegan,
    HoldEnded,
    LossBegan,
    LossEnded,
    LinkReset,
    // Of hosts.
    Crashed,
    Killed,
    Restarted,
    Note,
    Buggified,
    // Of hosts.
    ClockDriftBegan,
    ClockDriftEnded,
    ClockJumpBegan,
    ClockJumpEnded,
    SlowHostBegan,
    SlowHostEnded,
    // Of paths.
    SlowLinkBegan,
    SlowLinkEnded,
    // Of operations of a history.
    Called,
    Returned,
    // For the log alone.
    Sent,
    Waits,
    Panicked,
    Failed,
    Contradiction,
    NamesChanged,
    // Of hosts.
    TimeOfDaySet,
}

/// What a kind is about, and its number.
pub(super) enum Subject {
    Task,
    Timer,
    Socket,
    /// From one host to another: the first in the upper half.
    Path,
    Host,
}

impl Kind {
    pub(super) fn subject(self) -> Subject {
        match self {
            Self::Spawned
            | Self::Woken
            | Self::Polled
            | Self::Ended
            | Self::Cancelled
            | Self::Spurious
            | Self::Waits
            | Self::Note
            | Self::Buggified
            | Self::Called
            | Self::Returned
            | Self::Contradiction
            | Self::NamesChanged
            | Self::Panicked
            | Self::Failed => Subject::Task,
            Self::TimerFired => Subject::Timer,
            Self::Sent
            | Self::ConnectionAsked
            | Self::ConnectionOpened
            | Self::ConnectionRefused
            | Self::DataArrived
            | Self::EndArrived
            | Self::ResetArrived
            | Self::DatagramArrived
            | Self::DatagramRefused
            | Self::TimedOut
            | Self::Lost
            | Self::Cut
            | Self::Duplicated => Subject::Socket,
            Self::Held
            | Self::PartitionBegan
            | Self::PartitionEnded
            | Self::HoldBegan
            | Self::HoldEnded
            | Self::LossBegan
            | Self::LossEnded
            | Self::LinkReset
            | Self::SlowLinkBegan
            | Self::SlowLinkEnded => Subject::Path,
            Self::Crashed
            | Self::Killed
            | Self::Restarted
            | Self::ClockDriftBegan
            | Self::ClockDriftEnded
            | Self::ClockJumpBegan
            | Self::ClockJumpEnded
            | Self::TimeOfDaySet
            | Self::SlowHostBegan
            | Self::SlowHostEnded => Subject::Host,
        }
    }

    /// Its name, in words.
    pub(super) fn words(self) -> String {
        let mut words = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
        }
        words
    }
}
