//! Programs and tests that are watched: an option of the attribute, or a variable of the environment.

use std::time::Duration;
use std::{env, io};

use crate::AnyRuntime;

/// How long a task may block its thread, `10ms`; or `off`.
const VARIABLE: &str = "ANYRT_WATCH";

/// How long a task may block its thread; `None` if nothing is watched.
///
/// # Errors
///
/// If the environment says something else; the text says what to write.
pub(super) fn limit(of_the_attribute: Option<Duration>) -> Result<Option<Duration>, String> {
    let variable = env::var_os(VARIABLE);
    let variable = variable.map(|text| text.to_string_lossy().into_owned());
    let said = said_by(variable.as_deref())?;
    Ok(said.unwrap_or(of_the_attribute))
}

/// What the environment says, if it says anything.
fn said_by(variable: Option<&str>) -> Result<Option<Option<Duration>>, String> {
    match variable {
        None | Some("") => Ok(None),
        Some("off") => Ok(Some(None)),
        Some(text) => match duration(text) {
            Some(limit) => Ok(Some(Some(limit))),
            None => Err(format!(
                "{VARIABLE} is {text:?}: set it to a whole number of ms, s, m or h, such as 10ms, or to off"
            )),
        },
    }
}

/// As the attributes have it: `anyrt-macros` reads those.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(millis)?))
}

/// The runtime, watched with this limit.
///
/// # Errors
///
/// If the system gives no thread.
#[cfg(feature = "watch")]
pub(super) fn watched(rt: AnyRuntime, limit: Option<Duration>) -> io::Result<AnyRuntime> {
    use crate::watch::WatchOptions;

    match limit {
        Some(limit) => rt.watch(WatchOptions::new().warn_after(limit)),
        None => Ok(rt),
    }
}

/// The runtime as it is. Says once which feature is missing: an attribute that asks for it does not compile.
#[cfg(not(feature = "watch"))]
pub(super) fn watched(rt: AnyRuntime, limit: Option<Duration>) -> io::Result<AnyRuntime> {
    use crate::runtime::task::native::COMPILED_IN;

    static SAID: std::sync::Once = std::sync::Once::new();

    let line = match COMPILED_IN.first() {
        Some(&"smol") => "`anyrt = { version = \"0.1\", features = [\"macros\", \"smol\", \"watch\"] }`",
        Some(&"async-std") => {
            "`anyrt = { version = \"0.1\", features = [\"macros\", \"async-std\", \"watch\"] }`"
        }
        _ => "`anyrt = { version = \"0.1\", features = [\"macros\", \"tokio\", \"watch\"] }`",
    };
    if limit.is_some() {
        SAID.call_once(|| {
            super::program::say(format_args!(
                "{VARIABLE} is set, but feature `watch` of anyrt is off, so nothing is watched: add it to the others in Cargo.toml, \
                 as in {line}"
            ));
        });
    }
    Ok(rt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_is_a_duration_or_off() {
        assert_eq!([None, Some("")].map(said_by), [Ok(None), Ok(None)]);
        assert_eq!(said_by(Some("off")), Ok(Some(None)));
        for (text, millis) in [("0s", 0), ("1ms", 1), ("10s", 10_000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(said_by(Some(text)), Ok(Some(Some(Duration::from_millis(millis)))));
        }
        for wrong in [
            "10",
            "s",
            "-1s",
            "1.5s",
            "1d",
            "99999999999999999h",
            "99999999999999999999s",
            "10 s",
            "ten s",
            "on",
            "Off",
        ] {
            let error = said_by(Some(wrong)).unwrap_err();
            let begin = format!("ANYRT_WATCH is {wrong:?}: set it to a whole number of ms, ");
            assert!(error.starts_with(&begin), "{error}");
        }
    }
}
