//! A crate that renames anyrt, with tests that do not compile.

#[cfg(all(test, feature = "all"))]
mod tests {
    use my_anyrt::{Sim, Tokio};

    #[my_anyrt::test(crate = "my_anyrt")]
    async fn takes_one_runtime(rt: Tokio) {
        drop(rt);
    }

    trait Fast {}

    impl Fast for Tokio {}

    #[my_anyrt::test(crate = "my_anyrt", only(tokio, smol))]
    async fn takes_a_fast_runtime<R: Fast>(rt: R) {
        drop(rt);
    }

    fn set_up(_: Sim) {}

    #[my_anyrt::test(crate = "my_anyrt", sim(with = set_up, seeds = "many".len()))]
    async fn is_set_up_by_something_else() {}
}
