#[my_anyrt::main(sim, crate = "my_anyrt")]
async fn main() {
    println!("on {:?}", my_anyrt::AnyRuntime::current());
}
