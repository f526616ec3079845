use syn::{Error, LitStr, Result};

/// The milliseconds of a text such as `"10s"`: a whole number and its unit. An error says to write `example`.
pub(crate) fn millis(text: &LitStr, example: &str) -> Result<u64> {
    let value = text.value();
    let (number, unit) = value.split_at(value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len()));
    let unit = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let millis = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    match millis {
        Some(millis) => Ok(millis),
        None => Err(Error::new(
            text.span(),
            format!(
                "`{value}` is not a duration: write a whole number of `ms`, `s`, `m` or `h`, such as `{example:?}`"
            ),
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failure is the finding")]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn of(text: &str) -> Result<u64> {
        millis(&LitStr::new(text, Span::call_site()), "10s")
    }

    #[test]
    fn durations_have_a_unit() {
        let read = ["0s", "1ms", "10s", "2m", "1h"].map(|text| of(text).unwrap());
        assert_eq!(read, [0, 1, 10_000, 120_000, 3_600_000]);
        for bad in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "1d",
            "99999999999999999h",
            "99999999999999999999s",
            "10 s",
            "ten s",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
