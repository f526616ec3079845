#[anyrt::test(tokio)]
async fn names_a_runtime() {}

#[anyrt::test(flavor = "multi_thread")]
async fn has_an_unknown_option() {}

#[anyrt::test(only = "tokio")]
async fn chooses_with_a_text() {}

#[anyrt::test(only("tokio"))]
async fn chooses_in_quotes() {}

#[anyrt::test(only())]
async fn chooses_nothing() {}

#[anyrt::test(only(tokyo))]
async fn chooses_an_unknown_runtime() {}

#[anyrt::test(only(tokio, tokio))]
async fn chooses_one_twice() {}

#[anyrt::test(skip(smol))]
async fn skips_without_a_reason() {}

#[anyrt::test(only(tokio), skip(smol = "slow"))]
async fn skips_what_it_has_not_chosen() {}

#[anyrt::test(only(smol), skip(smol = "slow"))]
async fn skips_all() {}

#[anyrt::test(workers = 0)]
async fn has_no_workers() {}

#[anyrt::test(workers = "two")]
async fn has_workers_of_words() {}

#[anyrt::test(workers)]
async fn has_no_number_of_workers() {}

#[anyrt::test(workers = 2, workers = 3)]
async fn has_workers_twice() {}

#[anyrt::test(only(async_std, sim), workers = 2)]
async fn has_workers_where_none_can_be() {}

#[anyrt::test(timeout = "10")]
async fn has_a_timeout_without_unit() {}

#[anyrt::test(timeout = 10)]
async fn has_a_timeout_that_is_a_number() {}

#[anyrt::test(timeout = "0s")]
async fn has_no_time() {}

#[anyrt::test(sim(seeds = 0))]
async fn has_no_seeds() {}

#[anyrt::test(sim(seeds = "many"))]
async fn has_seeds_of_words() {}

#[anyrt::test(sim(policy = Fair))]
async fn has_an_unknown_policy() {}

#[anyrt::test(sim(loss = 3))]
async fn has_an_unknown_option_of_the_simulation() {}

#[anyrt::test(sim(max_poll = "0ms"))]
async fn has_no_time_for_a_poll() {}

#[anyrt::test(sim(seeds = 10, guided = true))]
async fn is_guided_by_a_value() {}

#[anyrt::test(sim(guided))]
async fn is_guided_through_one_seed() {}

#[anyrt::test(sim)]
async fn has_no_option_of_the_simulation() {}

#[anyrt::test(only(tokio), sim(seeds = 10))]
async fn simulates_nothing() {}

#[anyrt::test(crate = 7)]
async fn is_of_no_crate() {}

#[anyrt::test(crate = "self::anyrt")]
async fn is_of_a_path_from_here() {}

#[anyrt::test(crate = "not a path")]
async fn is_of_no_path() {}

fn hosts() {}

#[anyrt::test(sim(with = hosts))]
async fn is_set_up_without_a_simulation() {}

mod hyphen {
    #[anyrt::test(only(async-std))]
    async fn test() {}
}

fn main() {}
