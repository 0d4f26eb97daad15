//! Runs the suite of the crate `object_store` against an S3, and says of each test whether it passed.
//!
//! Arguments: the endpoint, the bucket, the access key, its secret. One line for each test: `passed NAME`, or
//! `failed NAME: WHY`. Nothing of what is tested is written here.

use std::future::Future;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum, S3ConditionalPut, S3CopyIfNotExists};
use object_store::integration as suite;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

fn store(arguments: &[String], change: impl FnOnce(AmazonS3Builder) -> AmazonS3Builder) -> Arc<AmazonS3> {
    let [endpoint, bucket, key, secret] = arguments else { panic!("endpoint, bucket, key and secret") };
    let builder = AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_region("us-east-1")
        .with_bucket_name(bucket)
        .with_access_key_id(key)
        .with_secret_access_key(secret)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
    Arc::new(change(builder).build().unwrap())
}

async fn run(mode: &str, name: &str, test: impl Future<Output = ()> + Send + 'static) {
    match tokio::spawn(test).await {
        Ok(()) => println!("passed {mode}{name}"),
        Err(error) => {
            let panic = error.into_panic();
            let why = panic.downcast_ref::<String>().cloned();
            let why = why.or_else(|| panic.downcast_ref::<&str>().map(|why| (*why).to_owned()));
            println!("failed {mode}{name}: {}", why.unwrap_or_default().replace('\n', " "));
        }
    }
}

/// Each test begins with an empty bucket.
async fn empty(store: &AmazonS3) {
    let all: Vec<_> = store.list(None).try_collect().await.unwrap();
    for object in all {
        store.delete(&object.location).await.unwrap();
    }
}

/// One line for each test, with the stores that it takes.
macro_rules! run {
    ($mode:ident, $store:ident: $($name:literal => $test:expr;)*) => {
        $({
            let $store = Arc::clone(&$store);
            let all = Arc::clone(&$store);
            run($mode, $name, async move { $test.await }).await;
            empty(&all).await;
        })*
    };
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for (mode, checksum) in
        [("", None), ("sha256 ", Some(Checksum::SHA256)), ("crc64nvme ", Some(Checksum::CRC64NVME))]
    {
        let store = store(&arguments, |builder| match checksum {
            Some(checksum) => builder.with_checksum_algorithm(checksum),
            None => builder,
        });
        run! { mode, store:
            "put_get_delete_list" => suite::put_get_delete_list(&*store);
            "put_get_attributes" => suite::put_get_attributes(&*store);
            "get_opts" => suite::get_opts(&*store);
            "put_opts" => suite::put_opts(&*store, true);
            "stream_get" => suite::stream_get(&*store);
            "list_uses_directories_correctly" => suite::list_uses_directories_correctly(&*store);
            "list_with_delimiter" => suite::list_with_delimiter(&*store);
            "get_nonexistent_object" => async { suite::get_nonexistent_object(&*store, None).await.unwrap_err(); };
            "rename_and_copy" => suite::rename_and_copy(&*store);
            "copy_if_not_exists" => suite::copy_if_not_exists(&*store);
            "copy_rename_nonexistent_object" => suite::copy_rename_nonexistent_object(&*store);
            "multipart" => suite::multipart(&*store, &*store);
            "multipart_with_opts" => suite::multipart_with_opts(&*store, &*store);
            "multipart_put_part_out_of_order" => suite::multipart_put_part_out_of_order(&*store, &*store);
            "multipart_race_condition" => suite::multipart_race_condition(&*store, true);
            "multipart_out_of_order" => suite::multipart_out_of_order(&*store);
            "list_paginated" => suite::list_paginated(&*store, &*store);
            "list_with_offset_exclusivity" => suite::list_with_offset_exclusivity(&*store);
        }
    }
}
