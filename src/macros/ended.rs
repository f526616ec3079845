use std::cell::RefCell;
use std::fmt::Debug;
use std::process::{ExitCode, Termination};

/// Return value of a test.
#[derive(Debug)]
pub struct Ended<T>(RefCell<Option<T>>);

impl<T: Termination> Ended<T> {
    /// It has returned this.
    pub fn with(value: T) -> Self {
        Self(RefCell::new(Some(value)))
    }
}

/// For results, whose error is printed. Of the two traits, method resolution prefers this one, which matches `&&Ended`
/// directly.
pub trait EndOfResult {
    /// Panics where the test has failed.
    fn anyrt_check(&self);
}

impl<T: Termination, E: Debug> EndOfResult for &Ended<Result<T, E>> {
    #[track_caller]
    fn anyrt_check(&self) {
        match self.0.take() {
            Some(Ok(value)) => Ended::with(value).anyrt_check(),
            Some(Err(error)) => {
                // Before the panic: one while its text is made ends the process.
                let error = format!("{error:?}");
                panic!("the test returned an error: {error}")
            }
            None => {}
        }
    }
}

/// For all other return types of a test.
pub trait EndOfTest {
    /// Panics where the test has failed.
    fn anyrt_check(&self);
}

impl<T: Termination> EndOfTest for Ended<T> {
    #[track_caller]
    fn anyrt_check(&self) {
        // An `ExitCode` does not compare; its text does.
        let code = self.0.take().map_or(ExitCode::SUCCESS, Termination::report);
        let text = format!("{code:?}");
        assert!(text == format!("{:?}", ExitCode::SUCCESS), "the test returned {text}");
    }
}
