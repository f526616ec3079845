use std::fmt::{Display, Write};

use super::Log;
use super::event::{Event, Flight, More};
use crate::backend::sim::panics::Panic;

pub(super) fn write(log: &Log) -> String {
    let mut out = String::new();
    let mut object = Object::new(&mut out);
    object.text("seed", &log.seed);
    object.text("hash", format_args!("{:016x}", log.hash));
    object.text("policy", format_args!("{:?}", log.policy));
    array(object.name("hosts"), &log.hosts, |out, (name, ip)| {
        let mut object = Object::new(out);
        object.text("name", name);
        object.text("ip", ip);
        object.end();
    });
    array(object.name("events"), &log.events, |out, event| {
        out.push('\n');
        write_event(out, log, event);
    });
    object.end();
    out.push('\n');
    out
}

fn write_event(out: &mut String, log: &Log, event: &Event) {
    let Event { nanos, kind, number: _, payload, host, task, socket, place, more } = event;
    let mut object = Object::new(out);
    object.number("at", *nanos);
    object.text("kind", kind.words());
    host.iter().for_each(|host| object.text("host", log.host(*host)));
    task.iter().for_each(|task| object.number("task", *task));
    socket.iter().for_each(|socket| object.number("socket", *socket));
    place.iter().for_each(|place| object.text("place", place));
    match more {
        More::Nothing => {}
        More::Is(kind, name) => {
            object.text("is", kind.words());
            name.iter().for_each(|name| object.text("name", name));
        }
        More::By(task) => object.number("by", *task),
        More::Waits(wait) => object.text("waits", wait),
        More::Says(text) => object.text("text", text),
        More::Operation(number, client, text) => {
            object.number("operation", *number);
            object.text("client", client);
            object.text("text", text);
        }
        More::Contradiction(operations, text) => {
            array(object.name("operations"), operations, |out, operation| {
                let _ = write!(out, "{operation}");
            });
            object.text("text", text);
        }
        More::Panic(Panic { location, text }) => {
            location.iter().for_each(|location| object.text("source", location));
            object.text("text", text);
        }
        More::To(host) => object.text("peer", log.host(*host)),
        More::Flight { message, flight, sent } => {
            let Flight { what, hosts: _, addrs: [from, to], bytes, payload: _, content } = flight;
            object.number("message", *message);
            object.text("what", what);
            event.peer().iter().for_each(|peer| object.text("peer", log.host(*peer)));
            object.text("from", from);
            object.text("to", to);
            object.number("bytes", *bytes as u64);
            object.text("payload", format_args!("{payload:016x}"));
            if *bytes > 0 {
                object.text("content", content);
            }
            sent.iter().for_each(|sent| object.number("sent", *sent));
        }
    }
    object.end();
}

fn array<T>(out: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// An object that is being written.
struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// The value comes next.
    fn name(&mut self, name: &str) -> &mut String {
        if !std::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        string(self.out, name);
        self.out.push(':');
        self.out
    }

    fn number(&mut self, name: &str, number: u64) {
        // Nothing fails that is written to a string.
        let _ = write!(self.name(name), "{number}");
    }

    fn text(&mut self, name: &str, text: impl Display) {
        string(self.name(name), &text.to_string());
    }

    fn end(self) {
        self.out.push('}');
    }
}

/// A string, which is one in a script of a page as well: nothing in it ends that.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", letter as u32);
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}
