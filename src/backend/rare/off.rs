//! `buggify!` and `sometimes!` without simulations: their arguments are checked, and nothing is evaluated.

#[doc = include_str!("buggify.md")]
#[macro_export]
macro_rules! buggify {
    () => {
        false
    };
    ($probability:expr $(,)?) => {{
        if false {
            let _: ::core::primitive::f64 = $probability;
        }
        false
    }};
}

#[doc = include_str!("sometimes.md")]
#[macro_export]
macro_rules! sometimes {
    ($condition:expr, $name:expr $(,)?) => {
        if false {
            let _: ::core::primitive::bool = $condition;
            let _: &'static ::core::primitive::str = $name;
        }
    };
}
