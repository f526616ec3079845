//! The program ends without waiting for a closure that never ends.

#[my_anyrt::main(smol, workers = 3, shutdown = "100ms", crate = "my_anyrt")]
async fn main() {
    let (started, has_started) = std::sync::mpsc::channel();
    let endless = my_anyrt::spawn_blocking(move || {
        started.send(()).unwrap();
        loop {
            std::thread::park();
        }
    });
    has_started.recv().unwrap();
    drop(endless);
    println!("on {:?}", my_anyrt::AnyRuntime::current());
}
