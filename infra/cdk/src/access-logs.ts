import { ArnFormat, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { EdgeAuthorizer } from './edge-authorizer';
import { published, wrong } from './facts';

/** What is written for each request. No cookie and no Referer, which may contain a token. */
const FIELDS_BEFORE_QUERY = [
  'date', 'time', 'x-edge-location', 'sc-bytes', 'c-ip', 'cs-method', 'cs(Host)', 'cs-uri-stem', 'sc-status', 'cs(User-Agent)',
];
const FIELDS_AFTER_QUERY = [
  'x-edge-result-type', 'x-edge-request-id', 'x-host-header', 'cs-protocol', 'cs-bytes', 'time-taken', 'ssl-protocol',
  'x-edge-response-result-type', 'cs-protocol-version', 'x-edge-detailed-result-type', 'sc-content-type', 'sc-content-len',
];

/** The longest time that the templates keep logs. */
const MOST_DAYS = 3650;

/** The properties of the access logs. */
export interface AccessLogsProps {
  /** The authorizer in front of the buckets. */
  readonly authorizer: EdgeAuthorizer;

  /** The distribution whose requests are written. */
  readonly distribution: cloudfront.IDistribution;

  /**
   * The buckets behind it, whose own access logs are kept too: a request there whose requester is not CloudFront went
   * around the distribution. They must be made by this app.
   *
   * @default - only CloudFront's access logs are kept
   */
  readonly buckets?: s3.IBucket[];

  /**
   * How long they are kept: whole days, 1 to 3,650.
   *
   * @default Duration.days(365)
   */
  readonly retention?: Duration;

  /**
   * Whether they contain query strings, which a backtest against another policy needs. An error where the access policy
   * takes tokens from the query: the log would contain them.
   *
   * @default false
   */
  readonly queryStrings?: boolean;
}

/**
 * CloudFront's and S3's access logs, in a private bucket of their own: CloudFront's below `cloudfront/` as JSON, S3's
 * below `s3/`.
 *
 * Use it in a stack in us-east-1, from where CloudFront's logs are delivered.
 */
export class AccessLogs extends Construct {
  /** The bucket of the logs. It stays when the stack is deleted. */
  public readonly bucket: s3.IBucket;

  constructor(scope: Construct, id: string, props: AccessLogsProps) {
    super(scope, id);
    const stack = Stack.of(this);
    if (Token.isUnresolved(stack.region) || stack.region !== 'us-east-1') {
      throw wrong(`CloudFront's access logs are delivered from us-east-1; put AccessLogs into a stack with \`env: { region: 'us-east-1' }\``);
    }
    const days = (props.retention ?? Duration.days(365)).toDays({ integral: false });
    if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS) {
      throw wrong(`\`retention\` must be whole days, 1 to ${MOST_DAYS}`);
    }
    if (props.queryStrings && props.authorizer.edgeFunction._facts.takesTokensFromQuery) {
      throw wrong('the access policy takes tokens from the query, which `queryStrings` would write into the log; leave it out');
    }
    const name = `${props.authorizer.edgeFunction.authorizerName}-access`;

    const bucket = new s3.CfnBucket(this, 'Bucket', {
      ownershipControls: { rules: [{ objectOwnership: 'BucketOwnerEnforced' }] },
      publicAccessBlockConfiguration: {
        blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true,
      },
      versioningConfiguration: { status: 'Enabled' },
      // With S3's own keys: the policy of a KMS key would have to allow both services.
      bucketEncryption: { serverSideEncryptionConfiguration: [{ serverSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
      lifecycleConfiguration: {
        rules: [{
          id: 'delete-old-logs',
          status: 'Enabled',
          expirationInDays: days,
          noncurrentVersionExpiration: { noncurrentDays: 1 },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
        }],
      },
    });
    bucket.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    this.bucket = s3.Bucket.fromCfnBucket(bucket);

    const sourceArn = stack.formatArn({
      service: 'logs', resource: 'delivery-source', resourceName: name, arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const policy = new s3.CfnBucketPolicy(this, 'Policy', {
      bucket: bucket.ref,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          // As CloudWatch Logs would add it. See the template, ../cloudformation/stack.yaml.
          {
            Sid: 'AWSLogDeliveryWrite1',
            Effect: 'Allow',
            Principal: { Service: 'delivery.logs.amazonaws.com' },
            Action: 's3:PutObject',
            Resource: `${bucket.attrArn}/cloudfront/*`,
            Condition: {
              StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', 'aws:SourceAccount': stack.account },
              ArnLike: { 'aws:SourceArn': sourceArn },
            },
          },
          // Limited to the account, not to the bucket, which cannot exist before the bucket of its logs.
          {
            Sid: 'S3ServerAccessLogs',
            Effect: 'Allow',
            Principal: { Service: 'logging.s3.amazonaws.com' },
            Action: 's3:PutObject',
            Resource: `${bucket.attrArn}/s3/*`,
            Condition: { StringEquals: { 'aws:SourceAccount': stack.account } },
          },
          published('tls', { bucketArn: bucket.attrArn }),
        ],
      },
    });
    for (const one of props.buckets ?? []) this.keepOf(one, bucket);

    const source = new logs.CfnDeliverySource(this, 'Source', {
      name,
      logType: 'ACCESS_LOGS',
      resourceArn: props.distribution.distributionArn,
    });
    const destination = new logs.CfnDeliveryDestination(this, 'Destination', {
      name,
      destinationResourceArn: `${bucket.attrArn}/cloudfront`,
      outputFormat: 'json',
    });
    // Without the policy, the delivery fails without an error.
    destination.addDependency(policy);
    new logs.CfnDelivery(this, 'Delivery', {
      deliverySourceName: source.ref,
      deliveryDestinationArn: destination.attrArn,
      recordFields: [...FIELDS_BEFORE_QUERY, ...(props.queryStrings ? ['cs-uri-query'] : []), ...FIELDS_AFTER_QUERY],
    });
  }

  private keepOf(bucket: s3.IBucket, into: s3.CfnBucket): void {
    const made = bucket.node.defaultChild;
    if (!(made instanceof s3.CfnBucket)) {
      throw wrong(`the bucket \`${bucket.node.path}\` is not made by this app, so its access logs cannot be set here; leave it out of \`buckets\``);
    }
    if (made.loggingConfiguration !== undefined) {
      throw wrong(`the bucket \`${bucket.node.path}\` has access logs already; leave it out of \`buckets\``);
    }
    made.loggingConfiguration = { destinationBucketName: into.ref, logFilePrefix: 's3/' };
  }
}
