import { Annotations, ArnFormat, Aws, CfnResource, Duration, Stack, Token } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct, IConstruct } from 'constructs';
import { EdgeAuthorizerFunction, EdgeAuthorizerFunctionProps } from './edge-authorizer-function';
import { Facts, published, wrong } from './facts';
import { KnownBucket, known, mentions, names } from './hosts';
import { Guarded, behaviorsOf, bucketProblems, configOf, obstacles, problemsOf, resourceOf } from './problems';
import { LetIn, strangersOf } from './statements';
import { Unchanged } from './unchanged';
import { isPlain, isWritten, propertiesOf, resourcesOf, textOf, written } from './written';

/** Managed-CachingDisabled. */
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';

/** All authorizers of an app: what one of them guards is no stranger to the others. */
const AUTHORIZERS = new WeakMap<IConstruct, Set<EdgeAuthorizer>>();

/** The properties of what is around the function. */
export interface EdgeAuthorizerOptions {
  /**
   * The id of the distribution that may use the buckets' KMS keys. A key cannot refer to its distribution, which refers
   * to the bucket, which refers to the key. So deploy, and deploy again with the id: until then CloudFront cannot use
   * the key, and every request that reaches S3 gets 403. Without a KMS key it is not needed.
   *
   * @default - no distribution may use the keys
   */
  readonly distributionId?: string;

  /**
   * The version that viewers have, during a rollout in stages: the present one, as text. A deployment then publishes the
   * package and gives it to nobody. As long as it is set, a changed access policy is not in force.
   *
   * @default - the version that this deployment publishes
   */
  readonly functionVersionArn?: string;

  /**
   * The staging distributions of a continuous deployment, of this account, which may then use the buckets and the keys
   * too. Each must have the function, as this distribution has.
   *
   * @default - none
   */
  readonly stagingDistributionArns?: string[];

  /**
   * How long CloudFront may serve an object without asking S3 again, even after the object was overwritten or deleted.
   * The function still decides on every request.
   *
   * @default Duration.seconds(0) - no caching
   */
  readonly cache?: Duration;

  /**
   * Whether browsers may keep objects without asking again. Otherwise S3's answers get `Cache-Control: private,
   * no-cache`, unless the uploader set one: a browser would show one user's object to the next user of the machine.
   *
   * @default false
   */
  readonly browserCaching?: boolean;

  /**
   * Whether S3's answers get `Content-Security-Policy: sandbox`, so that an uploaded page or SVG image cannot run
   * scripts on this domain. Browsers then do not show PDF files either.
   *
   * @default false
   */
  readonly sandboxUploads?: boolean;
}

/** The properties of the authorizer. */
export interface EdgeAuthorizerProps extends EdgeAuthorizerFunctionProps, EdgeAuthorizerOptions {
  /** @internal */
  readonly _edgeFunction?: EdgeAuthorizerFunction;
}

/**
 * Decides on every request of a viewer before CloudFront signs it for a private bucket.
 *
 * It makes the function in us-east-1, the origin access control, and CloudFront's policies, all as the access policy in
 * the package needs them. `behaviorOptions()` is for a new behavior; `attachTo()` is for one that is there. What would
 * leave a way around the function, or what CloudFront would refuse, stops the synthesis.
 */
export class EdgeAuthorizer extends Construct {
  /**
   * An authorizer with a function from another stack: CloudFront takes functions from us-east-1 only, and the
   * distribution may be in a stack of any Region. Set `crossRegionReferences: true` on both stacks.
   *
   * @param scope the scope
   * @param id the construct's id
   * @param edgeFunction the function
   * @param options what is around it
   */
  public static fromFunction(
    scope: Construct,
    id: string,
    edgeFunction: EdgeAuthorizerFunction,
    options: EdgeAuthorizerOptions = {},
  ): EdgeAuthorizer {
    return new EdgeAuthorizer(scope, id, { ...options, package: edgeFunction.packageFile, _edgeFunction: edgeFunction });
  }

  /** The function. */
  public readonly edgeFunction: EdgeAuthorizerFunction;

  /** The id of the origin access control, which signs every request for its bucket. */
  public readonly originAccessControlId: string;

  /** The cache policy. */
  public readonly cachePolicy: cloudfront.ICachePolicy;

  /** The origin request policy: what S3 is to see of a request that the authorizer let through. */
  public readonly originRequestPolicy: cloudfront.IOriginRequestPolicy;

  /** The response headers policy, with the `[cors]` of the access policy. Browsers keep and guess nothing. */
  public readonly responseHeadersPolicy: cloudfront.IResponseHeadersPolicy;

  private readonly facts: Facts;
  private readonly version: lambda.IVersion;
  private readonly props: EdgeAuthorizerProps;
  private readonly guarded: Guarded;
  /** The distributions, and the buckets that each of them has from here. */
  private readonly watched = new Map<IConstruct, Set<s3.IBucket>>();
  private readonly opened: { readonly bucket: s3.IBucket; readonly distributionId: string }[] = [];
  private readonly keys = new Set<IConstruct>();

  constructor(scope: Construct, id: string, props: EdgeAuthorizerProps) {
    super(scope, id);
    this.props = props;
    this.edgeFunction = props._edgeFunction ?? new EdgeAuthorizerFunction(this, 'Function', props);
    mustReach(this, this.edgeFunction);
    mustBeDistributions(this, props.stagingDistributionArns ?? []);
    this.version = versionFor(this, this.edgeFunction, props.functionVersionArn);
    this.facts = this.edgeFunction._facts;
    const [facts, name] = [this.facts, this.edgeFunction.authorizerName];

    this.originAccessControlId = new cloudfront.CfnOriginAccessControl(this, 'OriginAccessControl', {
      originAccessControlConfig: {
        name: `${name}-s3`,
        description: `Signs every request of ${name} for its bucket.`,
        originAccessControlOriginType: 's3',
        signingProtocol: 'sigv4',
        // With no-override, a viewer's own Authorization could reach S3.
        signingBehavior: 'always',
      },
    }).attrId;

    this.originRequestPolicy = cloudfront.OriginRequestPolicy.fromOriginRequestPolicyId(this, 'Requests',
      new cloudfront.CfnOriginRequestPolicy(this, 'OriginRequestPolicy', {
        originRequestPolicyConfig: {
          name: `${name}-s3`,
          comment: 'What S3 is to see of a request that the authorizer let through.',
          headersConfig: { headerBehavior: 'whitelist', headers: facts.forwardedHeaders },
          cookiesConfig: { cookieBehavior: 'none' },
          // The whole query, because it selects the operation: without it a listing lists the whole bucket,
          // AbortMultipartUpload is a DeleteObject, UploadPart a PutObject, and an old version the current one.
          queryStringsConfig: { queryStringBehavior: 'all' },
        },
      }).ref);

    const seconds = (props.cache ?? Duration.seconds(0)).toSeconds();
    if (seconds > 31_536_000) throw wrong('`cache` is longer than a year, which CloudFront does not take');
    this.cachePolicy = cloudfront.CachePolicy.fromCachePolicyId(this, 'Cache',
      seconds === 0 ? CACHING_DISABLED : new cloudfront.CfnCachePolicy(this, 'CachePolicy', {
        cachePolicyConfig: {
          name: `${name}-s3`,
          comment: 'An object is the same for whoever is let at it; the query says which one it is.',
          minTtl: 0,
          defaultTtl: seconds,
          maxTtl: seconds,
          parametersInCacheKeyAndForwardedToOrigin: {
            enableAcceptEncodingBrotli: false,
            enableAcceptEncodingGzip: false,
            cookiesConfig: { cookieBehavior: 'none' },
            headersConfig: { headerBehavior: 'none' },
            queryStringsConfig: { queryStringBehavior: 'all' },
          },
        },
      }).ref);

    this.responseHeadersPolicy = cloudfront.ResponseHeadersPolicy.fromResponseHeadersPolicyId(this, 'Answers',
      new cloudfront.CfnResponseHeadersPolicy(this, 'ResponseHeadersPolicy', {
        responseHeadersPolicyConfig: {
          name: `${name}-s3`,
          comment: 'The [cors] of the access policy; browsers keep and guess nothing.',
          securityHeadersConfig: {
            contentTypeOptions: { override: true },
            contentSecurityPolicy: props.sandboxUploads
              ? { contentSecurityPolicy: 'sandbox', override: false } : undefined,
            strictTransportSecurity: {
              accessControlMaxAgeSec: 31_536_000, includeSubdomains: false, preload: false, override: true,
            },
          },
          // Without override: refusals keep their no-store, and objects what the uploader said.
          customHeadersConfig: props.browserCaching
            ? undefined : { items: [{ header: 'Cache-Control', value: 'private, no-cache', override: false }] },
          removeHeadersConfig: { items: [{ header: 'x-amz-server-side-encryption-aws-kms-key-id' }] },
          corsConfig: facts.cors && {
            accessControlAllowOrigins: { items: facts.cors.origins },
            accessControlAllowMethods: {
              items: facts.writes ? ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] : ['GET', 'HEAD'],
            },
            accessControlAllowHeaders: { items: ['Authorization', ...facts.forwardedHeaders] },
            accessControlExposeHeaders: facts.cors.exposedHeaders.length === 0
              ? undefined : { items: facts.cors.exposedHeaders },
            accessControlAllowCredentials: facts.cors.credentials,
            accessControlMaxAgeSec: facts.cors.maxAgeSeconds,
            // The function sets its own on refusals and on answers to preflights.
            originOverride: false,
          },
        },
      }).ref);

    this.guarded = {
      versionArn: props.functionVersionArn ?? this.edgeFunction.versionArn,
      originAccessControlId: this.originAccessControlId,
      originRequestPolicyId: this.originRequestPolicy.originRequestPolicyId,
      cachePolicyId: this.cachePolicy.cachePolicyId,
      responseHeadersPolicyId: this.responseHeadersPolicy.responseHeadersPolicyId,
      facts,
    };
    const all = AUTHORIZERS.get(this.node.root) ?? new Set();
    AUTHORIZERS.set(this.node.root, all.add(this));
    const unchanged = new Unchanged(this.node.children.filter((one): one is CfnResource => CfnResource.isCfnResource(one)));
    this.node.addValidation({
      validate: () => [...unchanged.problems(), ...this.ofBuckets(), ...this.ofOtherDistributions()]
        .map((problem) => `EdgeAuthorizer: ${problem}`),
    });
  }

  /**
   * A bucket as an origin. It is signed, and the bucket and its key let the distribution in as far as the access policy
   * needs. Every behavior with this origin must have the function, or the synthesis stops.
   *
   * @param bucket the private bucket
   */
  public origin(bucket: s3.IBucket): cloudfront.IOrigin {
    return new BucketOrigin(bucket, this.originAccessControlId, (scope, distributionId) => {
      this.watch(scope, bucket);
      this.letIn(bucket, distributionId);
    });
  }

  /**
   * What a behavior needs, for `defaultBehavior` or `additionalBehaviors` of a new distribution.
   *
   * @param bucket the private bucket behind the behavior
   */
  public behaviorOptions(bucket: s3.IBucket): cloudfront.BehaviorOptions {
    return { origin: this.origin(bucket), ...this.addBehaviorOptions() };
  }

  /** What a behavior needs besides its origin, for `distribution.addBehavior(pattern, authorizer.origin(bucket), ...)`. */
  public addBehaviorOptions(): cloudfront.AddBehaviorOptions {
    const methods = cloudfront.AllowedMethods;
    return {
      // Not redirect-to-https: the token would already have been sent over plain HTTP.
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: this.facts.writes || this.facts.signsIn
        ? methods.ALLOW_ALL : this.facts.cors ? methods.ALLOW_GET_HEAD_OPTIONS : methods.ALLOW_GET_HEAD,
      cachedMethods: cloudfront.CachedMethods.CACHE_GET_HEAD,
      compress: false,
      cachePolicy: this.cachePolicy,
      originRequestPolicy: this.originRequestPolicy,
      responseHeadersPolicy: this.responseHeadersPolicy,
      edgeLambdas: [{
        functionVersion: this.version,
        eventType: cloudfront.LambdaEdgeEventType.VIEWER_REQUEST,
        includeBody: false,
      }],
    };
  }

  /**
   * The `errorResponses` of the distribution. CloudFront caches errors for 10 seconds by default: an object that was
   * requested before its upload would stay missing.
   */
  public errorResponses(): cloudfront.ErrorResponse[] {
    return [404, 405, 414, 500, 501, 502, 503, 504].map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) }));
  }

  /**
   * Puts the function on a behavior that the distribution has, and sets what the behavior must have. Its origin must
   * be one of `origin()`. Stops where another function, a trusted key group or gRPC is in the way.
   *
   * @param distribution the distribution, of this app
   * @param pathPattern the behavior's path pattern; `*` is the default behavior
   */
  public attachTo(distribution: cloudfront.IDistribution, pathPattern: string = '*'): void {
    const cfn = distribution.node.defaultChild;
    if (!(cfn instanceof cloudfront.CfnDistribution)) {
      throw wrong(`the distribution \`${distribution.node.path}\` is not made by this app, so it cannot be changed here; `
        + 'use `infra/attach`');
    }
    const behaviors = behaviorsOf(configOf(cfn));
    const found = behaviors.find((one) => one.pathPattern === pathPattern);
    if (!found) {
      const names = behaviors.map((one) => `\`${one.pathPattern}\``).join(', ');
      throw wrong(`the distribution \`${distribution.node.path}\` has no behavior \`${pathPattern}\`, but ${names}; to add it: `
        + `distribution.addBehavior('${pathPattern}', authorizer.origin(bucket), authorizer.addBehaviorOptions())`);
    }
    const inTheWay = obstacles(found, cfn, this.guarded, this.bucketsOf(distribution));
    if (inTheWay.length > 0) throw wrong(inTheWay.join('\n'));
    const others = (found.behavior.LambdaFunctionAssociations ?? []).filter(
      (one: any) => !isWritten(one.LambdaFunctionARN, this.guarded.versionArn, cfn),
    );
    const set = (name: string, value: any): void => cfn.addPropertyOverride(`DistributionConfig.${found.place}.${name}`, value);
    const wanted = this.addBehaviorOptions();
    set('LambdaFunctionAssociations', [...others, {
      EventType: 'viewer-request', LambdaFunctionARN: this.guarded.versionArn, IncludeBody: false,
    }]);
    set('ViewerProtocolPolicy', wanted.viewerProtocolPolicy);
    set('AllowedMethods', wanted.allowedMethods?.methods);
    set('CachedMethods', wanted.cachedMethods?.methods);
    set('Compress', false);
    set('CachePolicyId', this.guarded.cachePolicyId);
    set('OriginRequestPolicyId', this.guarded.originRequestPolicyId);
    set('ResponseHeadersPolicyId', this.guarded.responseHeadersPolicyId);
    this.watch(distribution);
  }

  /**
   * The statements that the policy of a bucket needs, for a bucket that this app does not own.
   *
   * @param bucket the bucket
   * @param distributionArns the distribution, and its staging distributions
   */
  public bucketPolicyStatements(bucket: s3.IBucket, distributionArns: string[]): iam.PolicyStatement[] {
    const names = { bucketArn: bucket.bucketArn, distributions: distributionArns };
    const { uploads, deletes, versions, multipart, listing } = this.facts;
    const objects = published('bucket', names);
    objects.Action = [
      's3:GetObject',
      ...(uploads ? ['s3:PutObject'] : []),
      ...(deletes ? ['s3:DeleteObject'] : []),
      ...(versions ? ['s3:GetObjectVersion'] : []),
      ...(multipart ? ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts'] : []),
    ];
    const statements = [objects, ...(listing ? [published('list', names)] : []), published('tls', names)];
    return statements.map((one) => iam.PolicyStatement.fromJson(one));
  }

  /**
   * The statement that the policy of a bucket's KMS key needs, for a key that this app does not own.
   *
   * @param distributionArns the distribution, and its staging distributions
   */
  public keyPolicyStatement(distributionArns: string[]): iam.PolicyStatement {
    const statement = published('key', { distributions: distributionArns });
    statement.Action = ['kms:Decrypt', ...(this.facts.uploads ? ['kms:Encrypt', 'kms:GenerateDataKey*'] : [])];
    return iam.PolicyStatement.fromJson(statement);
  }

  /** The ARNs of a distribution and of its staging distributions. */
  private arnsOf(distributionId: string): string[] {
    const arn = Stack.of(this).formatArn({
      service: 'cloudfront', region: '', account: Aws.ACCOUNT_ID, arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      resource: 'distribution', resourceName: distributionId,
    });
    return [arn, ...(this.props.stagingDistributionArns ?? [])];
  }

  /** Lets the distribution at a bucket and at its key. */
  private letIn(bucket: s3.IBucket, distributionId: string): void {
    const resource = resourceOf(bucket);
    const problems = resource === undefined ? [] : bucketProblems(resource);
    if (problems.length > 0) throw wrong(problems.join('\n'));
    this.opened.push({ bucket, distributionId });
    const added = this.bucketPolicyStatements(bucket, this.arnsOf(distributionId))
      .map((one) => bucket.addToResourcePolicy(one).statementAdded);
    if (added.includes(false)) {
      Annotations.of(this).addWarningV2('edge-authorizer:bucket-policy', `the policy of the bucket \`${bucket.node.path}\` cannot `
        + 'be changed here: add bucketPolicyStatements() to it, or every request that reaches S3 gets 403');
    }
    const key = bucket.encryptionKey;
    if (!key || this.keys.has(key)) return;
    this.keys.add(key);
    if (this.props.distributionId === undefined) {
      Annotations.of(this).addWarningV2('edge-authorizer:key', `the key \`${key.node.path}\` lets no distribution in: deploy, and `
        + 'deploy again with `distributionId`; until then every request that reaches S3 gets 403');
      return;
    }
    const statement = this.keyPolicyStatement(this.arnsOf(this.props.distributionId));
    if (!key.addToResourcePolicy(statement, true).statementAdded) {
      Annotations.of(this).addWarningV2('edge-authorizer:key-policy', `the policy of the key \`${key.node.path}\` cannot be `
        + 'changed here: add keyPolicyStatement() to it, or every request that reaches S3 gets 403');
    }
  }

  /** Looks at the whole distribution before it is written: nothing of it may go around the function. */
  private watch(scope: IConstruct, bucket?: s3.IBucket): void {
    // While its origins are bound, the distribution has no resource yet.
    const distribution = scope.node.scopes.find((one) => one instanceof cloudfront.Distribution) ?? scope;
    const watched = this.watched.get(distribution);
    if (bucket !== undefined) watched?.add(bucket);
    if (watched !== undefined) return;
    this.watched.set(distribution, new Set(bucket === undefined ? [] : [bucket]));
    distribution.node.addValidation({
      validate: () => {
        const cfn = distribution.node.defaultChild;
        const problems = cfn instanceof cloudfront.CfnDistribution
          ? problemsOf(cfn, this.guarded, this.bucketsOf(distribution))
          : [`\`${distribution.node.path}\` is no cloudfront.Distribution, so nobody judges it`];
        return problems.map((problem) => `EdgeAuthorizer: ${problem}`);
      },
    });
  }

  /** The guarded buckets of a distribution. */
  private bucketsOf(distribution: IConstruct): KnownBucket[] {
    return [...this.watched.get(distribution) ?? []].map((bucket) => known(bucket, distribution));
  }

  /** The guarded buckets of all distributions. */
  private buckets(): Map<s3.IBucket, KnownBucket> {
    const all = [...this.watched].flatMap(([distribution, buckets]) => [...buckets].map((bucket) => (
      [bucket, known(bucket, distribution)] as const)));
    return new Map(all);
  }

  /** Everything of the buckets and their keys as they are written: an override or a later call may have opened them. */
  private ofBuckets(): string[] {
    const found: string[] = [];
    const look: string[] = [];
    const judge = (resource: CfnResource, document: string, allowed: LetIn[], forRoot: boolean, what: string): void => {
      const strangers = strangersOf(resource, document, allowed, forRoot);
      found.push(...strangers.bad.map((one) => `the policy \`${resource.node.path}\` lets somebody into ${what} besides the `
        + `distributions with the function, by ${one}; remove the statement`));
      if (!forRoot) look.push(...strangers.look.map((one) => `the policy \`${resource.node.path}\` lets ${one} into ${what}`));
    };
    const resources = resourcesOf(this, 'AWS::S3::Bucket');
    for (const [bucket, one] of this.buckets()) {
      const own = resources.filter((each) => each === resourceOf(bucket) || names(written(each.ref, each), one, each)
        || (one.name !== undefined && propertiesOf(each).BucketName === one.name));
      found.push(...own.flatMap(bucketProblems));
      for (const policy of resourcesOf(this, 'AWS::S3::BucketPolicy')) {
        if (!names(propertiesOf(policy).Bucket, one, policy)) continue;
        judge(policy, 'PolicyDocument', this.letIns((each) => each._letsInto(one)), false, `the bucket \`${bucket.node.path}\``);
      }
      const key = bucket.encryptionKey?.node.defaultChild;
      const keys = new Set(own.map((each) => keyOf(each)).filter((each) => each !== undefined));
      for (const each of resourcesOf(this, 'AWS::KMS::Key')) {
        if (each !== key && !keys.has(`/${each.node.path}`)) continue;
        judge(each, 'KeyPolicy', this.letIns((other) => other._letsUse()), true, `the key \`${each.node.path}\``);
      }
    }
    for (const one of look) Annotations.of(this).addWarningV2('edge-authorizer:other-access', `${one}, beside the authorizer`);
    return found;
  }

  /** A distribution of this app that has a guarded bucket and not the function. */
  private ofOtherDistributions(): string[] {
    const found: string[] = [];
    const all = [...AUTHORIZERS.get(this.node.root) ?? []];
    for (const [bucket, one] of this.buckets()) {
      for (const type of ['AWS::CloudFront::Distribution', 'AWS::CloudFront::StreamingDistribution']) {
        for (const distribution of resourcesOf(this, type)) {
          if (all.some((each) => each._watches(distribution, one))) continue;
          const properties = propertiesOf(distribution);
          const { Origins, S3Origin, CustomOrigin } = properties.DistributionConfig ?? properties.StreamingDistributionConfig ?? {};
          const undecided = [properties.DistributionConfig ?? [], properties.StreamingDistributionConfig ?? []].filter((each) => !isPlain(each));
          if (!mentions([Origins ?? [], S3Origin ?? [], CustomOrigin ?? [], undecided], [one], distribution)) continue;
          found.push(`the distribution \`${distribution.node.path}\` has the guarded bucket \`${bucket.node.path}\` without the `
            + 'authorizer: the bucket is open there; use authorizer.behaviorOptions(bucket)');
        }
      }
    }
    return found;
  }

  private letIns(of: (authorizer: EdgeAuthorizer) => LetIn[]): LetIn[] {
    return [...AUTHORIZERS.get(this.node.root) ?? []].flatMap(of);
  }

  /** @internal */
  public _letsInto(guarded: KnownBucket): LetIn[] {
    return this.opened.filter(({ bucket }) => {
      const own = known(bucket, this);
      return own.text === guarded.text || (own.name !== undefined && own.name === guarded.name);
    }).map(({ bucket, distributionId }) => {
      const distributionArns = this.allArnsOf(distributionId);
      return { statements: this.bucketPolicyStatements(bucket, distributionArns), distributionArns };
    });
  }

  /** @internal */
  public _letsUse(): LetIn[] {
    return this.opened.map(({ distributionId }) => {
      const distributionArns = this.allArnsOf(distributionId);
      return { statements: [this.keyPolicyStatement(distributionArns)], distributionArns };
    });
  }

  /** @internal */
  public _watches(distribution: IConstruct, bucket: KnownBucket): boolean {
    const own = [...this.watched.keys()].find((one) => one === distribution || one.node.defaultChild === distribution);
    return own !== undefined && this.bucketsOf(own).some((one) => one.text === bucket.text
      || (one.name !== undefined && one.name === bucket.name));
  }

  /** The same, and the distribution by the id that the key needs. */
  private allArnsOf(distributionId: string): string[] {
    return [...this.arnsOf(distributionId), ...(this.props.distributionId === undefined ? [] : this.arnsOf(this.props.distributionId))];
  }
}

/** The path of the key that a bucket is written with. */
function keyOf(bucket: CfnResource): string | undefined {
  const rules = propertiesOf(bucket).BucketEncryption?.ServerSideEncryptionConfiguration;
  const id = (Array.isArray(rules) ? rules[0] : undefined)?.ServerSideEncryptionByDefault?.KMSMasterKeyID;
  return id?.['Fn::GetAtt']?.[0];
}

/** Staging distributions are let into the buckets, so a mistake here lets in somebody else. */
function mustBeDistributions(scope: Construct, arns: string[]): void {
  const own = Stack.of(scope).account;
  const form = /^arn:(?:aws(?:-cn|-us-gov)?|\$\{AWS::Partition\}):cloudfront::([0-9]{12}|\$\{AWS::AccountId\}):distribution\/(?:[A-Z0-9]+|\$\{[^}]+\})$/;
  for (const arn of arns) {
    const text = textOf(written(arn, scope));
    const [, account] = form.exec(text) ?? [];
    if (account === undefined) {
      throw wrong(`\`stagingDistributionArns\` has \`${text}\`, which is not an ARN of one distribution; write `
        + '`arn:aws:cloudfront::ACCOUNT:distribution/ID`');
    }
    if (!account.startsWith('$') && !Token.isUnresolved(own) && account !== own) {
      throw wrong(`\`stagingDistributionArns\` has \`${text}\`, of the account ${account}, and the stack is of ${own}: a staging `
        + 'distribution is of the same account');
    }
  }
}

/** The version that viewers have. Another function, or a version that can change, would decide unseen. */
function versionFor(scope: Construct, edgeFunction: EdgeAuthorizerFunction, arn: string | undefined): lambda.IVersion {
  if (arn === undefined) return edgeFunction.version;
  const [, account, name] = /^arn:aws[a-z-]*:lambda:us-east-1:([0-9]{12}):function:([A-Za-z0-9_-]{1,64}):[1-9][0-9]*$/.exec(arn) ?? [];
  if (account === undefined) {
    throw wrong(`\`functionVersionArn\` is \`${arn}\`, which is not the ARN of a numbered version in us-east-1, as text; write `
      + 'the output VersionArn of the last deployment');
  }
  const own = Stack.of(edgeFunction).account;
  if (!Token.isUnresolved(own) && account !== own) {
    throw wrong(`\`functionVersionArn\` is of the account ${account}, and the function of ${own}: CloudFront takes functions of its `
      + 'own account only');
  }
  // The suffix of the name is known only when it is deployed.
  if (!new RegExp(`^${edgeFunction.authorizerName}-[0-9a-f]{8}$`).test(name)) {
    throw wrong(`\`functionVersionArn\` is a version of \`${name}\`, which is not the function of this authorizer, `
      + `\`${edgeFunction.authorizerName}-...\`; write the output VersionArn of the last deployment`);
  }
  Annotations.of(scope).addWarningV2('edge-authorizer:rollout', `viewers keep ${arn}: the access policy of the package is not in force `
    + 'for them. Roll the new version out with infra/rollout, and leave `functionVersionArn` out after it');
  return lambda.Version.fromVersionArn(scope, 'ForViewers', arn);
}

function mustReach(scope: Construct, edgeFunction: EdgeAuthorizerFunction): void {
  const [here, there] = [Stack.of(scope), Stack.of(edgeFunction)];
  if (here === there) return;
  if (!Token.isUnresolved(here.account) && !Token.isUnresolved(there.account) && here.account !== there.account) {
    throw wrong(`the function is in the account ${there.account}, and the distribution in ${here.account}: CloudFront takes `
      + 'functions of its own account only');
  }
}

type Bound = (scope: Construct, distributionId: string) => void;

/** A bucket whose requests are signed by our own origin access control. */
class BucketOrigin extends cloudfront.OriginBase {
  constructor(bucket: s3.IBucket, originAccessControlId: string, private readonly letIn: Bound) {
    // The Regional name: the global one redirects, and never works in Regions since 2019. No path: S3 would read another
    // object than the one that the rules checked.
    super(bucket.bucketRegionalDomainName, { originAccessControlId });
  }

  public bind(scope: Construct, options: cloudfront.OriginBindOptions): cloudfront.OriginBindConfig {
    if (options.distributionId === undefined) throw wrong('this version of aws-cdk-lib does not name the distribution: use 2.276 or later');
    this.letIn(scope, options.distributionId);
    return super.bind(scope, options);
  }

  protected renderS3OriginConfig(): cloudfront.CfnDistribution.S3OriginConfigProperty {
    return { originAccessIdentity: '' };
  }
}
