//! Serves buckets for a suite that is run by hand: `cargo run -p authorizer-e2e --bin buckets`.
//!
//! Prints the endpoint, the access key and its secret, and serves until its input ends.

use authorizer_e2e::buckets::Buckets;

#[tokio::main]
async fn main() {
    let buckets = Buckets::start().await;
    println!(
        "http://{} {} {}",
        buckets.addr(),
        buckets.credentials().access_key(),
        buckets.credentials().secret_key()
    );
    let wait = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    let _ = tokio::task::spawn_blocking(wait).await;
}
