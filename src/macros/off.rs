//! `select!` and the like without their feature: rustc 1.95 names it for the attributes, and not for a `macro_rules!`
//! that is off.

#[doc(hidden)]
#[macro_export]
macro_rules! select {
    ($($any:tt)*) => {
        compile_error! {
            "feature `macros` of anyrt is off, and select! needs it: write `anyrt = { version = \"0.1\", features = [\"macros\"] }` in Cargo.toml"
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! join {
    ($($any:tt)*) => {
        compile_error! {
            "feature `macros` of anyrt is off, and join! needs it: write `anyrt = { version = \"0.1\", features = [\"macros\"] }` in Cargo.toml"
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! try_join {
    ($($any:tt)*) => {
        compile_error! {
            "feature `macros` of anyrt is off, and try_join! needs it: write `anyrt = { version = \"0.1\", features = [\"macros\"] }` in Cargo.toml"
        }
    };
}
