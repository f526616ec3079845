use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Result, ReturnType, Safety, Signature, Token, Type, Visibility};

/// An `async fn`. What is in it is not read.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !is_function(input) {
            return Err(input.error("this attribute is for a function: write it above an `async fn`"));
        }
        let sig: Signature = input.parse()?;
        // Of another macro, it is in a group without a delimiter.
        let body: TokenStream = input.parse()?;
        if !matches!(body.clone().into_iter().next(), Some(TokenTree::Group(_))) {
            return Err(Error::new_spanned(sig.fn_token, "this function has no body: write it in braces"));
        }
        if sig.asyncness.is_none() {
            return Err(Error::new_spanned(sig.fn_token, "this function is not async: write `async fn`"));
        }
        if let Safety::Unsafe(token) = &sig.safety {
            return Err(Error::new_spanned(token, "it cannot be `unsafe`: its callers promise nothing"));
        }
        if let Some(token) = &sig.constness {
            return Err(Error::new_spanned(token, "it cannot be `const`"));
        }
        if let Some(abi) = &sig.abi {
            return Err(Error::new_spanned(abi, "it cannot be `extern`"));
        }
        Ok(Self { attrs, vis, sig, body })
    }
}

fn is_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![const])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern])
}

impl Function {
    /// Whether it never returns.
    pub(crate) fn returns_never(&self) -> bool {
        matches!(&self.sig.output, ReturnType::Type(_, output) if matches!(&**output, Type::Never(_)))
    }

    /// Whether it returns nothing, as most do.
    pub(crate) fn returns_unit(&self) -> bool {
        match &self.sig.output {
            ReturnType::Default => true,
            ReturnType::Type(_, output) => matches!(&**output, Type::Tuple(tuple) if tuple.elems.is_empty()),
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}
