//! Exports from CloudWatch Logs: records of a subscription, and lines of the AWS CLI.

use std::io::Read as _;

use aws_lambda_events::cloudwatch_logs::{LogData, LogEntry};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;

use super::{Context, Depth, LineContent, Sink, read_text, time};

/// The largest size that the data of one record is unpacked to, in bytes: CloudWatch Logs batches less.
const MAX_DATA_BYTES: u64 = 64 * 1024 * 1024;

/// The event by which a subscription calls a Lambda function ([AWS: subscription
/// filters](https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html)). The library's type
/// for it does not limit the unpacked size.
#[derive(Deserialize)]
struct Packed {
    data: String,
}

/// Reads the `awslogs` of an event: base64 around gzip around the record.
pub(super) fn read_packed(awslogs: &str, context: &Context<'_>, found: Sink<'_>) {
    match unpack(awslogs) {
        Some(data) => read_record(&data, context, found),
        None => found(LineContent::Malformed("the `data` of `awslogs` is not gzip in base64".to_owned())),
    }
}

fn unpack(awslogs: &str) -> Option<String> {
    let packed: Packed = serde_json::from_str(awslogs).ok()?;
    let bytes = STANDARD.decode(packed.data).ok()?;
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice()).take(MAX_DATA_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Reads the record of a subscription, as Firehose and Kinesis receive it.
pub(super) fn read_record(record: &str, context: &Context<'_>, found: Sink<'_>) {
    let Ok(data) = serde_json::from_str::<LogData>(record) else {
        return found(LineContent::Malformed(
            "the record of a CloudWatch Logs subscription is not complete".to_owned(),
        ));
    };
    // The other kind, CONTROL_MESSAGE, only checks that the destination is reachable.
    if data.message_type != "DATA_MESSAGE" {
        return found(LineContent::NoRequest);
    }
    for LogEntry { timestamp, message, .. } in &data.log_events {
        read_event(message, u64::try_from(*timestamp).ok(), context, found);
    }
}

/// Reads the message of one event.
pub(super) fn read_event(message: &str, milliseconds: Option<u64>, context: &Context<'_>, found: Sink<'_>) {
    let at = milliseconds.map_or_else(super::Span::unknown, time::of_event);
    read_text(message.trim_end(), at, context, Depth::Event, found);
}

/// Whether Lambda itself wrote this line into a function's log ([AWS: Lambda
/// logs](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html)), in the text format.
pub(super) fn is_platforms_own(text: &str) -> bool {
    const WORDS: [&str; 8] = [
        "START RequestId:",
        "END RequestId:",
        "REPORT RequestId:",
        "INIT_START ",
        "INIT_REPORT ",
        "EXTENSION\t",
        "TELEMETRY\t",
        "XRAY TraceId:",
    ];
    WORDS.iter().any(|word| text.starts_with(word))
}

/// A line of `aws logs tail`, or of `aws logs filter-log-events --query 'events[].[timestamp,message]' --output
/// text`: the prefix before the event, and the event.
pub(super) fn prefixed(text: &str) -> Option<(&str, &str)> {
    let place = text.find('{');
    if let Some((before, event)) = place.and_then(|place| text.split_at_checked(place)) {
        // A time and the name of a stream, which have no spaces.
        let words = before.split([' ', '\t']).filter(|word| !word.is_empty()).count();
        return (before.ends_with([' ', '\t']) && words <= 2).then_some((before, event));
    }
    let own = text.match_indices([' ', '\t']).take(2);
    let rests = own.filter_map(|(place, _)| text.split_at_checked(place.saturating_add(1)));
    rests.into_iter().find(|(_, rest)| is_platforms_own(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_found_after_what_the_cli_writes_before_it() {
        for (line, before) in [
            ("1800000000000\t{\"a\":1}", "1800000000000\t"),
            ("2027-01-15T08:00:00Z {\"a\":1}", "2027-01-15T08:00:00Z "),
            (
                "2027-01-15T08:00:00+00:00 2027/01/15/[1]abc {\"a\":1}",
                "2027-01-15T08:00:00+00:00 2027/01/15/[1]abc ",
            ),
        ] {
            assert_eq!(prefixed(line), Some((before, "{\"a\":1}")), "{line}");
        }
        assert_eq!(
            prefixed("2027-01-15T08:00:00Z stream START RequestId: 1 Version: 2"),
            Some(("2027-01-15T08:00:00Z stream ", "START RequestId: 1 Version: 2"))
        );
        for line in ["x{}", "a b c {}", "no brace", ""] {
            assert_eq!(prefixed(line), None, "{line}");
        }
    }
}
