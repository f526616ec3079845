//! Errors of `select!` for malformed branches.

fn main() {}

async fn no_arrow() {
    anyrt::select! { x = async { 1 } x + 1 };
}

async fn no_comma() {
    anyrt::select! { x = async { 1 } => x y = async { 2 } => y };
}

async fn no_if() {
    anyrt::select! { x = async { 1 }, x > 1 => x };
}

async fn else_is_first() {
    anyrt::select! { else => 1, x = async { 1 } => x };
}

async fn nothing() {
    anyrt::select! {};
}

async fn no_future() {
    anyrt::select! { x = 5 => x };
}

fn not_async() {
    anyrt::select! { x = async { 1 } => x };
}
