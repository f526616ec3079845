#[my_anyrt::main(async_std, crate = "my_anyrt")]
async fn main() {
    println!("on {:?}", my_anyrt::AnyRuntime::current());
}
