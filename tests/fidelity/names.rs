use anyrt::net::lookup_host;

use crate::Seen;

crate::programs! { literals host_names no_names }

async fn first(seen: &mut Seen, what: &'static str, name: &str) {
    match lookup_host((name, 7)).await {
        Ok(mut found) => seen.value(what, found.next().map_or("nothing".to_owned(), |it| it.to_string())),
        Err(_) => seen.value(what, "an error"),
    }
}

async fn literals(seen: &mut Seen) {
    first(seen, "IPv4", "127.0.0.1").await;
    first(seen, "IPv6", "::1").await;
    first(seen, "short", "127.1").await;
    first(seen, "three parts", "127.0.1").await;
    first(seen, "one number", "2130706433").await;
    first(seen, "hexadecimal", "0x7f.1").await;
    first(seen, "octal", "0177.0.0.01").await;
    first(seen, "too large", "256.0.0.1").await;
    first(seen, "too many parts", "127.0.0.0.1").await;
    first(seen, "in brackets", "[::1]").await;
    first(seen, "mapped", "::ffff:127.0.0.1").await;
    first(seen, "zone of a number", "fe80::1%1").await;
    first(seen, "zone of a name", "fe80::1%lo").await;
    first(seen, "zone of nobody", "fe80::1%nosuch0").await;
    first(seen, "zone of a global address", "2001:db8::1%lo").await;
}

async fn host_names(seen: &mut Seen) {
    let has_loopback = async |name: &str| match lookup_host((name, 7)).await {
        Ok(found) => found.into_iter().any(|it| it.ip().is_loopback()).to_string(),
        Err(_) => "an error".to_owned(),
    };
    seen.value("localhost", has_loopback("localhost").await);
    seen.value("in upper case", has_loopback("LOCALHOST").await);
    seen.value("in mixed case", has_loopback("LocalHost").await);
}

async fn no_names(seen: &mut Seen) {
    first(seen, "with a space", "local host").await;
    first(seen, "with a NUL", "local\0host").await;
    first(seen, "empty", "").await;
    first(seen, "only a dot", ".").await;
    first(seen, "with two dots", "a..b").await;
}
