import { Annotations, Aws, Fn, Names, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { Facts, factsOf, mustBeOf, wrong } from './facts';
import { Unchanged } from './unchanged';

/** What CloudFront was seen to refuse in a viewer-request function, whatever AWS's pages say. */
const MOST_BYTES = 1_048_576;

/** The runtimes that can hand their process over to the native function. */
const RUNTIMES = ['python3.14', 'python3.13', 'nodejs24.x'];

/** The properties of the function. */
export interface EdgeAuthorizerFunctionProps {
  /**
   * The zip that `authorizer package` made.
   *
   * Everything that follows from its policy is read from it: the headers that reach S3, the methods, and what the
   * distribution may do with the bucket and the key. Needs Python 3 while the app is synthesized.
   */
  readonly package: string;

  /**
   * The policy file that the package must be made from. Needs the command line `authorizer`.
   *
   * @default - the policy in the package is not compared with a file
   */
  readonly policy?: string;

  /**
   * The program that reads `policy`.
   *
   * @default authorizer
   */
  readonly authorizerProgram?: string;

  /**
   * The SHA-256 of the reviewed package, in base64, as `authorizer package` prints it. Another package is an error.
   *
   * @default - any package is deployed
   */
  readonly codeSha256?: string;

  /**
   * The beginning of all names, and the name of the log group: a letter, and up to 51 letters, digits and hyphens. Do
   * not change it: everything that has a name would be created again.
   *
   * @default - from the path of the construct
   */
  readonly authorizerName?: string;

  /**
   * The managed runtime, whose process the native function replaces (a package made with `--hand-over library`: Python
   * only): Python 3.14 or 3.13, which AWS supports until 2029-06-30, or Node.js 24, until 2028-04-30.
   *
   * @default lambda.Runtime.PYTHON_3_14
   */
  readonly runtime?: lambda.Runtime;

  /**
   * What Lambda itself writes into the log. With INFO it adds the start and the duration of each request. The lines
   * of the function are written in any case.
   *
   * @default lambda.SystemLogLevel.WARN
   */
  readonly systemLogLevel?: lambda.SystemLogLevel;

  /**
   * How long the decision log is kept in us-east-1. `infra/logs` sets it in the other Regions.
   *
   * @default logs.RetentionDays.ONE_YEAR
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * The key of the log group in us-east-1.
   *
   * @default - CloudWatch Logs' own key
   */
  readonly logEncryptionKey?: kms.IKey;
}

/**
 * The function alone, its role, its log group and one published version, in us-east-1.
 *
 * Use it if the distribution is in a stack of another Region, or in another stack of us-east-1, and give it to
 * `EdgeAuthorizer` as `edgeFunction`.
 */
export class EdgeAuthorizerFunction extends Construct {
  /** The ARN of the published version. */
  public readonly versionArn: string;

  /** The published version. */
  public readonly version: lambda.IVersion;

  /** The function's name. */
  public readonly functionName: string;

  /** The name of the decision log's group, in each Region that runs the function. */
  public readonly logGroupName: string;

  /** The beginning of all names. */
  public readonly authorizerName: string;

  /** The path of the package. */
  public readonly packageFile: string;

  constructor(scope: Construct, id: string, props: EdgeAuthorizerFunctionProps) {
    super(scope, id);
    const stack = Stack.of(this);
    if (Token.isUnresolved(stack.region) || stack.region !== 'us-east-1') {
      const region = Token.isUnresolved(stack.region) ? 'does not say its Region' : `is in ${stack.region}`;
      throw wrong(`CloudFront accepts only functions in us-east-1, and the stack \`${stack.node.path}\` ${region}; `
        + "give it `env: { region: 'us-east-1' }`, or put an EdgeAuthorizerFunction into a stack in us-east-1 and pass it "
        + 'as `edgeFunction`');
    }
    const facts = factsOf(props.package);
    if (props.codeSha256 !== undefined && props.codeSha256 !== facts.codeSha256) {
      throw wrong(`the package \`${props.package}\` is not the one that was reviewed: its SHA-256 is ${facts.codeSha256}, `
        + `and codeSha256 is ${props.codeSha256}`);
    }
    if (props.policy !== undefined) mustBeOf(props.package, props.policy, props.authorizerProgram ?? 'authorizer');
    const runtime = (props.runtime ?? lambda.Runtime.PYTHON_3_14).name;
    if (!RUNTIMES.includes(runtime)) {
      throw wrong(`the runtime ${runtime} cannot hand its process over; use one of ${RUNTIMES.join(', ')}`);
    }
    if (facts.isLibrary && runtime.startsWith('nodejs')) {
      throw wrong(`the package \`${props.package}\` has the function as a library, which only Python can call, and the runtime is `
        + `${runtime}; leave \`runtime\` out, or make the package without \`--hand-over library\``);
    }
    const name = nameOf(this, props.authorizerName);
    if (facts.bytes > MOST_BYTES) {
      Annotations.of(this).addWarningV2('edge-authorizer:size', `the package has ${facts.bytes} bytes, and CloudFront was `
        + `seen to refuse more than ${MOST_BYTES}; to make a smaller one: authorizer package --policy policy.toml --build small `
        + '(in a clone: make package POLICY=policy.toml BUILD=small)');
    }
    this.packageFile = props.package;
    this.authorizerName = name;
    this.logGroupName = `/lambda-edge/${name}`;
    const level = props.systemLogLevel ?? lambda.SystemLogLevel.WARN;

    // A group that Lambda creates never deletes anything. `infra/logs` creates those of the other Regions.
    const log = new logs.LogGroup(this, 'Log', {
      logGroupName: this.logGroupName,
      retention: props.logRetention ?? logs.RetentionDays.ONE_YEAR,
      encryptionKey: props.logEncryptionKey,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });

    const role = new iam.CfnRole(this, 'Role', {
      description: `Lets ${name} write its log, in whichever Region it runs. Nothing else.`,
      assumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{
          Effect: 'Allow',
          Principal: { Service: ['lambda.amazonaws.com', 'edgelambda.amazonaws.com'] },
          Action: 'sts:AssumeRole',
        }],
      },
      policies: [{
        policyName: 'write-own-log',
        policyDocument: {
          Version: '2012-10-17',
          Statement: [{
            Effect: 'Allow',
            // Not logs:CreateLogGroup: see above.
            Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            // In each Region that runs the function.
            Resource: [`arn:${Aws.PARTITION}:logs:*:${Aws.ACCOUNT_ID}:log-group:${this.logGroupName}:*`],
          }],
        },
      }],
    });

    // Without the settings that CloudFront refuses for a viewer-request function: environment variables, layers, a VPC,
    // more memory or time, arm64, tracing, a dead-letter queue.
    const code = new Asset(this, 'Package', { path: props.package });
    // With the beginning of the stack's UUID: while CloudFront has replicas of a function, it cannot be deleted and its
    // name is taken. A new stack gets another name.
    const suffix = Fn.select(0, Fn.split('-', Fn.select(2, Fn.split('/', Aws.STACK_ID))));
    const handler = 'index.handler';
    const fn = new lambda.CfnFunction(this, 'Function', {
      functionName: `${name}-${suffix}`,
      description: 'Decides on every viewer request, before CloudFront signs it for the bucket.',
      packageType: 'Zip',
      architectures: ['x86_64'],
      runtime,
      handler,
      memorySize: 128,
      timeout: 5,
      role: role.attrArn,
      code: { s3Bucket: code.s3BucketName, s3Key: code.s3ObjectKey },
      // Lambda@Edge adds us-east-1 to a name below /aws/lambda, and leaves others as they are, in all Regions (CloudFront
      // Developer Guide, "Edge function logs"). The lines of the decision log do not have a level, and count as INFO.
      loggingConfig: {
        logFormat: 'JSON',
        logGroup: this.logGroupName,
        applicationLogLevel: 'INFO',
        systemLogLevel: level,
      },
    });
    fn.node.addDependency(log);
    this.functionName = fn.ref;

    const version = new lambda.CfnVersion(this, 'Version', {
      functionName: fn.ref,
      codeSha256: facts.codeSha256,
      // INVARIANT: contains everything above that an update can change in the function. CloudFormation publishes again
      // only if a property here has changed, and Lambda refuses to publish the same function twice.
      description: `package ${facts.codeSha256}, ${runtime}, ${handler}, x86_64, 128 MB, 5 s, ${level}`,
    });
    // Replicas block deletion for hours after a version was removed from the last behavior, so the stack never tries.
    version.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    this.versionArn = version.ref;
    this.version = lambda.Version.fromVersionArn(this, 'Published', version.ref);

    const unchanged = new Unchanged([role, fn, version]);
    this.node.addValidation({ validate: () => unchanged.problems().map((problem) => `EdgeAuthorizer: ${problem}`) });
  }

  /** @internal */
  public get _facts(): Facts {
    return factsOf(this.packageFile);
  }
}

function nameOf(construct: Construct, given: string | undefined): string {
  // The shortest limit of what has it in its name is that of a log delivery: 60.
  const name = given ?? Names.uniqueResourceName(construct, { maxLength: 52, separator: '-', allowedSpecialCharacters: '-' });
  if (Token.isUnresolved(name) || !/^[A-Za-z][A-Za-z0-9-]{0,51}$/.test(name)) {
    throw wrong(`authorizerName \`${name}\` must be a letter, and up to 51 letters, digits and hyphens`);
  }
  return name;
}
