//! `buggify!` and `sometimes!`, where there are simulations.

#[doc = include_str!("buggify.md")]
#[macro_export]
macro_rules! buggify {
    () => {
        $crate::sim::__is_in_simulation() && $crate::sim::__buggify(::core::module_path!(), 0.25)
    };
    ($probability:expr $(,)?) => {
        $crate::sim::__is_in_simulation() && $crate::sim::__buggify(::core::module_path!(), $probability)
    };
}

#[doc = include_str!("sometimes.md")]
#[macro_export]
macro_rules! sometimes {
    ($condition:expr, $name:expr $(,)?) => {
        if $crate::sim::__is_in_simulation() {
            $crate::sim::__sometimes($condition, $name)
        }
    };
}
