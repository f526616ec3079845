//! Options: the list in the parentheses of an attribute.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitInt, LitStr, Path, Result, Token};

use crate::duration;

/// The value of an option, and its place for errors.
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// Reads options until the end, with commas between them. `read` reads what follows the name of one.
pub(crate) fn each(
    input: ParseStream<'_>,
    mut read: impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    while !input.is_empty() {
        if let Ok(text) = input.fork().parse::<LitStr>() {
            return Err(Error::new(input.span(), format!("write it without quotes: `{}`", text.value())));
        }
        // `crate` is one.
        let name = input.call(Ident::parse_any)?;
        if name == "async" && input.peek(Token![-]) {
            return Err(Error::new(name.span(), "here it is one word: write `async_std`"));
        }
        read(&name, input)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// Keeps the value of an option, which may be there only once.
pub(crate) fn keep<T>(place: &mut Option<Given<T>>, name: &Ident, value: T) -> Result<()> {
    if place.is_some() {
        return Err(Error::new(name.span(), format!("`{name}` is there twice")));
    }
    *place = Some(Given { value, span: name.span() });
    Ok(())
}

/// Reads `=` and the value of an option. An error says to write `example`.
pub(crate) fn value<T: Parse>(input: ParseStream<'_>, name: &Ident, example: &str) -> Result<T> {
    let wrong = |span| Error::new(span, format!("write `{name} = {example}`"));
    if !input.peek(Token![=]) {
        return Err(wrong(name.span()));
    }
    input.parse::<Token![=]>()?;
    let span = input.span();
    input.parse().map_err(|_| wrong(span))
}

/// As many worker threads as a runtime may have.
pub(crate) fn workers(input: ParseStream<'_>, name: &Ident) -> Result<usize> {
    let count: LitInt = value(input, name, "2")?;
    match count.base10_parse() {
        Ok(workers @ 1..=4096) => Ok(workers),
        _ => Err(Error::new(count.span(), "a runtime has 1 to 4096 workers")),
    }
}

/// How long something may take.
pub(crate) fn millis(input: ParseStream<'_>, name: &Ident, example: &str) -> Result<u64> {
    duration::millis(&value::<LitStr>(input, name, &format!("{example:?}"))?, example)
}

/// How the caller calls anyrt.
pub(crate) fn crate_path(input: ParseStream<'_>, name: &Ident) -> Result<Path> {
    let example = "\"my_anyrt\"";
    let text: LitStr = value(input, name, example)?;
    let path = text.parse_with(Path::parse_mod_style).map_err(|_| {
        Error::new(text.span(), format!("`{}` is not a path: write `crate = {example}`", text.value()))
    })?;
    // It is written into a module further in.
    match path.segments.first() {
        Some(first) if first.ident == "self" || first.ident == "super" => {
            Err(Error::new(text.span(), "begin with `crate::`, or with the name of a crate"))
        }
        _ => Ok(path),
    }
}
