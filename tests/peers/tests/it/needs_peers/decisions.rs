//! All contenders make the same decisions, under AWS's runtime client.

use authorizer_e2e::binaries::Build;
use authorizer_e2e::{runtimes, tools};
use authorizer_local::Runtime;
use authorizer_peers::contender::{Contender, Function, Library};
use authorizer_peers::event::{Case, Decision};
use authorizer_peers::issuer::{Fault, Issuer};
use authorizer_peers::process::Process;
use authorizer_peers::stage::Stage;
use jsonwebtoken::Algorithm;

fn cases(issuer: &Issuer) -> Vec<(&'static str, Case)> {
    let uri = "/users/alice/report.pdf";
    let token = |fault| issuer.token("alice", 7, fault);
    let good = token(Fault::None);
    let es256 = issuer.sign(Algorithm::ES256, "alice", 7, Fault::None);
    let forwarded = || Decision::Forwarded(uri.to_owned());
    let refused = |fault| Case::new("GET", uri, Some(&token(fault)), Decision::Refused);
    vec![
        ("her own file", Case::new("GET", uri, Some(&good), forwarded())),
        ("the same once more", Case::new("GET", uri, Some(&good), forwarded())),
        ("with an ES256 token", Case::new("GET", uri, Some(&es256), forwarded())),
        ("her own file is deleted", Case::new("DELETE", uri, Some(&good), forwarded())),
        ("another's file", Case::new("GET", "/users/bob/report.pdf", Some(&good), Decision::Refused)),
        ("a folder that begins alike", Case::new("GET", "/users/alice2/a", Some(&good), Decision::Refused)),
        ("a method for nobody", Case::new("POST", uri, Some(&good), Decision::Refused)),
        ("no token", Case::new("GET", uri, None, Decision::Refused)),
        ("no token in the place of one", Case::new("GET", uri, Some("a.b.c"), Decision::Refused)),
        ("forged", refused(Fault::Forged)),
        ("expired", refused(Fault::Expired)),
        ("for another service", refused(Fault::Audience)),
        ("from another issuer", refused(Fault::Issuer)),
    ]
}

#[tokio::test]
async fn the_function_and_every_peer_give_the_same_decisions() {
    let (Some(peers), Some(_)) = (tools::installed("peers", "the peers"), runtimes::clients(Runtime::Node))
    else {
        return;
    };
    let stage = Stage::new(peers);
    let cases = cases(&stage.issuer);
    let contenders = [
        (Function::Ours(Build::Fast), Runtime::Node),
        (Function::AsLibrary(Build::Fast), Runtime::Python),
        (Function::Peer(Library::AwsJwtVerify), Runtime::Node),
        (Function::Peer(Library::Jose), Runtime::Node),
        (Function::Peer(Library::PyJwt), Runtime::Python),
    ];
    for (function, runtime) in contenders {
        if runtimes::clients(runtime).is_none() {
            continue;
        }
        let package = stage.package(function);
        let contender = Contender { function, runtime };
        let (mut process, _) = Process::start(contender.runtime, package.unpacked.folder()).await;
        for (name, case) in &cases {
            let answer = process.invoke(&case.event).await;
            case.assert(&format!("{contender}: {name}"), &answer.result);
        }
    }
}
