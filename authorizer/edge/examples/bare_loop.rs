//! The least that a function can do: it reads an event from the Runtime API, writes a line of the length of a decision,
//! and sends the event back, with a socket of the standard library and no client. `make bench-peers` measures it beside
//! the function. It understands only the API of the measurement, and no error.

use std::env;
use std::io::{BufRead, BufReader, Error, Write as _, stdout};
use std::net::TcpStream;

/// The length of the line of a decision in the measurement.
const LINE: [u8; 512] = {
    let mut line = [b'.'; 512];
    line[511] = b'\n';
    line
};

fn main() -> Result<(), Error> {
    let host = env::var("AWS_LAMBDA_RUNTIME_API").map_err(Error::other)?;
    let mut api = TcpStream::connect(&host)?;
    api.set_nodelay(true)?;
    let mut answers = BufReader::new(api.try_clone()?);
    let next = format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {host}\r\n\r\n");
    loop {
        api.write_all(next.as_bytes())?;
        let (id, event) = answer(&mut answers)?;
        let mut out = stdout().lock();
        out.write_all(&LINE)?;
        out.flush()?;
        let length = event.len();
        let mut response = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes();
        response.extend_from_slice(&event);
        api.write_all(&response)?;
        answer(&mut answers)?;
    }
}

/// The id of the invocation, and the body.
fn answer(answers: &mut impl BufRead) -> Result<(String, Vec<u8>), Error> {
    let (mut id, mut length) = (String::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        if answers.read_line(&mut line)? == 0 {
            return Err(Error::other("the Runtime API has closed the connection"));
        }
        match line.trim_end().split_once(": ") {
            Some(("lambda-runtime-aws-request-id", value)) => value.clone_into(&mut id),
            Some(("content-length", value)) => length = value.parse().map_err(Error::other)?,
            None if line == "\r\n" => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok((id, body))
}
