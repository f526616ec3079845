use std::env;

use super::{COMPILED_IN, Named};

/// Says which runtime it is where the program does not.
const VARIABLE: &str = "ANYRT_RUNTIME";

/// The runtime that the environment says, or else the only one that is compiled in.
///
/// # Errors
///
/// If none or several are compiled in; the text says what to write. `by_name` is how a program names one.
pub(crate) fn chosen(by_name: &str) -> Result<&'static Named, String> {
    let variable = env::var_os(VARIABLE).filter(|text| !text.is_empty());
    let variable = variable.map(|text| text.to_string_lossy().into_owned());
    choose(COMPILED_IN, variable.as_deref(), by_name)
}

fn choose(
    compiled_in: &[&'static Named],
    variable: Option<&str>,
    by_name: &str,
) -> Result<&'static Named, String> {
    let words = |runtimes: &[&'static Named]| {
        let words: Vec<_> = runtimes.iter().map(|runtime| runtime.word).collect();
        words.join(", ")
    };
    if let Some(word) = variable {
        // As the feature is called, too.
        let is_meant = |runtime: &&&Named| runtime.word == word.replace('-', "_");
        return compiled_in.iter().find(is_meant).copied().ok_or_else(|| match compiled_in {
            [] => no_runtime(),
            some => {
                format!("{VARIABLE} is `{word}`: set it to one that is compiled in, {}", words(some))
            }
        });
    }
    // A simulation is for tests, and no candidate beside a runtime.
    let is_real = |runtime: &&&Named| runtime.feature != "sim";
    let mut real = compiled_in.iter().filter(is_real);
    let Some(first) = real.next().or(compiled_in.first()) else { return Err(no_runtime()) };
    if real.any(|other| other.feature != first.feature) {
        return Err(format!(
            "several runtimes are compiled in, and anyrt does not guess between them: write {by_name}, or set {VARIABLE} to one \
             of {}",
            words(compiled_in)
        ));
    }
    Ok(first)
}

fn no_runtime() -> String {
    "no runtime is compiled in: enable one in Cargo.toml, such as `anyrt = { version = \"0.1\", features = [\"macros\", \
     \"tokio\"] }`"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::AnyRuntime;
    use crate::runtime::builder::Builder;

    fn never(_: Builder<AnyRuntime>) -> io::Result<AnyRuntime> {
        unreachable!()
    }

    static TOKIO: Named = Named { word: "tokio", feature: "tokio", start: never };
    static CURRENT_THREAD: Named = Named { word: "tokio_current_thread", feature: "tokio", start: never };
    static SMOL: Named = Named { word: "smol", feature: "smol", start: never };
    static ASYNC_STD: Named = Named { word: "async_std", feature: "async-std", start: never };
    static SIM: Named = Named { word: "sim", feature: "sim", start: never };

    fn chosen(compiled_in: &[&'static Named], variable: Option<&str>) -> Result<&'static str, String> {
        choose(compiled_in, variable, "`#[anyrt::main(tokio)]`").map(|runtime| runtime.word)
    }

    #[test]
    fn only_runtime_is_chosen() {
        assert_eq!(chosen(&[&TOKIO, &CURRENT_THREAD], None), Ok("tokio"));
        assert_eq!(chosen(&[&ASYNC_STD], None), Ok("async_std"));
        assert_eq!(chosen(&[&SMOL, &SIM], None), Ok("smol"));
        assert_eq!(chosen(&[&SIM], None), Ok("sim"));
    }

    #[test]
    fn several_runtimes_are_for_the_environment_to_choose_from() {
        let all: &[_] = &[&TOKIO, &CURRENT_THREAD, &SMOL, &ASYNC_STD, &SIM];
        let error = chosen(all, None).unwrap_err();
        assert!(error.contains("`#[anyrt::main(tokio)]`"), "{error}");
        assert!(
            error.ends_with("ANYRT_RUNTIME to one of tokio, tokio_current_thread, smol, async_std, sim"),
            "{error}"
        );
        for runtime in all {
            assert_eq!(chosen(all, Some(runtime.word)), Ok(runtime.word));
        }
        assert_eq!(chosen(all, Some("async-std")), Ok("async_std"));
    }

    #[test]
    fn unknown_runtime_of_the_environment_is_an_error() {
        for wrong in ["", "tokyo", "Tokio", "smol"] {
            let error = chosen(&[&TOKIO, &SIM], Some(wrong)).unwrap_err();
            let text = format!("ANYRT_RUNTIME is `{wrong}`: set it to one that is compiled in, tokio, sim");
            assert_eq!(error, text);
        }
    }

    #[test]
    fn no_runtime_says_what_to_write() {
        for variable in [None, Some("tokio")] {
            assert!(chosen(&[], variable).unwrap_err().contains("features = [\"macros\", \"tokio\"]"));
        }
    }
}
