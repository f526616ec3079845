//! `join!` and `try_join!`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Path, Result, Token, parse2};

use crate::racing::{Start, crate_of, futures};

struct Join {
    anyrt: Path,
    start: Start,
    expressions: Punctuated<Expr, Token![,]>,
}

/// A tuple of the outputs.
pub(crate) fn join(input: TokenStream) -> Result<TokenStream> {
    expand(input, |value, output| quote!(#output = ::core::option::Option::Some(#value)), |outputs| outputs)
}

/// `Ok` of a tuple, or the first error.
pub(crate) fn try_join(input: TokenStream) -> Result<TokenStream> {
    let keep = |value: &TokenStream, output: &TokenStream| {
        quote! {
            match #value {
                ::core::result::Result::Ok(value) => #output = ::core::option::Option::Some(value),
                ::core::result::Result::Err(error) => {
                    return ::core::task::Poll::Ready(::core::result::Result::Err(error));
                }
            }
        }
    };
    expand(input, keep, |outputs| quote!(::core::result::Result::Ok(#outputs)))
}

fn expand(
    input: TokenStream,
    keep: impl Fn(&TokenStream, &TokenStream) -> TokenStream,
    result: impl Fn(TokenStream) -> TokenStream,
) -> Result<TokenStream> {
    let Join { anyrt, start, expressions } = parse2(input)?;
    let count = expressions.len();
    if count == 0 {
        return Ok(result(quote!(())));
    }
    let expressions = expressions.iter();
    let (polled, outputs) = (futures("polled", count), futures("output", count));
    let numbers = 0..count;
    let start = start.expression(&anyrt, count);
    let kept = outputs.iter().map(|output| keep(&quote!(value), &quote!(#output)));
    let all = result(quote!((#(#outputs,)*)));
    Ok(quote! {{
        // A future is dropped where it is ready: another may wait for what it holds.
        #(let mut #polled = ::core::pin::pin!(::core::option::Option::Some(
            ::core::future::IntoFuture::into_future(#expressions)
        ));)*
        #(let mut #outputs = ::core::option::Option::None;)*
        ::core::future::poll_fn(|cx| {
            let mut is_pending = false;
            #[allow(clippy::modulo_one)]
            for turn in #start {
                match turn % #count {
                    #(#numbers => if let ::core::option::Option::Some(future) = #polled.as_mut().as_pin_mut() {
                        match ::core::future::Future::poll(future, cx) {
                            ::core::task::Poll::Ready(value) => {
                                #kept;
                                #polled.set(::core::option::Option::None);
                            }
                            ::core::task::Poll::Pending => is_pending = true,
                        }
                    },)*
                    _ => ::core::unreachable!(),
                }
            }
            if is_pending {
                return ::core::task::Poll::Pending;
            }
            match (#(#outputs.take(),)*) {
                (#(::core::option::Option::Some(#outputs),)*) => ::core::task::Poll::Ready(#all),
                _ => ::core::panic!("`join!` is polled after it has completed"),
            }
        })
        .await
    }})
}

impl Parse for Join {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let anyrt = crate_of(input)?;
        let start = input.parse()?;
        Ok(Self { anyrt, start, expressions: Punctuated::parse_terminated(input)? })
    }
}
