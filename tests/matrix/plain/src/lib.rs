//! Uses of feature `macros` in a package that has not enabled it.
use plain_anyrt::{join, select, try_join};

pub async fn run(a: impl Future<Output = Result<u8, u8>>, b: impl Future<Output = Result<u8, u8>>) {
    select! { _ = a => {}, _ = b => {} }
    join!(async {}, async {});
    try_join!(async { Ok::<u8, u8>(1) }, async { Err::<u8, u8>(1) });
}

#[plain_anyrt::test]
async fn test() {}

#[plain_anyrt::main]
async fn main() {}
