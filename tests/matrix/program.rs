//! Prints its runtime, and returns the error that its argument asks for.

use std::io;

#[anyrt::main]
async fn main() -> io::Result<()> {
    println!("on {:?}", anyrt::AnyRuntime::current());
    match std::env::args().nth(1) {
        Some(text) => Err(io::Error::other(text)),
        None => Ok(()),
    }
}
