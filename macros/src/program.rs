//! `#[anyrt::main]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Path, Result, parse_quote, parse2};

use crate::function::Function;
use crate::options::{self, Given};
use crate::runtimes::{RUNTIMES, Runtime, dependency, words};

#[derive(Default)]
struct Options {
    runtime: Option<Given<&'static Runtime>>,
    workers: Option<Given<usize>>,
    shutdown: Option<Given<u64>>,
    watch: Option<Given<u64>>,
    anyrt: Option<Given<Path>>,
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function: Function = parse2(item)?;
    let Options { runtime, workers, shutdown, watch, anyrt } = match parse2(options) {
        Ok(options) => options,
        Err(error) => {
            // Of a `main` that stays async, rustc would say so as well.
            let (error, program) =
                (error.into_compile_error(), around(&function, &quote!(::core::unreachable!())));
            return Ok(quote!(#error #program));
        }
    };
    if let Some(argument) = function.sig.inputs.first() {
        return Err(Error::new_spanned(
            argument,
            "nobody calls it with an argument: `AnyRuntime::current()` is its runtime",
        ));
    }
    if !function.sig.generics.params.is_empty() {
        return Err(Error::new_spanned(&function.sig.generics, "nobody says which type this is: remove it"));
    }

    // All that the attribute needs: whoever pastes the line of one of them would lose the other one.
    let needs = [runtime.as_ref().map(|runtime| runtime.value.feature), watch.as_ref().map(|_| "watch")];
    let feature_is_off = |feature, span| feature_is_off(feature, needs.into_iter().flatten(), span);
    let anyrt = anyrt.map_or_else(|| parse_quote!(::anyrt), |path| path.value);
    let program = match runtime {
        None => quote!(#anyrt::macros::Program::chosen()),
        Some(Given { value: runtime, span }) => {
            let (constant, if_compiled_in) = (runtime.constant(span), runtime.if_compiled_in());
            let missing = feature_is_off(runtime.feature, span);
            quote!(#anyrt::macros::#if_compiled_in! {
                { #anyrt::macros::Program::on(&#anyrt::macros::#constant) }
                { #missing }
            })
        }
    };
    let lacks_watch = watch.as_ref().map(|watch| {
        let missing = feature_is_off("watch", watch.span);
        quote!(#anyrt::macros::if_watch! { {} { #missing } })
    });
    let watch = watch.map(|millis| millis.value).map(|millis| quote!(.watch_millis(#millis)));
    let workers = workers.map(|workers| workers.value).map(|workers| quote!(.workers(#workers)));
    let shutdown = shutdown.map(|millis| millis.value).map(|millis| quote!(.shutdown_millis(#millis)));

    let name = &function.sig.ident;
    // At the function, which is where a watch says that it is called.
    let run = quote_spanned!(name.span()=> .run(#name()));
    Ok(around(&function, &quote!(#lacks_watch #program #workers #shutdown #watch #run)))
}

/// An error of the compiler, with the line to write.
fn feature_is_off<'a>(feature: &str, needs: impl IntoIterator<Item = &'a str>, span: Span) -> TokenStream {
    let text = format!("feature `{feature}` of anyrt is off: write `{}` in Cargo.toml", dependency(needs));
    quote_spanned!(span=> ::core::compile_error! { #text })
}

/// A function that does `run`, which knows the async one.
fn around(Function { attrs, vis, sig, body }: &Function, run: &TokenStream) -> TokenStream {
    let (name, output) = (&sig.ident, &sig.output);
    quote! {
        #(#attrs)*
        #vis fn #name() #output {
            #[allow(dead_code)]
            async fn #name() #output #body
            #run
        }
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        let mut current_thread = None;
        options::each(input, |name, input| match name.to_string().as_str() {
            "workers" => options::keep(&mut options.workers, name, options::workers(input, name)?),
            "shutdown" => options::keep(&mut options.shutdown, name, options::millis(input, name, "5s")?),
            "watch" => options::keep(&mut options.watch, name, options::millis(input, name, "10ms")?),
            "crate" => options::keep(&mut options.anyrt, name, options::crate_path(input, name)?),
            "current_thread" => options::keep(&mut current_thread, name, ()),
            _ => options.name(name),
        })?;
        if let Some(Given { span, .. }) = current_thread {
            let one_thread = format_ident!("tokio_current_thread", span = span);
            match &mut options.runtime {
                Some(runtime) if runtime.value.word == "tokio" => {
                    runtime.value = Runtime::named(&one_thread)?
                }
                _ => return Err(Error::new(span, "only tokio has it: write `tokio, current_thread`")),
            }
        }
        if let (Some(shutdown), Some(runtime)) = (&options.shutdown, &options.runtime) {
            if !runtime.value.is_owned {
                let text = format!("`{}` ends with the process: remove `shutdown`", runtime.value.word);
                return Err(Error::new(shutdown.span, text));
            }
        }
        if let (Some(workers), Some(runtime)) = (&options.workers, &options.runtime) {
            if !runtime.value.takes_workers {
                let with = words(RUNTIMES.iter().filter(|runtime| runtime.takes_workers));
                let text = format!("`{}` takes no `workers`: those of {with} do", runtime.value.word);
                return Err(Error::new(workers.span, text));
            }
        }
        Ok(options)
    }
}

impl Options {
    /// The runtime, which is a word by itself.
    fn name(&mut self, word: &Ident) -> Result<()> {
        let as_on_tokio = match word.to_string().as_str() {
            "flavor" => Some("write `tokio` or `tokio, current_thread`"),
            "worker_threads" => Some("write `workers = 2`"),
            _ => None,
        };
        if let Some(instead) = as_on_tokio {
            return Err(Error::new(word.span(), format!("`{word}` is an option of tokio: {instead}")));
        }
        let Some(runtime) = RUNTIMES.iter().find(|runtime| word == runtime.word) else {
            return Err(Error::new(
                word.span(),
                format!(
                    "unknown option `{word}`: write a runtime, one of {}, or `current_thread`, `workers = 2`, \
                     `shutdown = \"5s\"`, `watch = \"10ms\"`, `crate = \"my_anyrt\"`",
                    words(&RUNTIMES)
                ),
            ));
        };
        match &self.runtime {
            Some(first) => Err(Error::new(
                word.span(),
                format!("`{}` is its runtime already: write one of the two", first.value.word),
            )),
            None => options::keep(&mut self.runtime, word, runtime),
        }
    }
}
