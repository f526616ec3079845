//! Shared by `select!` and `join!`: one task polls several futures in turn.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Path, Result, Token, parenthesized};

/// Which future is polled first.
pub(crate) enum Start {
    /// `biased;`: the first that is written.
    First,
    /// Another each time.
    Anywhere,
}

impl Start {
    /// A range of as many numbers as there are futures, which are those numbers modulo `count`.
    pub(crate) fn expression(&self, anyrt: &Path, count: usize) -> TokenStream {
        match self {
            _ if count < 2 => quote!(0..#count),
            Self::First => quote!(0..#count),
            Self::Anywhere => quote!(#anyrt::macros::from_anywhere(#count)),
        }
    }
}

impl Parse for Start {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let is_biased = |ident: &Ident| ident == "biased";
        if input.fork().parse::<Ident>().as_ref().is_ok_and(is_biased) && input.peek2(Token![;]) {
            input.call(Ident::parse_any)?;
            input.parse::<Token![;]>()?;
            return Ok(Self::First);
        }
        Ok(Self::Anywhere)
    }
}

/// `($crate)`, which the macro of anyrt puts first.
pub(crate) fn crate_of(input: ParseStream<'_>) -> Result<Path> {
    let content;
    parenthesized!(content in input);
    content.call(Path::parse_mod_style)
}

/// Names for as many futures, of which the caller's code knows nothing.
pub(crate) fn futures(name: &str, count: usize) -> Vec<Ident> {
    (0..count).map(|n| Ident::new(&format!("{name}{n}"), Span::mixed_site())).collect()
}
