//! What can be wrong with deliveries on purpose.

/// Something that is wrong with the deliveries of one event; see [`Emulator::tamper`](crate::Emulator::tamper).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tamper {
    /// The event is delivered a second time, with the same id and the same bytes.
    Duplicate,
    /// The event goes out after the next one to the same webhook, or after 60 s without one.
    OutOfOrder,
    /// The signature is well formed and made with the right secret, but over other bytes.
    WrongSignature,
    /// There is no signature.
    Unsigned,
}

impl Tamper {
    pub(crate) const ALL: [Self; 4] =
        [Self::Duplicate, Self::OutOfOrder, Self::WrongSignature, Self::Unsigned];

    /// The tamper as control requests and the state name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::OutOfOrder => "out-of-order",
            Self::WrongSignature => "wrong-signature",
            Self::Unsigned => "unsigned",
        }
    }

    /// What the capabilities document says of it.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::Duplicate => "the event comes twice, with the same id and the same bytes",
            Self::OutOfOrder => {
                "the event comes after the next one to the same webhook, or after 60 s without one"
            }
            Self::WrongSignature => "the signature is over other bytes",
            Self::Unsigned => "there is no signature",
        }
    }
}
