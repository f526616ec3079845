//! `select!`, with the grammar of tokio's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Block, Error, Expr, Pat, Path, Result, Token, parse2, token};

use crate::racing::{Start, crate_of, futures};

struct Select {
    anyrt: Path,
    start: Start,
    branches: Vec<Branch>,
    otherwise: Option<Expr>,
}

/// `pattern = future, if condition => handler`.
struct Branch {
    pattern: Pat,
    future: Expr,
    condition: Option<Expr>,
    handler: Expr,
}

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let Select { anyrt, start, branches, otherwise } = parse2(input)?;
    let count = branches.len();
    let (poll, polled) = (futures("poll", count), futures("polled", count));
    let numbers = 0..count;
    let (types, variants) = (futures("T", count), futures("Branch", count));
    let enabled = branches.iter().map(|branch| match &branch.condition {
        Some(condition) => quote!(#condition),
        None => quote!(true),
    });
    let start = start.expression(&anyrt, count);
    let expressions = branches.iter().map(|branch| &branch.future);
    // At the place of the expression, so that what is no future is shown there.
    let pinned = branches.iter().zip(&poll).map(|(branch, poll)| {
        let future = quote_spanned!(branch.future.span()=> ::core::future::IntoFuture::into_future(#poll));
        quote!(::core::pin::pin!(#future))
    });
    let matches = branches.iter().map(|branch| borrowed(&branch.pattern));
    let arms = branches.iter().map(|Branch { pattern, handler, .. }| quote!((#pattern) => #handler));
    let otherwise = otherwise.map_or_else(
        || quote!(::core::panic!("all branches are disabled and there is no else branch")),
        |expression| quote!(#expression),
    );
    if count == 0 {
        return Ok(otherwise);
    }
    // What the caller writes is evaluated beside these two, and is not to see them.
    let [output, enabled_now] = ["output", "enabled"].map(|name| Ident::new(name, Span::mixed_site()));
    Ok(quote_spanned! {Span::mixed_site()=> {
        enum __AnyrtSelected<#(#types),*> { #(#variants(#types),)* Disabled }

        let mut #enabled_now: [bool; #count] = [#(#enabled),*];
        let #output = {
            // A statement of its own: a future that is written as a reference lives to the end of the block.
            #(let #poll = #expressions;)*
            #(let mut #polled = #pinned;)*
            ::core::future::poll_fn(|__cx| #anyrt::macros::counted(__cx, |__cx| {
                let mut __is_pending = false;
                #[allow(clippy::modulo_one)]
                for __turn in #start {
                    match __turn % #count {
                        #(#numbers => {
                            if !#enabled_now[#numbers] {
                                continue;
                            }
                            let __ready = match ::core::future::Future::poll(#polled.as_mut(), __cx) {
                                ::core::task::Poll::Ready(__ready) => __ready,
                                ::core::task::Poll::Pending => {
                                    __is_pending = true;
                                    continue;
                                }
                            };
                            #enabled_now[#numbers] = false;
                            match &__ready {
                                #[allow(unused_variables)]
                                #matches => {}
                                #[allow(unreachable_patterns)]
                                _ => continue,
                            }
                            return ::core::task::Poll::Ready(__AnyrtSelected::#variants(__ready));
                        })*
                        _ => ::core::unreachable!(),
                    }
                }
                if __is_pending {
                    ::core::task::Poll::Pending
                } else {
                    ::core::task::Poll::Ready(__AnyrtSelected::Disabled)
                }
            }))
            .await
        };
        // A place of its own, so that a pattern may bind by `ref mut`.
        match { #output } {
            #(__AnyrtSelected::#variants #arms,)*
            __AnyrtSelected::Disabled => #otherwise,
            #[allow(unreachable_patterns)]
            _ => ::core::unreachable!(),
        }
    }})
}

/// The pattern, for a look at the output before it is moved: nothing is bound by `mut` or `ref`.
fn borrowed(pattern: &Pat) -> Pat {
    let mut pattern = pattern.clone();
    borrow(&mut pattern);
    pattern
}

fn borrow(pattern: &mut Pat) {
    match pattern {
        Pat::Ident(ident) => {
            (ident.by_ref, ident.mutability) = (None, None);
            if let Some((_, inner)) = &mut ident.subpat {
                borrow(inner);
            }
        }
        Pat::Or(or) => or.cases.iter_mut().for_each(borrow),
        Pat::Paren(paren) => borrow(&mut paren.pat),
        Pat::Slice(slice) => slice.elems.iter_mut().for_each(borrow),
        Pat::Struct(of) => of.fields.iter_mut().for_each(|field| borrow(&mut field.pat)),
        Pat::Tuple(tuple) => tuple.elems.iter_mut().for_each(borrow),
        Pat::TupleStruct(tuple) => tuple.elems.iter_mut().for_each(borrow),
        Pat::Reference(reference) => borrow(&mut reference.pat),
        Pat::Type(typed) => borrow(&mut typed.pat),
        _ => {}
    }
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let anyrt = crate_of(input)?;
        let start = input.parse()?;
        let mut select = Self { anyrt, start, branches: Vec::new(), otherwise: None };
        while !input.is_empty() {
            if input.peek(Token![else]) {
                input.parse::<Token![else]>()?;
                input.parse::<Token![=>]>()?;
                select.otherwise = Some(input.parse()?);
                input.parse::<Option<Token![,]>>()?;
                if !input.is_empty() {
                    return Err(input.error("`else` is the last branch"));
                }
                break;
            }
            select.branches.push(input.parse()?);
        }
        if select.branches.is_empty() && select.otherwise.is_none() {
            return Err(Error::new(
                Span::call_site(),
                "`select!` has no branch: write `value = future => expression`",
            ));
        }
        Ok(select)
    }
}

impl Parse for Branch {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        let future = input.parse()?;
        let mut condition = None;
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
            input.parse::<Token![if]>()?;
            condition = Some(input.parse()?);
        }
        input.parse::<Token![=>]>()?;
        // A block needs no comma after it, and ends where it ends.
        let handler = if input.peek(token::Brace) {
            let block: Block = input.parse()?;
            input.parse::<Option<Token![,]>>()?;
            parse2(quote!(#block))?
        } else {
            let handler = input.parse()?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
            handler
        };
        Ok(Self { pattern, future, condition, handler })
    }
}
