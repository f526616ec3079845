#[my_anyrt::main(tokio, current_thread, crate = "my_anyrt")]
async fn main() {
    println!("on {:?}", my_anyrt::AnyRuntime::current());
}
