use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericParam, Ident, Result, Type};

use crate::function::Function;

/// The argument of a test, with the place of its type.
pub(super) enum Argument {
    None,
    /// `AnyRuntime`.
    Any(Span),
    /// The type of each runtime.
    Generic(Span),
}

impl Argument {
    pub(super) fn of(function: &Function) -> Result<Self> {
        let sig = &function.sig;
        let mut parameter = None;
        for param in &sig.generics.params {
            match param {
                GenericParam::Type(param) if parameter.is_none() => parameter = Some(&param.ident),
                GenericParam::Lifetime(lifetime) => {
                    return Err(Error::new_spanned(lifetime, "a test borrows nothing: remove the lifetime"));
                }
                other => {
                    return Err(Error::new_spanned(
                        other,
                        "a test has one type parameter at most, that of its runtime: `<R: Runtime>(rt: R)`",
                    ));
                }
            }
        }
        let mut inputs = sig.inputs.iter();
        let argument = match inputs.next() {
            None => Self::None,
            Some(FnArg::Receiver(receiver)) => {
                return Err(Error::new_spanned(receiver, "a test is a function and no method"));
            }
            Some(FnArg::Typed(argument)) => Self::of_type(&argument.ty, parameter)?,
        };
        if let Some(second) = inputs.next() {
            return Err(Error::new_spanned(
                second,
                "a test takes one argument at most, its runtime: `rt: AnyRuntime`",
            ));
        }
        match (parameter, &argument) {
            (Some(unused), Self::None | Self::Any(_)) => Err(Error::new_spanned(
                unused,
                format!("`{unused}` is the runtime of the test: take it as `rt: {unused}`"),
            )),
            _ => Ok(argument),
        }
    }

    fn of_type(ty: &Type, parameter: Option<&Ident>) -> Result<Self> {
        match ty {
            Type::ImplTrait(_) => Ok(Self::Generic(here(ty))),
            Type::Path(path) if parameter.is_some_and(|parameter| path.path.is_ident(parameter)) => {
                Ok(Self::Generic(here(ty)))
            }
            Type::Reference(_) => {
                Err(Error::new_spanned(ty, "a test is given its runtime for good: write `rt: AnyRuntime`"))
            }
            _ => Ok(Self::Any(here(ty))),
        }
    }
}

/// Where it stands, with the names of the attribute: another macro may have made either of them.
fn here(ty: &Type) -> Span {
    ty.span().resolved_at(Span::call_site())
}
