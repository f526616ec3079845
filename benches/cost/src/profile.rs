//! The functions in which anyrt takes more instructions than the runtime itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use harness::Operation;

use crate::measure::{callgrind, each, has, sizes};
use crate::programs::{ALL, Profile, Program, output, target};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What
    #[arg(value_enum)]
    operation: Operation,
    /// Who: a runtime (tokio-ct, tokio-mt, smol, smol-own, async-std) and a way (traits, any, free, watched), such as smol/traits
    implementation: String,
    /// As cargo's default release profile compiles it
    #[arg(long)]
    default: bool,
}

/// A function, and its instructions for an operation, without those of the functions that it calls.
type Functions = BTreeMap<String, f64>;

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let profile = if args.default { Profile::Default } else { Profile::One };
    if !has("valgrind") {
        return Err("`profile` needs valgrind, which is not installed".to_owned());
    }
    let program = Program::workloads(ALL, profile)?;
    let runtime = args.implementation.split('/').next().unwrap_or_default();
    let both = [format!("{runtime}/native"), args.implementation.clone()];
    let all = output(Command::new(&program.path).arg("list"))?;
    if !all.lines().any(|name| name == args.implementation) {
        let all = all.lines().collect::<Vec<_>>().join(", ");
        return Err(format!("there is no `{}`, but these: {all}", args.implementation));
    }
    for implementation in &both {
        if program.lacks(implementation, args.operation)? {
            return Err(format!("{implementation} has no {}", args.operation));
        }
    }
    let counted =
        each("counting", &both, |implementation| functions(&program, implementation, args.operation))?;
    let names: BTreeSet<_> = counted.iter().flat_map(Functions::keys).collect();
    let of = |at: usize, name: &String| counted[at].get(name).copied().unwrap_or_default();
    let mut rows: Vec<_> = names.into_iter().map(|name| (of(1, name) - of(0, name), name)).collect();
    rows.retain(|(more, _)| more.abs() >= 0.5);
    rows.sort_by(|(a, _), (b, _)| b.total_cmp(a));

    println!("{:>8} {:>8} {:>8}", "more", both[1].split('/').next_back().unwrap_or_default(), "native");
    for (more, name) in &rows {
        println!("{more:>+8.0} {:>8.0} {:>8.0}  {name:.150}", of(1, name), of(0, name));
    }
    let [native, ours] = [0, 1].map(|at| counted[at].values().sum::<f64>());
    println!("{:>+8.0} {ours:>8.0} {native:>8.0}  in all", ours - native);
    Ok(())
}

/// Returns what two sizes of a run differ by.
fn functions(program: &Program, implementation: &str, operation: Operation) -> Result<Functions, String> {
    let (few, many) = sizes(operation);
    let mut functions = Functions::new();
    for (n, sign) in [(many, 1.0), (few, -1.0)] {
        let out = target().join(format!("callgrind-{}-{n}", implementation.replace('/', "-")));
        callgrind(program, &out, 1, &[implementation, &operation.to_string(), &n.to_string()])?;
        let text = fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
        for (name, cost) in own_costs(&text) {
            *functions.entry(name.to_owned()).or_default() += sign * cost / (many - few) as f64;
        }
    }
    Ok(functions)
}

/// Reads callgrind's format: `fn=` begins a function, a line of numbers is a position and what it costs, and the one after
/// `calls=` is what the called function costs.
fn own_costs(text: &str) -> impl Iterator<Item = (&str, f64)> {
    let (mut function, mut is_call) = ("", false);
    text.lines().filter_map(move |line| {
        if let Some(name) = line.strip_prefix("fn=") {
            function = name;
        }
        let of_a_call = std::mem::replace(&mut is_call, line.starts_with("calls="));
        let (position, costs) = line.split_once(' ')?;
        let cost = costs.split(' ').next()?;
        let is_cost = position.bytes().all(|byte| byte.is_ascii_digit()) && !of_a_call;
        is_cost.then(|| Some((function, cost.parse().ok()?))).flatten()
    })
}
