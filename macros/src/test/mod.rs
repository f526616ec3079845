//! `#[anyrt::test]`.

mod argument;
mod options;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Path, Result, parse_quote, parse2};

use self::argument::Argument;
use self::options::{Options, Policy, Simulation};
use crate::function::Function;
use crate::options::Given;
use crate::runtimes::Runtime;

/// The function, and beside it a module of its name with a test for each runtime that is compiled into anyrt.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options: Options = parse2(options)?;
    let mut function: Function = parse2(item)?;
    let argument = Argument::of(&function)?;
    if function.returns_never() {
        let text = "a test that never returns has no end: remove `-> !`";
        return Err(Error::new_spanned(&function.sig.output, text));
    }
    let attrs = of_the_tests(&mut function)?;

    let anyrt = options.anyrt.as_ref().map_or_else(|| parse_quote!(::anyrt), |path| path.value.clone());
    let tests = Tests { anyrt: &anyrt, function: &function, argument, attrs, options: &options };
    let name = &function.sig.ident;
    let (body, each) = (
        tests.body(),
        options.runtimes().map(|(runtime, skipped)| match skipped {
            Some(reason) => tests.skipped(runtime, &reason.value()),
            None => tests.test(runtime),
        }),
    );
    let no_backend = tests.no_backend();
    Ok(quote! {
        #[cfg(test)]
        #[allow(dead_code)]
        #function

        #body

        #[cfg(test)]
        #[allow(dead_code)]
        mod #name {
            #(#each)*
            #no_backend
        }
    })
}

/// Takes away those attributes of the function that are for each of its tests. The `cfg`s are gone by now.
fn of_the_tests(function: &mut Function) -> Result<Vec<Attribute>> {
    let is_named =
        |attr: &Attribute, name| attr.path().segments.last().is_some_and(|last| last.ident == name);
    let is_another = |attr: &&Attribute| is_named(attr, "test") || is_named(attr, "main");
    if let Some(other) = function.attrs.iter().find(is_another) {
        return Err(Error::new_spanned(other, "it is a test already: remove one of the two attributes"));
    }
    let is_for_tests = |attr: &&Attribute| is_named(attr, "ignore") || is_named(attr, "should_panic");
    if let Some(panics) = function.attrs.iter().find(|attr| is_named(attr, "should_panic")) {
        if !function.returns_unit() {
            return Err(Error::new_spanned(panics, "a test that should panic returns nothing"));
        }
    }
    let (of_tests, attrs) =
        std::mem::take(&mut function.attrs).into_iter().partition(|attr| is_for_tests(&attr));
    function.attrs = attrs;
    Ok(of_tests)
}

struct Tests<'a> {
    anyrt: &'a Path,
    function: &'a Function,
    argument: Argument,
    attrs: Vec<Attribute>,
    options: &'a Options,
}

impl Tests<'_> {
    /// The function that all tests call, unless each has a type of its own. It is beside the async function, and not in the module:
    /// rustc makes a unit of code of each module, and takes half as long again where a future is made in another unit.
    fn body(&self) -> Option<TokenStream> {
        let (anyrt, body) = (self.anyrt, self.body_name());
        let rt = self.runtime_argument();
        let argument = match &self.argument {
            Argument::None => quote!(),
            Argument::Any(span) => quote_spanned!(*span=> __anyrt_rt),
            Argument::Generic(_) => return None,
        };
        let name = &self.function.sig.ident;
        let call = self.call(quote!(self::#name(#argument)));
        Some(quote! {
            #[cfg(test)]
            #[allow(dead_code, non_snake_case)]
            fn #body(#rt: #anyrt::AnyRuntime) -> #anyrt::macros::Body {
                #call
            }
        })
    }

    fn body_name(&self) -> Ident {
        format_ident!("__anyrt_body_of_{}", self.function.sig.ident)
    }

    fn runtime_argument(&self) -> Ident {
        let name = if matches!(self.argument, Argument::None) { "_" } else { "__anyrt_rt" };
        Ident::new(name, Span::call_site())
    }

    /// A call of the function, as a future of nothing.
    fn call(&self, future: TokenStream) -> TokenStream {
        let anyrt = self.anyrt;
        if self.function.returns_unit() {
            return quote!(::std::boxed::Box::pin(#future));
        }
        let output = self.function.sig.output.span().resolved_at(Span::call_site());
        let ended = quote_spanned!(output=> #anyrt::macros::Ended::with(#future.await));
        quote! {
            ::std::boxed::Box::pin(async move {
                use #anyrt::macros::{EndOfResult as _, EndOfTest as _};
                (&&#ended).anyrt_check();
            })
        }
    }

    fn test(&self, runtime: &Runtime) -> TokenStream {
        let name = Ident::new(runtime.word, self.function.sig.ident.span());
        let (anyrt, attrs, if_compiled_in) = (self.anyrt, &self.attrs, runtime.if_compiled_in());
        let run = self.run(runtime);
        let missing = self.options.is_chosen().then(|| {
            let reason = format!("feature `{}` of anyrt is off", runtime.feature);
            self.ignored(runtime, &reason)
        });
        quote! {
            #anyrt::macros::#if_compiled_in! {
                {
                    #[::core::prelude::v1::test]
                    #(#attrs)*
                    fn #name() {
                        #run
                    }
                }
                { #missing }
            }
        }
    }

    fn run(&self, runtime: &Runtime) -> TokenStream {
        let (anyrt, span) = (self.anyrt, self.function.sig.ident.span());
        let body = match &self.argument {
            Argument::None | Argument::Any(_) => {
                let body = self.body_name();
                quote!(super::#body)
            }
            Argument::Generic(span) => {
                let (name, kind) = (&self.function.sig.ident, runtime.kind(*span));
                let argument = quote_spanned!(*span=> #anyrt::macros::known::<#anyrt::#kind>(__anyrt_rt));
                let call = self.call(quote!(super::#name(#argument)));
                quote!(|__anyrt_rt| #call)
            }
        };
        let workers = self.options.workers.as_ref().map(|workers| workers.value);
        let workers = workers.map(|workers| quote!(.workers(#workers)));
        let timeout = self.options.timeout.as_ref().map(|millis| millis.value);
        let timeout = timeout.map(|millis| quote!(.timeout_millis(#millis)));
        let test = quote!(#anyrt::macros::Test::new(::core::module_path!(), #body) #workers #timeout);
        if runtime.word == "sim" {
            return self.simulated(test);
        }
        let constant = runtime.constant(span);
        quote_spanned!(span=> #test.run(&#anyrt::macros::#constant);)
    }

    fn simulated(&self, test: TokenStream) -> TokenStream {
        let anyrt = self.anyrt;
        let none = Simulation::default();
        let Simulation { seeds, policy, max_poll, guided, with } =
            self.options.sim.as_ref().map_or(&none, |sim| &sim.value);
        // What the caller has written is from around the module.
        let names = self.options.sim.as_ref().map(|_| {
            quote!(
                #[allow(unused_imports)]
                use super::*;
            )
        });
        let seeds = seeds.as_ref().map(|Given { value, .. }| quote!(.seeds(#value)));
        let policy = policy.as_ref().map(|Given { value, .. }| match value {
            Policy::Named(policy) => quote!(.policy(#anyrt::sim::Policy::#policy)),
            Policy::Other(policy) => quote!(.policy(#policy)),
        });
        let max_poll = max_poll.as_ref().map(|Given { value, .. }| quote!(.max_poll_millis(#value)));
        let guided = guided.as_ref().map(|_| quote!(.guided()));
        let with = with.as_ref().map(|Given { value, .. }| quote!(.with(#value)));
        let span = self.function.sig.ident.span();
        let drive = quote_spanned!(span=> |__anyrt_sim, __anyrt_body| {
            #anyrt::BlockOn::block_on(__anyrt_sim, __anyrt_body)
        });
        quote_spanned! {span=>
            #names
            #anyrt::macros::Simulated::new(#test, #drive) #seeds #policy #max_poll #guided #with .run();
        }
    }

    fn skipped(&self, runtime: &Runtime, reason: &str) -> TokenStream {
        let (anyrt, if_compiled_in) = (self.anyrt, runtime.if_compiled_in());
        let ignored = self.ignored(runtime, reason);
        quote!(#anyrt::macros::#if_compiled_in! { { #ignored } {} })
    }

    /// A test that only says why it is not one.
    fn ignored(&self, runtime: &Runtime, reason: &str) -> TokenStream {
        let name = Ident::new(runtime.word, self.function.sig.ident.span());
        let anyrt = self.anyrt;
        quote! {
            #[::core::prelude::v1::test]
            #[ignore = #reason]
            fn #name() {
                #anyrt::macros::skipped(::core::module_path!(), ::core::stringify!(#name), #reason);
            }
        }
    }

    /// A test that fails where there is no other.
    fn no_backend(&self) -> TokenStream {
        let anyrt = self.anyrt;
        quote! {
            #anyrt::macros::if_no_backend! {
                {
                    #[::core::prelude::v1::test]
                    fn no_backend() {
                        #anyrt::macros::no_backend();
                    }
                }
                {}
            }
        }
    }
}
