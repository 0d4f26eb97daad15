//! Measures the function beside handlers with `aws-jwt-verify` and `jose`: `make bench-peers`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use authorizer_e2e::{runtimes, tools};
use authorizer_local::Runtime;
use authorizer_peers::contender::{Contender, Function};
use authorizer_peers::event::Workload;
use authorizer_peers::group::Group;
use authorizer_peers::process::Process;
use authorizer_peers::report::{self, Settings};
use authorizer_peers::stage::Stage;
use authorizer_peers::starts::{Role, Starter, Starts};
use authorizer_peers::table::Table;
use authorizer_peers::{budget, round};
use clap::Parser;
use serde_json::Value;

/// The sizes of the policies whose start is measured, beside the one of all contenders.
const RULES: [usize; 2] = [100, 1000];

/// Measure the function beside viewer-request handlers with aws-jwt-verify and jose, under AWS's runtime clients.
#[derive(Debug, Parser)]
#[command(
    name = "authorizer-peers",
    after_help = "Example:\n  make bench-peers PEERS=\"--rounds 9 --json peers.json\""
)]
struct Args {
    /// Number of processes per contender, started in turns; also of those that are only started
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Number of measured warm invocations of each kind in a process
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    invocations: u32,
    /// Number of unmeasured invocations of each kind before those
    #[arg(long, default_value_t = 1000)]
    warm_up: u32,
    /// Only measure the starts
    #[arg(long)]
    starts: bool,
    /// Also write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Exit 1 if a budget is exceeded
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // Everything, including the Runtime API, in one thread: the function uses the other processor.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return unusable(&format!("cannot start the async runtime: {error}")),
    };
    runtime.block_on(run(&args))
}

async fn run(args: &Args) -> ExitCode {
    let clients = [Runtime::Node, Runtime::Python].map(runtimes::clients);
    let (Some(peers), [Some(_), Some(_)]) = (tools::installed("peers", "the peers"), clients) else {
        return unusable("the peers are not installed, so there is nothing to compare with");
    };
    let [rounds, invocations, warm_up] = [args.rounds, args.invocations, args.warm_up].map(|n| n as usize);
    let settings = Settings { rounds, invocations, warm_up };

    eprintln!("making the packages and the tokens");
    let stage = Stage::new(peers);
    let packages = Function::ALL.map(|function| (function, stage.package(function)));
    let with_runtimes = |runtimes: fn(Function) -> &'static [Runtime]| {
        let contenders = packages.iter().flat_map(move |(function, package)| {
            runtimes(*function)
                .iter()
                .map(move |&runtime| (Contender { function: *function, runtime }, package))
        });
        contenders.collect::<Vec<_>>()
    };
    let workload = Workload::new(&stage.issuer, warm_up.saturating_add(invocations));

    // All start once before the measurement: otherwise the first would read files that the others find in memory.
    let with_rules = RULES.map(|rules| (rules, stage.package_with_rules(rules)));
    let mut starters: Vec<Starter<'_>> = with_runtimes(Function::runtimes)
        .into_iter()
        .map(|(contender, package)| Starter {
            name: contender.to_string(),
            runtime: contender.runtime,
            package,
            role: match contender.function {
                Function::Ours(_) | Function::AsLibrary(_) => Role::Ours,
                Function::Peer(_) => Role::Peer,
                Function::Bare(_) | Function::Native(_) => Role::Client,
            },
        })
        .collect();
    starters.extend(with_rules.iter().map(|(rules, package)| Starter {
        name: format!("authorizer, {rules} rules, 5 issuers (native)"),
        runtime: Runtime::Native,
        package,
        role: Role::Ours,
    }));
    for starter in &starters {
        drop(Process::start(starter.runtime, starter.package.unpacked.folder()).await);
    }

    eprintln!("measuring the starts");
    let whole = Starts::measure(&starters, rounds, &workload.first, None).await;
    let part = match Group::new() {
        Ok(group) => Some(Starts::measure(&starters, rounds, &workload.first, Some(&group)).await),
        Err(error) => {
            eprintln!("this machine does not allow a control group, so nothing runs as at 128 MB: {error}");
            None
        }
    };
    println!("Starts on a whole core, medians of {rounds}:\n\n{}", whole.markdown());
    if let Some(part) = &part {
        println!("Starts with 7 % of a core, medians of {rounds}:\n\n{}", part.markdown());
    }
    if args.starts {
        return ExitCode::SUCCESS;
    }

    let contenders = with_runtimes(Function::measured_warm);
    let mut table = Table::default();
    for number in 1..=rounds {
        for (contender, package) in &contenders {
            eprintln!("round {number} of {rounds}: {contender}");
            table.add(*contender, round::run(*contender, package, &workload, warm_up).await);
        }
    }

    let budgets = budget::judge(&table);
    println!("{}", report::markdown(&table, &budgets, settings));
    let mut json = report::json(&table, &budgets, settings);
    if let Some(members) = json.as_object_mut() {
        members.insert("starts".to_owned(), whole.json());
        members.insert("starts_at_7_percent".to_owned(), part.map_or(Value::Null, |part| part.json()));
    }
    if let Some(path) = &args.json
        && let Err(error) = fs::write(path, format!("{json:#}\n"))
    {
        return unusable(&format!("cannot write `{}`: {error}", path.display()));
    }
    if args.check && budgets.iter().any(|budget| !budget.holds()) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn unusable(what: &str) -> ExitCode {
    eprintln!("{what}");
    ExitCode::from(2)
}
