//! The macros of [anyrt](https://docs.rs/anyrt), which are documented there: enable its feature `macros`.
//!
//! An attribute reads its options and the function, and says what is wrong with them. What it expands to is short, because
//! a crate has many tests: the rest is `src/macros` of anyrt, where its features decide which runtimes there are.

mod duration;
mod function;
mod join;
mod options;
mod program;
mod racing;
mod runtimes;
mod select;
mod test;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;

#[allow(missing_docs, reason = "anyrt has them, with examples that compile")]
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    expanded(program::expand(options.into(), item.clone().into()), item.into())
}

#[allow(missing_docs, reason = "anyrt has them, with examples that compile")]
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    expanded(test::expand(options.into(), item.clone().into()), item.into())
}

#[doc(hidden)]
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    select::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn join(input: TokenStream) -> TokenStream {
    join::join(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn try_join(input: TokenStream) -> TokenStream {
    join::try_join(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Beside the errors, the function stays as it is: an editor goes on to know it.
fn expanded(result: syn::Result<Tokens>, item: Tokens) -> TokenStream {
    let tokens = result.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#error #[allow(unused)] #item)
    });
    tokens.into()
}
