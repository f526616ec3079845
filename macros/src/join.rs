//! `join!` and `try_join!`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
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
        quote_spanned! {Span::mixed_site()=>
            match #value {
                ::core::result::Result::Ok(__value) => #output = ::core::option::Option::Some(__value),
                ::core::result::Result::Err(__error) => {
                    return ::core::task::Poll::Ready(::core::result::Result::Err(__error));
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
    let value = Ident::new("__value", Span::mixed_site());
    let value = quote!(#value);
    let kept = outputs.iter().map(|output| keep(&value, &quote!(#output)));
    let all = result(quote!((#(#outputs,)*)));
    Ok(quote_spanned! {Span::mixed_site()=> {
        // A future is dropped where it is ready: another may wait for what it holds.
        #(let mut #polled = ::core::pin::pin!(::core::option::Option::Some(
            ::core::future::IntoFuture::into_future(#expressions)
        ));)*
        #(let mut #outputs = ::core::option::Option::None;)*
        ::core::future::poll_fn(|__cx| {
            let mut __is_pending = false;
            #[allow(clippy::modulo_one)]
            for __turn in #start {
                match __turn % #count {
                    #(#numbers => if let ::core::option::Option::Some(__future) = #polled.as_mut().as_pin_mut() {
                        match ::core::future::Future::poll(__future, __cx) {
                            ::core::task::Poll::Ready(__value) => {
                                #kept;
                                #polled.set(::core::option::Option::None);
                            }
                            ::core::task::Poll::Pending => __is_pending = true,
                        }
                    },)*
                    _ => ::core::unreachable!(),
                }
            }
            if __is_pending {
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
