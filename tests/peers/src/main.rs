//! Measures the function beside handlers with `aws-jwt-verify` and `jose`: `make bench-peers`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use authorizer_e2e::{runtimes, tools};
use authorizer_local::Runtime;
use authorizer_peers::contender::{Contender, Function};
use authorizer_peers::event::Workload;
use authorizer_peers::process::Process;
use authorizer_peers::report::{self, Settings};
use authorizer_peers::stage::{Package, Stage};
use authorizer_peers::table::Table;
use authorizer_peers::{budget, round};
use clap::Parser;

/// Measure the function beside viewer-request handlers with aws-jwt-verify and jose, all under AWS's runtime client.
#[derive(Debug, Parser)]
#[command(
    name = "authorizer-peers",
    after_help = "Example:\n  make bench-peers PEERS=\"--rounds 9 --json peers.json\""
)]
struct Args {
    /// Number of processes per contender, started in turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Number of measured warm invocations of each kind in a process
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    invocations: u32,
    /// Number of unmeasured invocations of each kind before those
    #[arg(long, default_value_t = 1000)]
    warm_up: u32,
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
    let (Some(peers), Some(_)) = (tools::installed("peers", "the peers"), runtimes::clients(Runtime::Node))
    else {
        return unusable("the peers are not installed, so there is nothing to compare with");
    };
    let [rounds, invocations, warm_up] = [args.rounds, args.invocations, args.warm_up].map(|n| n as usize);
    let settings = Settings { rounds, invocations, warm_up };

    eprintln!("making the packages and the tokens");
    let stage = Stage::new(peers);
    let packages = Function::ALL.map(|function| (function, stage.package(function)));
    let contenders: Vec<(Contender, &Package)> = packages
        .iter()
        .flat_map(|(function, package)| {
            let start = move |&runtime| (Contender { function: *function, runtime }, package);
            function.runtimes().iter().map(start)
        })
        .collect();
    let workload = Workload::new(&stage.issuer, warm_up.saturating_add(invocations));

    // All start once before the measurement: otherwise the first would read files that the others find in memory.
    for (contender, package) in &contenders {
        drop(Process::start(contender.runtime, package.unpacked.folder()).await);
    }
    let mut table = Table::default();
    for number in 1..=rounds {
        for (contender, package) in &contenders {
            eprintln!("round {number} of {rounds}: {contender}");
            table.add(*contender, round::run(*contender, package, &workload, warm_up).await);
        }
    }

    let budgets = budget::judge(&table);
    println!("{}", report::markdown(&table, &budgets, settings));
    if let Some(path) = &args.json
        && let Err(error) = fs::write(path, format!("{:#}\n", report::json(&table, &budgets, settings)))
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
