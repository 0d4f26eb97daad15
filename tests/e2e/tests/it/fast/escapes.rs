//! Ways around the rules, as raw HTTP that no client would send. Alice may do everything below `users/alice/`, and
//! tries to reach Bob's object, the bucket, or more than the rules allow. Each attempt is refused, and the bucket's
//! log shows that no request reached S3.

mod copies;
mod framing;
mod headers;
mod listings;
mod paths;
mod queries;
mod random;
mod taken_out;
mod tokens;
mod uploads;

use authorizer_e2e::stage::Stage;
use authorizer_e2e::viewer::Answer;

/// An attempt: its sender, the request line without the version, the headers, the body, the status of the refusal,
/// and why somebody would send it.
///
/// `{alice}` and `{bob}` are the ids of their uploads. A header for the body's length is added if it is missing.
type Attempt = (Who, &'static str, &'static [&'static str], &'static str, u16, &'static str);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Who {
    Alice,
    Nobody,
}

const BOBS: &str = "/users/bob/x";
const HERS: &str = "/users/alice/x";

/// Bob and Alice each have an object and an upload that has begun.
struct Scene {
    stage: Stage,
    alice: String,
    bob: String,
    uploads: [String; 2],
    tried: usize,
}

impl Scene {
    fn set() -> Self {
        let stage = Stage::start();
        let (alice, bob) = (stage.token("alice"), stage.token("bob"));
        let begin = |token: &str, name: &str| {
            assert_eq!(stage.ask(token, "PUT", &format!("/users/{name}/x"), &[], name).status, 200);
            let answer = stage.ask(token, "POST", &format!("/users/{name}/up?uploads"), &[], "");
            let id = text_of("UploadId", &answer);
            let part = format!("/users/{name}/up?partNumber=1&uploadId={id}");
            assert_eq!(stage.ask(token, "PUT", &part, &[], name).status, 200);
            id
        };
        let uploads = [begin(&alice, "alice"), begin(&bob, "bob")];
        stage.bucket_log();
        Self { stage, alice, bob, uploads, tried: 0 }
    }

    /// Makes the attempts. Then checks that an allowed request is in the log, and that nothing has changed.
    fn refuses(mut self, attempts: &[Attempt]) {
        let mut surprises = Vec::new();
        for (who, first_line, headers, body, expected, why) in attempts {
            let request = self.request(*who, first_line, headers, body);
            surprises.extend(self.surprise(&request, *expected, why));
        }
        self.ends(&surprises);
    }

    /// The bytes of a request.
    fn request(&self, who: Who, first_line: &str, headers: &[&str], body: &str) -> String {
        let [alice, bob] = &self.uploads;
        let first_line = first_line.replace("{alice}", alice).replace("{bob}", bob);
        let mut request =
            format!("{first_line} HTTP/1.1\r\nHost: files.example.com\r\nConnection: close\r\n");
        if who == Who::Alice {
            request += &format!("Authorization: Bearer {}\r\n", self.alice);
        }
        for header in headers {
            request += &format!("{header}\r\n");
        }
        let framed = ["content-length", "transfer-encoding"];
        let is_framed = headers.iter().any(|line| framed.iter().any(|name| begins_with(line, name)));
        let is_get = first_line.starts_with("GET ") || first_line.starts_with("HEAD ");
        let needs_none = is_framed || (is_get && body.is_empty());
        if !needs_none {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request + "\r\n" + body
    }

    /// Sends it; returns what is wrong with the answer.
    fn surprise(&mut self, request: &str, expected: u16, why: &str) -> Option<String> {
        self.tried += 1;
        let answer = self.stage.viewer.raw(request);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        let log = self.stage.bucket_lines();
        let is_told = answer.contains("bob</") || answer.ends_with("\r\nbob");
        if status == Some(expected) && log.is_empty() && !is_told {
            return None;
        }
        let request = request.replace(&self.alice, "TOKEN");
        let request: String = request.chars().take(300).collect();
        Some(format!("{why}: {status:?}, not {expected}; the bucket heard {log:?}:\n{request}\n{answer}"))
    }

    fn ends(&self, surprises: &[String]) {
        assert!(
            surprises.is_empty(),
            "{} of {}:\n{}",
            surprises.len(),
            self.tried,
            surprises.join("\n---\n")
        );
        // Without this check, a log that records nothing would pass.
        let hers = self.stage.ask(&self.alice, "GET", HERS, &[], "");
        assert_eq!((hers.status, hers.body.as_str()), (200, "alice"));
        assert_eq!(self.stage.bucket_lines(), ["GetObject /users/alice/x 200"]);
        assert_eq!(self.stage.keys(), ["users/alice/x", "users/bob/x"]);
        let bobs = self.stage.ask(&self.bob, "GET", BOBS, &[], "");
        assert_eq!((bobs.status, bobs.body.as_str()), (200, "bob"));
        for (token, name, id) in
            [(&self.alice, "alice", &self.uploads[0]), (&self.bob, "bob", &self.uploads[1])]
        {
            let listed = self.stage.ask(token, "GET", &format!("/users/{name}/up?uploadId={id}"), &[], "");
            assert_eq!(listed.body.matches("<Part>").count(), 1, "{}", listed.body);
            assert_eq!(text_of("Size", &listed), name.len().to_string());
        }
        eprintln!("{} attempts were refused", self.tried);
    }
}

/// The text of the first element with this name.
fn text_of(element: &str, answer: &Answer) -> String {
    let (_, rest) = answer
        .body
        .split_once(&format!("<{element}>"))
        .unwrap_or_else(|| panic!("no {element}: {} {}", answer.status, answer.body));
    rest.split('<').next().unwrap().to_owned()
}

fn begins_with(line: &str, name: &str) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}
