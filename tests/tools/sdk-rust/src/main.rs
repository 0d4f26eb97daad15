//! Makes calls with AWS's SDK for Rust for the tests, and prints their results.
//!
//!     driver DISTRIBUTION TOKEN [CHECKSUMS]
//!
//! CHECKSUMS is `when_required` (default) or `when_supported`. Each line of standard input is a call and each line of
//! standard output its answer, both JSON:
//!
//!     {"call": "GetObject", "key": "users/alice/a"}
//!     {"body": "..."} or {"error": {"code": "AccessDenied", "status": 403, "message": "..."}}
//!
//! The client is set as docs/clients.md says, for the bucket `files` at `example.com`. Its requests go to this machine.

use std::env;
use std::io::stdin;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, ConfigBag, Intercept, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    RuntimeComponents,
};
use aws_sdk_s3::error::{BoxError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectCannedAcl;
use aws_sdk_s3::{Client, Config};
use aws_smithy_http_client::Builder;
use serde_json::{Value, json};

/// Sends each request to this machine, with the token.
#[derive(Debug)]
struct Viewer {
    distribution: String,
    token: String,
}

impl Intercept for Viewer {
    fn name(&self) -> &'static str {
        "Viewer"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token));
        let rest = request.uri().strip_prefix("https://").expect("a request over HTTPS").to_owned();
        let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        request.headers_mut().insert("host", host.to_owned());
        request.set_uri(format!("http://{}{target}", self.distribution))?;
        Ok(())
    }
}

fn client(distribution: String, token: String, checksums: &str) -> Client {
    let is_default = checksums == "when_supported";
    let (request, response) = if is_default {
        (RequestChecksumCalculation::WhenSupported, ResponseChecksumValidation::WhenSupported)
    } else {
        (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired)
    };
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url("https://example.com")
        .allow_no_auth()
        .interceptor(Viewer { distribution, token })
        .request_checksum_calculation(request)
        .response_checksum_validation(response)
        // A retry would hide an answer that a test checks.
        .retry_config(RetryConfig::disabled())
        .http_client(Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

async fn make(client: &Client, asked: &Value) -> Result<Value, Value> {
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let (bucket, key) = ("files", text("key"));
    match asked["call"].as_str().unwrap_or_default() {
        "PutObject" => {
            // A body in memory, or a file that is read while it is sent.
            let body = match asked["file"].as_str() {
                Some(file) => {
                    ByteStream::from_path(file).await.map_err(|error| json!({"text": error.to_string()}))?
                }
                None => ByteStream::from(text("body").into_bytes()),
            };
            let put = client.put_object().bucket(bucket).key(key).body(body).content_type("image/png");
            put.send().await.map_err(failure)?;
        }
        "GetObject" => {
            let got = client.get_object().bucket(bucket).key(key).send().await.map_err(failure)?;
            let body = got.body.collect().await.map_err(|error| json!({"text": error.to_string()}))?;
            return Ok(json!({"body": String::from_utf8_lossy(&body.to_vec())}));
        }
        "HeadObject" => {
            client.head_object().bucket(bucket).key(key).send().await.map_err(failure)?;
        }
        "ListObjectsV2" => {
            let list = client.list_objects_v2().bucket(bucket).prefix(text("prefix"));
            let list = list.send().await.map_err(failure)?;
            let keys: Vec<_> = list.contents().iter().filter_map(|object| object.key()).collect();
            return Ok(json!({"keys": keys}));
        }
        "CopyObject" => {
            let copy = client.copy_object().bucket(bucket).key(key).copy_source(text("source"));
            copy.send().await.map_err(failure)?;
        }
        "PutObjectAcl" => {
            let put = client.put_object_acl().bucket(bucket).key(key).acl(ObjectCannedAcl::PublicRead);
            put.send().await.map_err(failure)?;
        }
        "DeleteObject" => {
            client.delete_object().bucket(bucket).key(key).send().await.map_err(failure)?;
        }
        other => panic!("no such call: {other}"),
    }
    Ok(json!({}))
}

fn failure<E>(error: SdkError<E>) -> Value
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    json!({
        "code": error.code(),
        "message": error.message(),
        "status": error.raw_response().map(|response| response.status().as_u16()),
        "text": DisplayErrorContext(&error).to_string(),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = env::args().skip(1);
    let (Some(distribution), Some(token)) = (arguments.next(), arguments.next()) else {
        panic!("usage: driver DISTRIBUTION TOKEN [CHECKSUMS]");
    };
    let client = client(distribution, token, &arguments.next().unwrap_or_default());
    for line in stdin().lines() {
        let asked: Value = serde_json::from_str(&line.expect("a line")).expect("a call in JSON");
        let answer = make(&client, &asked).await.unwrap_or_else(|error| json!({"error": error}));
        println!("{answer}");
    }
}
