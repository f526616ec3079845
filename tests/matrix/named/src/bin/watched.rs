//! A task blocks its thread.

use std::time::Duration;

#[my_anyrt::main(smol, watch = "20ms", crate = "my_anyrt")]
async fn main() {
    let blocks = async { std::thread::sleep(Duration::from_millis(1000)) };
    my_anyrt::spawn(blocks).await.unwrap();
}
