//! `authorizer serve`: the distribution on a laptop.

mod console;
mod decider;
mod dev_issuer;
mod distribution;
mod error;
mod lock;
mod observer;
mod policy;
mod record;
mod sample;
mod sign_in;
mod stop;
mod tls;

pub(crate) use self::distribution::ServedBehavior;
pub(crate) use self::observer::ServeLine;
pub(crate) use self::sample::quoted;

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use authorizer_local::{
    Credentials, Distribution, Function, InProcess, Observer, Packaged, ResponseHeaders, Running, Runtime,
    RuntimeClients, Settings,
};
use bytes::Bytes;
use clap::{ArgGroup, ValueEnum};
use rustls::pki_types::ServerName;
use serde_json::json;

use self::console::{About, Console, Recording};
use self::decider::Decider;
use self::dev_issuer::DevIssuer;
use self::distribution::{ByPolicy, DistributionArgs};
use self::error::ServeError;
use self::lock::DataLock;
use self::observer::RequestLines;
use self::policy::LivePolicy;
use self::record::RecordError;
use self::sample::Sample;
use self::sign_in::Served;
use self::stop::Stop;
use self::tls::Https;
use crate::output::{Exit, Format, line, note};
use crate::policy::NoPolicyError;

/// The embedded bucket, and the Region that its signatures must be for.
const BUCKET: &str = "local-bucket";
const REGION: &str = "us-east-1";

/// How long what is left may take to end after the server was stopped.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// After this time, the command says that it waits for running requests.
const TOLD_AFTER: Duration = Duration::from_millis(300);

/// Serve a distribution on this machine: the function in front of an S3 bucket that is a folder.
///
/// The command reads the policy again when its file changes. If the new policy cannot be used, the command shows the
/// problems, and the last good policy still decides.
// clap makes a group of all fields, which any option satisfies. What is required is one of those that decide.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(group = ArgGroup::new("decides").required(true).multiple(true))]
#[command(after_help = "Examples:\n  authorizer serve --sample .local\n  \
    authorizer serve --sample .local --tls --listen 127.0.0.1:8443\n  \
    authorizer serve --policy policy.toml --dev-issuer\n  \
    authorizer serve --policy policy.toml --distribution distribution.json --tls\n  \
    authorizer serve --function dist/authorizer.zip --runtime node")]
pub(crate) struct Args {
    /// Folder with a ready policy, keys and tokens. Creates what is missing.
    #[arg(long, value_name = "DIR", conflicts_with = "policy", group = "decides")]
    sample: Option<PathBuf>,
    /// Policy file (TOML).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["function", "runtime"], group = "decides")]
    policy: Option<PathBuf>,
    /// Accept tokens of development keys too, for every issuer that publishes keys. The keys are new at each start, and their
    /// files in DIR [default: .local/dev-issuer] go when the command ends. Only on this machine.
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".local/dev-issuer")]
    #[arg(conflicts_with_all = ["sample", "function"], requires = "policy")]
    dev_issuer: Option<PathBuf>,
    /// Package made by `authorizer package`. It decides in processes of its own, as on Lambda: one request at a time in
    /// each, 5 seconds and 128 MB of memory (on Linux).
    #[arg(long, value_name = "ZIP", group = "decides", alias = "package")]
    function: Option<PathBuf>,
    /// The most requests that the package decides on at once, each in a process of its own. Lambda throttles the others, and
    /// CloudFront answers them with 503. A Region has 1,000 for an account, and often 10 for a new one.
    #[arg(long, value_name = "N", default_value = "10", requires = "function")]
    concurrency: NonZeroU16,
    /// Runtime that starts the package. python and node are the clients of AWS; `make runtimes` installs them.
    #[arg(long, value_enum, default_value_t, requires = "function")]
    runtime: RuntimeArg,
    /// Folder that `make runtimes` filled.
    #[arg(long, value_name = "DIR", default_value = ".tools/runtimes")]
    runtimes: PathBuf,
    #[command(flatten)]
    distribution: DistributionArgs,
    /// Folder that contains the bucket [default: DIR/data of the sample, or .local/data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// IP address and port to listen on. Port 0 selects a free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = parse_listen)]
    listen: SocketAddr,
    /// Serve HTTPS with a certificate for this machine. The first start makes an authority for your clients to trust, in
    /// DIR/tls of the sample, or in .local/tls.
    #[arg(long, conflicts_with = "tls_cert")]
    tls: bool,
    /// Serve HTTPS with this certificate (PEM). Further certificates of the chain follow it in the file.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Write every request and its outcome into this new folder, for `authorizer replay --recording DIR`. The tokens are
    /// replaced by tokens of the recording's own keys, with the same claims.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Origin that people return to after they signed in, instead of `origin` of `[sign_in]`, such as
    /// `https://localhost:8443` [default: what the policy says]. The provider must know it.
    #[arg(long, value_name = "URL")]
    sign_in_origin: Option<String>,
    /// Do not serve the console, the page that shows requests and the policy. Its address, on a port of its own that only
    /// this machine can reach, is printed at the start.
    #[arg(long)]
    no_console: bool,
    /// Output format of each request. With json, the first line has the address.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, such as `127.0.0.1:8081`".to_owned())
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum RuntimeArg {
    /// `bootstrap` alone.
    #[default]
    Native,
    /// The Python handler.
    Python,
    /// The Node.js handler.
    Node,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Tokio)?;
    let (lines, written) = RequestLines::new(args.format);
    let exit = runtime.block_on(serve(args, Arc::new(lines)));
    runtime.shutdown_timeout(SHUTDOWN);
    written.wait();
    exit
}

async fn serve(args: &Args, lines: Arc<RequestLines>) -> miette::Result<Exit> {
    // The policy is read again when it changes, and standard input can be read only once.
    if args.policy.as_deref() == Some(Path::new("-")) {
        return Err(ServeError::PolicyFromStdin.into());
    }
    let recording = (!args.no_console).then(Recording::new);
    let observer: Arc<dyn Observer> = match &recording {
        Some(recording) => recording.observer(lines),
        None => lines,
    };
    // This listens from the start, so that whatever is made is removed.
    let mut stop = Stop::listen().map_err(ServeError::Signals)?;
    let data = args.data.clone().unwrap_or_else(|| {
        args.sample.as_deref().map_or_else(|| PathBuf::from(".local/data"), |sample| sample.join("data"))
    });
    let mut lock = DataLock::take(&data)?;
    // Two first starts at once would make two keys.
    let sample = args.sample.as_deref().map(Sample::prepare).transpose()?;
    let policy = sample.as_ref().map(Sample::policy).or(args.policy.clone());
    let (dev_issuer, _key_files) = match (&args.policy, &args.dev_issuer) {
        (Some(policy), Some(folder)) => {
            let (keys, files) = DevIssuer::new(policy, folder, args.listen)?;
            (Some(Arc::new(keys)), Some(files))
        }
        _ => (None, None),
    };
    let policy_file = policy.clone().filter(|_| args.function.is_none());
    let (function, response_headers, by_policy, decided_by, decider) = match (&args.function, policy) {
        (Some(zip), _) => {
            let clients = RuntimeClients::in_dir(&args.runtimes);
            let runtime = match args.runtime {
                RuntimeArg::Native => Runtime::Native,
                RuntimeArg::Python => Runtime::Python,
                RuntimeArg::Node => Runtime::Node,
            };
            let packaged = Packaged::unpack(zip, runtime, &clients).map_err(ServeError::from)?;
            let packaged = packaged.with_concurrency(args.concurrency);
            if let Some(origin) = &args.sign_in_origin {
                sign_in::set_origin_of_package(&packaged, origin)?;
            }
            if !Packaged::limits_memory() {
                note(
                    "this system does not tell the memory of a process: the limit of 128 MB is not enforced",
                );
            }
            let decider = Decider::of_package(&packaged);
            let response_headers = response_headers_of(decider.as_ref());
            let by_policy = distribution::of_package(decider.as_ref());
            (
                Function::Packaged(packaged),
                response_headers,
                by_policy,
                format!("the package {}", zip.display()),
                decider,
            )
        }
        (None, Some(path)) => {
            let policy = LivePolicy::load(&path, dev_issuer.clone(), args.sign_in_origin.clone())?;
            let for_headers = policy.clone();
            let decider = Decider::Live(policy.clone());
            let by_policy = distribution::of_live(policy.clone());
            let response_headers: Arc<ResponseHeaders> =
                Arc::new(move |origin: Option<&str>| for_headers.response_headers(origin));
            let handler = move |event: Bytes| {
                let policy = policy.clone();
                async move { policy.decide(&event).await }
            };
            let decided_by = format!("the policy {}", path.display());
            let function = Function::InProcess(InProcess::new(handler));
            (function, response_headers, by_policy, decided_by, Some(decider))
        }
        // clap requires one of them.
        (None, None) => return Err(NoPolicyError.into()),
    };
    let https = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Https::from_files(certificate, key)?),
        (None, None) if args.tls => {
            let folder = args.sample.as_deref().unwrap_or_else(|| Path::new(".local")).join("tls");
            Some(Https::for_development(&folder, args.listen)?)
        }
        // clap requires both files or none.
        _ => None,
    };
    let ByPolicy { forwarded, needs, bucket: bucket_options } = by_policy;
    let (behaviors, said) = args.distribution.behaviors(forwarded, needs.as_ref(), https.is_some())?;
    let recorded = match &args.record {
        Some(folder) => {
            let decider = decider.clone().ok_or(RecordError::NoBundle)?;
            Some(record::Recording::start(folder, decider)?)
        }
        None => None,
    };
    let observer = recorded.as_ref().map_or(Arc::clone(&observer), |recorded| recorded.observer(observer));
    let settings = Settings {
        listen: args.listen,
        tls: https.as_ref().map(|https| https.tls.clone()),
        bucket: BUCKET.into(),
        bucket_options,
        region: REGION.into(),
        credentials: Credentials::random().map_err(ServeError::Random)?,
        data_dir: data.clone(),
        function,
        response_headers,
        observer,
    };
    let running = tokio::select! {
        running = Distribution::start_with(settings, behaviors) => running.map_err(ServeError::from).map(Some),
        () = stop.asked() => Ok(None),
    };
    let running = match running {
        Ok(Some(running)) => running,
        not_served => {
            if let Some(recorded) = recorded {
                recorded.discard();
            }
            return Ok(not_served.map(|_| Exit::Held)?);
        }
    };
    if let (Some(folder), Format::Text) = (&args.record, args.format) {
        note(format_args!("every request is recorded in {}", folder.display()));
    }
    if let Some(keys) = &dev_issuer {
        keys.warn();
    }
    let base = base(running.addr(), https.as_ref());
    if let Some(decider) = &decider {
        let served = Served { base: &base, addr: running.addr() };
        sign_in::warn(decider, args.sign_in_origin.as_deref(), &decided_by, &served);
    }
    said.warn();
    for text in running.notes() {
        note(format_args!("not imported: {}", text.escape_debug()));
    }
    let bucket = running.buckets().next().map_or(BUCKET, |(name, _)| name);
    let bucket = data.join(bucket);
    lock.serves(&base);
    let trusted = https.as_ref().map(|https| https.trusted.as_path());
    let console = match (&recording, decider) {
        (Some(recording), Some(decider)) => {
            let tls = https
                .as_ref()
                .and_then(|https| Some((https.trusted.as_path(), https.host(running.addr().ip())?)));
            let about = About {
                decider,
                invalidator: running.invalidator(),
                policy: policy_file,
                dev_issuer: dev_issuer.clone(),
                sample_key: sample.as_ref().filter(|_| args.function.is_none()).map(Sample::private_key),
                decided_by: decided_by.clone(),
                addr: running.addr(),
                base: base.clone(),
                tls,
            };
            // The distribution is of use without it.
            Console::start(recording, about).await.inspect_err(|error| note(error)).ok()
        }
        (Some(_), None) => {
            note("there is no console: the `bundle.json` of the package cannot be read");
            None
        }
        (None, _) => None,
    };
    if let (Some(recording), None) = (&recording, &console) {
        recording.stop();
    }
    let console_url = console.as_ref().map(|console| console.url.as_str());
    match args.format {
        Format::Json => line(json!(ServeLine::Started {
            version: 1,
            addr: running.addr(),
            url: &base,
            trust: trusted.map(Path::to_string_lossy),
            s3_addr: running.s3_addr(),
            bucket: bucket.to_string_lossy(),
            behaviors: &said.behaviors,
            decided_by: &decided_by,
            console: console_url,
        }))?,
        Format::Text => {
            line(format_args!("{base} serves {}", bucket.display()))?;
            line(format_args!("  decided by {decided_by}"))?;
            line(format_args!(
                "  the bucket itself is at {} and answers signed requests only",
                running.s3_addr()
            ))?;
            for (name, addr) in running.buckets().skip(1) {
                line(format_args!("  and {} at {addr}", data.join(name).display()))?;
            }
            said.print()?;
            if let Some(trusted) = trusted {
                line(format_args!("  clients must trust {}", trusted.display()))?;
            }
            // A package has its own policy and keys.
            if let (Some(sample), None) = (&sample, &args.function) {
                sample.print(&base, trusted)?;
            }
            if let (Some(keys), Some(policy)) = (&dev_issuer, &args.policy) {
                keys.print(policy, &base, trusted)?;
            }
            if let Some(url) = console_url {
                line(format_args!("Console: {url}"))?;
            }
            if let Some(command) = console.as_ref().and_then(|console| console.invalidate.as_ref()) {
                line(format_args!("To empty the cache: {command}"))?;
            }
            line("Each request is one line below. Ctrl-C stops the server.")?;
        }
    }
    stop.asked().await;
    finish(running, &mut stop).await;
    if let Some(recorded) = recorded {
        recorded.finish();
    }
    Ok(Exit::Held)
}

/// Lets running requests finish, until a second signal.
async fn finish(running: Running, stop: &mut Stop) {
    let mut finished = pin!(running.stop());
    tokio::select! {
        () = &mut finished => return,
        () = stop.asked() => return,
        () = tokio::time::sleep(TOLD_AFTER) => {}
    }
    note("waiting up to 30 s for running requests; Ctrl-C again ends them now");
    tokio::select! {
        () = finished => {}
        () = stop.asked() => note("running requests were cut off"),
    }
}

/// The address for viewers as a URL, by a name that the certificate is for.
fn base(addr: SocketAddr, https: Option<&Https>) -> String {
    let Some(https) = https else { return format!("http://{addr}") };
    match https.host(addr.ip()) {
        Some(ServerName::DnsName(name)) => format!("https://{}:{}", name.as_ref(), addr.port()),
        Some(_) => format!("https://{addr}"),
        None => {
            note(format_args!(
                "the certificate is not for {} or localhost: use a name that it is for, such as with curl's --connect-to",
                addr.ip()
            ));
            format!("https://{addr}")
        }
    }
}

/// The response headers policy for a package: the CORS headers of its policy. If its bundle cannot be read, the package
/// does not start, and nothing is answered.
fn response_headers_of(package: Option<&Decider>) -> Arc<ResponseHeaders> {
    let cors = package.and_then(|package| package.with(|decides| decides.bundle().policy().cors().cloned()));
    Arc::new(move |origin: Option<&str>| {
        cors.as_ref().map(|cors| cors.response_headers(origin)).unwrap_or_default()
    })
}
