//! The members of Lambda's and S3's structures, down to the values: what a function's configuration and a bucket's
//! settings can have. Those of CloudFront's are in `authorizer_cloudfront`.
//!
//! They are those of botocore's service models of Lambda 2015-03-31 and S3 2006-03-01. What is not judged (EA264 to EA266,
//! EA269, EA282, EA283, EA285, EA290) says who made a version and when, refuses uploads, or is of a function that CloudFront associates
//! with no behavior ([AWS: restrictions on
//! Lambda@Edge](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html)).

use authorizer_cloudfront::unknown_beside;
use serde_json::Value;

use super::finding::Spot;

/// A structure, or each of a list of them: its members that are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Structure {
    /// Those that are values, lists of values, or maps with names that the operator chose.
    values: &'static [&'static str],
    /// Those that are structures.
    structures: &'static [(&'static str, Structure)],
}

const fn holds(
    values: &'static [&'static str],
    structures: &'static [(&'static str, Structure)],
) -> Structure {
    Structure { values, structures }
}

const ERROR: Structure = holds(&["ErrorCode", "Message"], &[]);

/// Lambda's `FunctionConfiguration`.
pub(super) const FUNCTION: Structure = holds(
    &[
        "Architectures",
        "CodeSha256",
        "CodeSize",
        "ConfigSha256",
        "Description",
        "FunctionArn",
        "FunctionName",
        "Handler",
        "KMSKeyArn",
        "LastModified",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "MasterArn",
        "MemorySize",
        "PackageType",
        "RevisionId",
        "Role",
        "Runtime",
        "SigningJobArn",
        "SigningProfileVersionArn",
        "State",
        "StateReason",
        "StateReasonCode",
        "Timeout",
        "Version",
    ],
    &[
        (
            "CapacityProviderConfig",
            holds(
                &[],
                &[(
                    "LambdaManagedInstancesCapacityProviderConfig",
                    holds(
                        &[
                            "CapacityProviderArn",
                            "ExecutionEnvironmentMemoryGiBPerVCpu",
                            "PerExecutionEnvironmentMaxConcurrency",
                        ],
                        &[],
                    ),
                )],
            ),
        ),
        ("DeadLetterConfig", holds(&["TargetArn"], &[])),
        ("DurableConfig", holds(&["ExecutionTimeout", "RetentionPeriodInDays"], &[])),
        ("Environment", holds(&["Variables"], &[("Error", ERROR)])),
        ("EphemeralStorage", holds(&["Size"], &[])),
        ("FileSystemConfigs", holds(&["Arn", "LocalMountPath"], &[])),
        (
            "ImageConfigResponse",
            holds(
                &[],
                &[
                    ("Error", ERROR),
                    ("ImageConfig", holds(&["Command", "EntryPoint", "WorkingDirectory"], &[])),
                ],
            ),
        ),
        ("Layers", holds(&["Arn", "CodeSize", "SigningJobArn", "SigningProfileVersionArn"], &[])),
        ("LoggingConfig", holds(&["ApplicationLogLevel", "LogFormat", "LogGroup", "SystemLogLevel"], &[])),
        ("RuntimeVersionConfig", holds(&["RuntimeVersionArn"], &[("Error", ERROR)])),
        ("SnapStart", holds(&["ApplyOn", "OptimizationStatus"], &[])),
        ("TenancyConfig", holds(&["TenantIsolationMode"], &[])),
        ("TracingConfig", holds(&["Mode"], &[])),
        ("VpcConfig", holds(&["Ipv6AllowedForDualStack", "SecurityGroupIds", "SubnetIds", "VpcId"], &[])),
    ],
);

/// What S3 says of a bucket, by the files of the export.
pub(super) const BUCKET: [(&str, Structure); 4] = [
    (
        "public-access-block.json",
        holds(
            &[],
            &[(
                "PublicAccessBlockConfiguration",
                holds(
                    &["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"],
                    &[],
                ),
            )],
        ),
    ),
    (
        "ownership-controls.json",
        holds(&[], &[("OwnershipControls", holds(&[], &[("Rules", holds(&["ObjectOwnership"], &[]))]))]),
    ),
    (
        "encryption.json",
        holds(
            &[],
            &[(
                "ServerSideEncryptionConfiguration",
                holds(
                    &[],
                    &[(
                        "Rules",
                        holds(
                            &["BucketKeyEnabled"],
                            &[
                                (
                                    "ApplyServerSideEncryptionByDefault",
                                    holds(&["KMSMasterKeyID", "SSEAlgorithm"], &[]),
                                ),
                                ("BlockedEncryptionTypes", holds(&["EncryptionType"], &[])),
                            ],
                        ),
                    )],
                ),
            )],
        ),
    ),
    ("versioning.json", holds(&["MFADelete", "Status"], &[])),
];

/// A member that is set and that is not known: where the structure is that has it, and its name.
pub(super) type Unknown = (Spot, String);

impl Structure {
    /// The members of a value, and of the structures in it, that are set and that are not known.
    pub(super) fn unknown(&self, value: &Value, spot: &Spot, found: &mut Vec<Unknown>) {
        if let Value::Array(all) = value {
            all.iter().enumerate().for_each(|(index, one)| self.unknown(one, &spot.at(index), found));
            return;
        }
        let names = self.structures.iter().map(|(name, _)| *name);
        let known: Vec<&str> = self.values.iter().copied().chain(names).collect();
        found.extend(unknown_beside(&known, value).into_iter().map(|one| (spot.clone(), one.name)));
        for (name, structure) in self.structures {
            if let Some(inner) = value.get(name) {
                structure.unknown(inner, &spot.then(name), found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_that_is_not_known_is_found_at_every_depth() {
        let encryption = BUCKET.iter().find(|(name, _)| *name == "encryption.json").unwrap().1;
        for (structure, value, expected) in [
            (FUNCTION, json!({"Timeout": 5, "Handler": "a"}), vec![]),
            (FUNCTION, json!({"Environment": {"Variables": {"ANY": "name"}}}), vec![]),
            (FUNCTION, json!({"LoggingConfig": {"NewThing": "", "Other": {"On": false}}}), vec![]),
            (FUNCTION, json!({"LoggingConfig": {"NewThing": 1}}), vec![("LoggingConfig", "NewThing")]),
            (
                FUNCTION,
                json!({"Environment": {"Error": {"New": "x"}, "NewVars": {"A": "b"}}}),
                vec![("Environment", "NewVars"), ("Environment/Error", "New")],
            ),
            (FUNCTION, json!({"Layers": [{"Arn": "a"}, {"New": true}]}), vec![("Layers/1", "New")]),
            (
                encryption,
                json!({"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"New": 1}}]}}),
                vec![("ServerSideEncryptionConfiguration/Rules/0/ApplyServerSideEncryptionByDefault", "New")],
            ),
        ] {
            let mut found = Vec::new();
            structure.unknown(&value, &Spot::file("x.json"), &mut found);
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(place, name)| (Spot::file("x.json").then(place), name.to_owned()))
                .collect();
            assert_eq!(found, expected, "{value}");
        }
    }
}
