use anyrt::AnyRuntime;

/// The runtime of a service: the one that it was put on, or else was made on, or else was first called on.
///
/// tower asks which one it is at the call for some services, and where they are made for others. Made on a runtime, a service
/// of ours stays there, as whatever anyrt makes. Stacks of services are often put together in a plain `main`, before
/// there is a runtime, so the first call counts then.
#[derive(Clone, Debug)]
pub(crate) struct Latch(Option<AnyRuntime>);

impl Latch {
    /// Of a service that is made here.
    pub(crate) fn here() -> Self {
        Self(AnyRuntime::try_current().ok())
    }

    pub(crate) fn on(runtime: AnyRuntime) -> Self {
        Self(Some(runtime))
    }

    /// Of a service that a layer makes here: a layer is a description, and latches nothing.
    pub(crate) fn of_layer(runtime: Option<&AnyRuntime>) -> Self {
        runtime.cloned().map_or_else(Self::here, Self::on)
    }

    #[track_caller]
    pub(crate) fn get(&mut self) -> &AnyRuntime {
        match &mut self.0 {
            Some(runtime) => runtime,
            none => none.insert(AnyRuntime::current()),
        }
    }
}
