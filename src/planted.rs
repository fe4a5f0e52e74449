//! Faults that can be planted on purpose, to see that the simulator finds them (docs/sync.md §8). Without the feature
//! `planted-faults`, which only tests turn on, none of this is compiled in.

/// A fault that a sync protocol may well have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// A reader's cursor passes a change that was numbered before it and committed after it.
    SequenceCursor = 1,
    /// A push that comes again is taken again.
    NoIdempotency,
    /// Whoever writes last wins.
    LastWriteWins,
    /// A tablet forgets an edit as soon as the next server has it.
    DropOnAck,
    /// A server that is restored goes on in its old epoch.
    NoEpochOnRestore,
    /// A retired record is deleted.
    HardDelete,
    /// What is pulled takes the place of edits that were not sent.
    PullOverwrites,
    /// An edit of a record that is not here is said to be applied, and dropped.
    IgnoreUnknownParent,
    /// A camp tells its tablets that the nation has what only the camp has.
    CampIsNation,
    /// A camp lays what the nation tells on top of its own edits, instead of beneath them.
    NoRebase,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::SequenceCursor,
        Self::NoIdempotency,
        Self::LastWriteWins,
        Self::DropOnAck,
        Self::NoEpochOnRestore,
        Self::HardDelete,
        Self::PullOverwrites,
        Self::IgnoreUnknownParent,
        Self::CampIsNation,
        Self::NoRebase,
    ];
}

#[cfg(feature = "planted-faults")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Plants a fault in the whole process, or takes it out again.
#[cfg(feature = "planted-faults")]
pub fn plant(fault: Option<Fault>) {
    PLANTED.store(fault.map_or(0, |fault| fault as u8), std::sync::atomic::Ordering::SeqCst);
}

/// Whether a fault is planted.
#[cfg(feature = "planted-faults")]
pub(crate) fn is_planted(fault: Fault) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == fault as u8
}

/// Never, in a program that people use.
#[cfg(not(feature = "planted-faults"))]
pub(crate) const fn is_planted(_: Fault) -> bool {
    false
}
