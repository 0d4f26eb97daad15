import { CfnOutput, Duration, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { AccessLogs, EdgeAuthorizer, RateLimit } from '../lib';

export interface FilesStackProps extends StackProps {
  readonly package: string;
  readonly codeSha256: string;
  readonly distributionId?: string;
  /** How many requests one IP address may send in 5 minutes. */
  readonly rateLimit?: number;
  readonly accessLogs?: boolean;
  /** The version that viewers keep during a rollout in stages. */
  readonly functionVersionArn?: string;
  readonly stagingDistributionArn?: string;
  readonly continuousDeploymentPolicyId?: string;
}

/** A private bucket that applications can reach only over plain HTTPS through CloudFront. */
export class FilesStack extends Stack {
  constructor(scope: Construct, id: string, props: FilesStackProps) {
    super(scope, id, props);

    // Administrators of the key cannot use it: objects are read and written only through CloudFront. Without
    // kms:CreateGrant: with it, they could give anybody the use of the key, and this policy would not show it.
    const administration = new iam.PolicyStatement({
      sid: 'AllowAdministrationByTheAccount',
      principals: [new iam.AccountRootPrincipal()],
      resources: ['*'],
      actions: [
        'kms:CancelKeyDeletion',
        'kms:DescribeKey',
        'kms:DisableKey',
        'kms:DisableKeyRotation',
        'kms:EnableKey',
        'kms:EnableKeyRotation',
        'kms:GetKeyPolicy',
        'kms:GetKeyRotationStatus',
        'kms:ListGrants',
        'kms:ListKeyPolicies',
        'kms:ListKeyRotations',
        'kms:ListResourceTags',
        'kms:PutKeyPolicy',
        'kms:RevokeGrant',
        'kms:RotateKeyOnDemand',
        'kms:ScheduleKeyDeletion',
        'kms:TagResource',
        'kms:UntagResource',
        'kms:UpdateKeyDescription',
      ],
    });
    const key = new kms.Key(this, 'Key', {
      description: 'The objects of Files, through its distribution.',
      enableKeyRotation: true,
      policy: new iam.PolicyDocument({ statements: [administration] }),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });

    const bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: true,
      encryptionKey: key,
      bucketKeyEnabled: true,
      // The parts of an unfinished upload are not listed, but cost money.
      lifecycleRules: [{ id: 'abort-stale-multipart-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) }],
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });

    const authorizer = new EdgeAuthorizer(this, 'Authorizer', {
      package: props.package,
      codeSha256: props.codeSha256,
      distributionId: props.distributionId,
      functionVersionArn: props.functionVersionArn,
      stagingDistributionArns: props.stagingDistributionArn === undefined ? [] : [props.stagingDistributionArn],
    });

    const limit = props.rateLimit === undefined
      ? undefined : new RateLimit(this, 'RateLimit', { authorizer, requestsPer5Minutes: props.rateLimit });
    const distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: 'Files',
      // The only behavior. Every behavior with this bucket needs the function.
      defaultBehavior: authorizer.behaviorOptions(bucket),
      errorResponses: authorizer.errorResponses(),
      webAclId: limit?.webAclArn,
      // With HTTP/3, CloudFront has no continuous deployment.
      httpVersion: cloudfront.HttpVersion.HTTP2,
    });

    // CloudFormation takes the policy off a distribution whose template does not name it.
    (distribution.node.defaultChild as cloudfront.CfnDistribution).addPropertyOverride(
      'DistributionConfig.ContinuousDeploymentPolicyId', props.continuousDeploymentPolicyId);

    if (props.accessLogs ?? true) {
      const accessLogs = new AccessLogs(this, 'AccessLogs', { authorizer, distribution, buckets: [bucket] });
      new CfnOutput(this, 'LogBucketName', { value: accessLogs.bucket.bucketName });
    }

    new CfnOutput(this, 'DistributionId', { value: distribution.distributionId });
    new CfnOutput(this, 'DomainName', { value: distribution.distributionDomainName });
    new CfnOutput(this, 'BucketName', { value: bucket.bucketName });
    new CfnOutput(this, 'KeyArn', { value: key.keyArn });
    new CfnOutput(this, 'OriginAccessControlId', { value: authorizer.originAccessControlId });
    new CfnOutput(this, 'VersionArn', { value: authorizer.edgeFunction.versionArn });
    new CfnOutput(this, 'LogGroupName', { value: authorizer.edgeFunction.logGroupName });
  }
}
