//! A test whose body blocks its thread.

#[cfg(feature = "all")]
#[my_anyrt::test(crate = "my_anyrt", skip(sim = "it takes real time"))]
async fn blocks_its_thread() {
    std::thread::sleep(std::time::Duration::from_millis(1000));
}
