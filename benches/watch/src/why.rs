//! Names of the programs, and reasons why a tool does not see one.

use programs::Program;

pub(crate) fn title(program: Program) -> &'static str {
    match program {
        Program::FsRead => "`std::fs::read` of 32 MiB, again and again",
        Program::ThreadSleep => "`thread::sleep`",
        Program::Argon2 => "argon2, some passwords",
        Program::Mutex => "a `std::sync::Mutex` that another thread holds",
        Program::Regex => "a regular expression that explodes",
        Program::HashMap => "a `HashMap` of 10⁷ cloned",
        Program::Dns => "`to_socket_addrs`, a slow name server",
        Program::Yields => "8 loops that compute for 2 ms and yield",
        Program::Destructor => "a long destructor of an aborted task",
        Program::Channel => "`recv` of a `std::sync::mpsc` channel",
        Program::MainFuture => "`thread::sleep` in the main future",
        Program::Foreign => "`thread::sleep` in a task of a dependency",
        Program::Pool => "`thread::sleep` in a blocking closure, which is right",
    }
}

pub(crate) const IT_IS_QUICK: &str =
    "It takes less than the limit. There was no slow name server to ask: it needs `unshare`.";

pub(crate) fn not_seen(tool: &str, program: Program) -> Option<&'static str> {
    let is_anyrt = tool.starts_with("anyrt");
    Some(match program {
        Program::Yields if is_anyrt => {
            "Each poll is short, and each task soon has its next turn: only a wait of ten times the limit is reported, as \
             `Starved`. `watch_snapshot` has the times from ready to poll."
        }
        Program::Yields if tool == "TaskMonitor" => {
            "Each poll is short. Among the numbers of the monitor are how often the tasks waited for a turn, and how long."
        }
        Program::Yields if tool == "RuntimeMonitor" => {
            "Each poll is short. The histogram shows that most polls take 2 ms, if one looks."
        }
        Program::Foreign if is_anyrt => {
            "A dependency that calls the spawn function of the runtime itself does not know the watched handle."
        }
        Program::Foreign if tool == "TaskMonitor" => "It knows what it was told to instrument.",
        Program::Destructor if tool == "TaskMonitor" => {
            "It times polls. The destructor of an aborted task runs in none; one that runs as a poll ends is seen."
        }
        Program::MainFuture if tool == "RuntimeMonitor" => {
            "It times what the workers poll. The main future runs on the thread that called `block_on`."
        }
        _ => return None,
    })
}
