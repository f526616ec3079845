#[my_anyrt::main(tokio, crate = "my_anyrt")]
async fn main() {
    println!("on {:?}", my_anyrt::AnyRuntime::current());
}
