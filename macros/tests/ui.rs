//! What is wrong with a test or a program is said at compile time, at the token, with what to write.

#[test]
fn errors_say_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
