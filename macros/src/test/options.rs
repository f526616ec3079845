//! Options of `#[anyrt::test(…)]`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Lit, LitStr, Path, Result, Token, parenthesized};

use crate::options::{self, Given};
use crate::runtimes::{RUNTIMES, Runtime, words};

#[derive(Default)]
pub(super) struct Options {
    only: Option<Given<Vec<&'static Runtime>>>,
    skip: Option<Given<Vec<(&'static Runtime, LitStr)>>>,
    pub(super) workers: Option<Given<usize>>,
    pub(super) timeout: Option<Given<u64>>,
    pub(super) sim: Option<Given<Simulation>>,
    pub(super) anyrt: Option<Given<Path>>,
}

/// Of `sim(…)`: expressions, to stand where the function does.
#[derive(Default)]
pub(super) struct Simulation {
    pub(super) seeds: Option<Given<TokenStream>>,
    pub(super) policy: Option<Given<Policy>>,
    pub(super) max_poll: Option<Given<u64>>,
    pub(super) guided: Option<Given<()>>,
    pub(super) with: Option<Given<TokenStream>>,
}

pub(super) enum Policy {
    /// A variant of `anyrt::sim::Policy`.
    Named(TokenStream),
    Other(TokenStream),
}

const POLICIES: [&str; 5] = ["Mixed", "Random", "Fifo", "Lifo", "Pct"];

impl Options {
    /// Those that the test is for, and why it is skipped on one.
    pub(super) fn runtimes(&self) -> impl Iterator<Item = (&'static Runtime, Option<&LitStr>)> {
        let wanted = |runtime: &&Runtime| self.only.as_ref().is_none_or(|only| only.value.contains(runtime));
        RUNTIMES.iter().filter(wanted).map(|runtime| (runtime, self.reason(runtime)))
    }

    /// Whether the caller says that it is for these.
    pub(super) fn is_chosen(&self) -> bool {
        self.only.is_some()
    }

    fn reason(&self, runtime: &Runtime) -> Option<&LitStr> {
        let skipped = self.skip.iter().flat_map(|skip| &skip.value);
        skipped.filter(|(skipped, _)| *skipped == runtime).map(|(_, reason)| reason).next()
    }

    fn runs_on(&self, is_one: impl Fn(&Runtime) -> bool) -> bool {
        self.runtimes().any(|(runtime, reason)| reason.is_none() && is_one(runtime))
    }

    /// Refuses options without effect.
    fn check(self) -> Result<Self> {
        let unwanted = |(runtime, _): &&(&'static Runtime, LitStr)| {
            self.only.as_ref().is_some_and(|only| !only.value.contains(runtime))
        };
        if let Some((runtime, reason)) = self.skip.iter().flat_map(|skip| &skip.value).find(unwanted) {
            let text = format!("`{}` is not among those of `only`, so nothing is skipped", runtime.word);
            return Err(Error::new(reason.span(), text));
        }
        if let Some(skip) = self.skip.as_ref().filter(|_| !self.runs_on(|_| true)) {
            return Err(Error::new(skip.span, "it is skipped everywhere: write `#[ignore = \"why\"]`"));
        }
        if let Some(sim) = self.sim.as_ref().filter(|_| !self.runs_on(|runtime| runtime.word == "sim")) {
            return Err(Error::new(sim.span, "it does not run on `sim`: remove `sim(…)`"));
        }
        if let Some(workers) =
            self.workers.as_ref().filter(|_| !self.runs_on(|runtime| runtime.takes_workers))
        {
            let with = words(RUNTIMES.iter().filter(|runtime| runtime.takes_workers));
            return Err(Error::new(
                workers.span,
                format!("it runs on nothing that takes `workers`: {with} do"),
            ));
        }
        Ok(self)
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        options::each(input, |name, input| match name.to_string().as_str() {
            "only" => options::keep(&mut options.only, name, only(name, input)?),
            "skip" => options::keep(&mut options.skip, name, skip(name, input)?),
            "workers" => options::keep(&mut options.workers, name, options::workers(input, name)?),
            "timeout" => match options::millis(input, name, "10s")? {
                0 => Err(Error::new(name.span(), "no test ends in no time: write `timeout = \"10s\"`")),
                millis => options::keep(&mut options.timeout, name, millis),
            },
            "sim" => options::keep(&mut options.sim, name, simulation(name, input)?),
            "crate" => options::keep(&mut options.anyrt, name, options::crate_path(input, name)?),
            _ => Err(unknown(name)),
        })?;
        options.check()
    }
}

fn unknown(name: &Ident) -> Error {
    let as_on_tokio = match name.to_string().as_str() {
        "flavor" => Some("write `only(tokio)` or `only(tokio_current_thread)` for one of the two"),
        "worker_threads" => Some("write `workers = 2`"),
        "start_paused" => Some("write `only(sim)`: there time goes on when nobody is ready"),
        _ => None,
    };
    let text = if let Some(instead) = as_on_tokio {
        format!("`{name}` is an option of tokio: {instead}")
    } else if RUNTIMES.iter().any(|runtime| name == runtime.word) {
        format!("it runs on every runtime: write `only({name})` for one")
    } else {
        format!(
            "unknown option `{name}`: write `only(tokio)`, `skip(smol = \"why\")`, `workers = 2`, `timeout = \"10s\"`, \
             `sim(seeds = 1000)` or `crate = \"my_anyrt\"`"
        )
    };
    Error::new(name.span(), text)
}

/// Reads a list in parentheses, which has something in it.
fn list(
    name: &Ident,
    input: ParseStream<'_>,
    example: &str,
    read: impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    let wrong = || Error::new(name.span(), format!("write `{name}({example})`"));
    if !input.peek(syn::token::Paren) {
        return Err(wrong());
    }
    let content;
    parenthesized!(content in input);
    if content.is_empty() {
        return Err(wrong());
    }
    options::each(&content, read)
}

fn only(name: &Ident, input: ParseStream<'_>) -> Result<Vec<&'static Runtime>> {
    let mut runtimes = Vec::new();
    list(name, input, "tokio, sim", |word, _| {
        let runtime = Runtime::named(word)?;
        if runtimes.contains(&runtime) {
            return Err(Error::new(word.span(), format!("`{word}` is there twice")));
        }
        runtimes.push(runtime);
        Ok(())
    })?;
    Ok(runtimes)
}

fn skip(name: &Ident, input: ParseStream<'_>) -> Result<Vec<(&'static Runtime, LitStr)>> {
    let mut skipped: Vec<(&'static Runtime, LitStr)> = Vec::new();
    list(name, input, "smol = \"why\"", |word, input| {
        let runtime = Runtime::named(word)?;
        if skipped.iter().any(|(other, _)| *other == runtime) {
            return Err(Error::new(word.span(), format!("`{word}` is there twice")));
        }
        skipped.push((runtime, options::value(input, word, "\"why\"")?));
        Ok(())
    })?;
    Ok(skipped)
}

fn simulation(name: &Ident, input: ParseStream<'_>) -> Result<Simulation> {
    let mut simulation = Simulation::default();
    list(name, input, "seeds = 1000", |name, input| match name.to_string().as_str() {
        "seeds" => {
            options::keep(&mut simulation.seeds, name, seeds(options::value(input, name, "0..1000")?)?)
        }
        "policy" => {
            options::keep(&mut simulation.policy, name, policy(options::value(input, name, "Pct(3)")?)?)
        }
        "max_poll" => match options::millis(input, name, "50ms")? {
            0 => Err(Error::new(name.span(), "no poll takes no time: write `max_poll = \"50ms\"`")),
            millis => options::keep(&mut simulation.max_poll, name, millis),
        },
        "guided" if input.peek(Token![=]) => Err(Error::new(name.span(), "write `guided` alone")),
        "guided" => options::keep(&mut simulation.guided, name, ()),
        "with" => {
            let setup: Expr = options::value(input, name, "my_setup")?;
            options::keep(&mut simulation.with, name, from_within(setup.to_token_stream()))
        }
        _ => Err(Error::new(
            name.span(),
            format!(
                "unknown option `{name}`: write `seeds = 1000`, `guided`, `policy = Pct(3)`, `max_poll = \"50ms\"` or \
                 `with = my_setup`"
            ),
        )),
    })?;
    if let (Some(guided), None) = (&simulation.guided, &simulation.seeds) {
        let text = "one seed is no search: write `sim(seeds = 1000, guided)`";
        return Err(Error::new(guided.span, text));
    }
    Ok(simulation)
}

/// So many from 0, or a range.
fn seeds(seeds: Expr) -> Result<TokenStream> {
    if let Expr::Lit(literal) = &seeds {
        return match &literal.lit {
            Lit::Int(count) if count.base10_parse::<u64>().is_ok_and(|count| count > 0) => {
                Ok(quote!(0..#count))
            }
            other => Err(Error::new(other.span(), "write how many seeds, or which: `1000`, `0..1000`")),
        };
    }
    Ok(from_within(seeds.to_token_stream()))
}

fn policy(policy: Expr) -> Result<Policy> {
    let path = match &policy {
        Expr::Path(path) => Some(&path.path),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => Some(&path.path),
            _ => None,
        },
        _ => None,
    };
    let Some(name) = path.and_then(Path::get_ident) else {
        return Ok(Policy::Other(from_within(policy.to_token_stream())));
    };
    if !POLICIES.iter().any(|known| name == known) {
        let known = POLICIES.map(|known| format!("`{}`", if known == "Pct" { "Pct(3)" } else { known }));
        let text = format!("unknown policy `{name}`: write one of {}", known.join(", "));
        return Err(Error::new(name.span(), text));
    }
    Ok(Policy::Named(policy.to_token_stream()))
}

/// The same expression from a module further in, which has everything of the one around it.
fn from_within(expression: TokenStream) -> TokenStream {
    let mut within = TokenStream::new();
    let mut colons = 0;
    let mut tokens = expression.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
        let begins_a_path = colons < 2 && tokens.peek().is_some_and(is_colon);
        colons = if is_colon(&token) { colons + 1 } else { 0 };
        within.extend(match &token {
            TokenTree::Ident(ident) if begins_a_path && ident == "self" => quote!(super),
            TokenTree::Ident(ident) if begins_a_path && ident == "super" => quote!(super::super),
            TokenTree::Group(group) => {
                let mut inner = proc_macro2::Group::new(group.delimiter(), from_within(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner).into()
            }
            _ => token.into(),
        });
    }
    within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_same_from_within() {
        let moved = |tokens: TokenStream| from_within(tokens).to_string();
        assert_eq!(moved(quote!(my_setup)), quote!(my_setup).to_string());
        assert_eq!(moved(quote!(self::hosts::two)), quote!(super::hosts::two).to_string());
        assert_eq!(moved(quote!(super::two)), quote!(super::super::two).to_string());
        assert_eq!(moved(quote!(super::super::two)), quote!(super::super::super::two).to_string());
        assert_eq!(moved(quote!(crate::two)), quote!(crate::two).to_string());
        let closure = quote!(|sim: self::Sim| self::two(sim));
        assert_eq!(moved(closure), quote!(|sim: super::Sim| super::two(sim)).to_string());
    }
}
