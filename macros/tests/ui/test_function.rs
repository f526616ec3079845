use anyrt::{AnyRuntime, Runtime};

#[anyrt::test]
fn is_not_async() {}

#[anyrt::test]
async extern "C" fn is_extern() {}

#[anyrt::test]
async unsafe fn is_unsafe() {}

#[anyrt::test]
async fn never_ends() -> ! {
    panic!()
}

#[anyrt::test]
async fn has_two_arguments(rt: AnyRuntime, seed: u64) {}

#[anyrt::test]
async fn borrows_its_runtime(rt: &AnyRuntime) {}

#[anyrt::test]
async fn has_two_types<R: Runtime, T>(rt: R) {}

#[anyrt::test]
async fn has_a_lifetime<'a>(rt: AnyRuntime) {}

#[anyrt::test]
async fn does_not_take_its_type<R: Runtime>() {}

#[anyrt::test]
async fn does_not_take_its_type_either<R: Runtime>(rt: AnyRuntime) {}

#[anyrt::test]
#[test]
async fn is_a_test_twice() {}

#[anyrt::test]
#[should_panic]
async fn panics_and_returns() -> std::io::Result<()> {
    Ok(())
}

struct Server;

impl Server {
    #[anyrt::test]
    async fn is_a_method(&self) {}
}

#[anyrt::test]
struct IsNoFunction;

fn main() {}
