// What the constructs refuse while an app is synthesized, and what they let through. Run by `npm test` after `npm run build`,
// and by the end-to-end tests.
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const {
  App, Aspects, Aws, CfnParameter, CfnResource, Duration, Fn, NestedStack, Stack, Stage, Tags,
} = require('aws-cdk-lib');
const { Annotations, Match, Template } = require('aws-cdk-lib/assertions');
const cloudfront = require('aws-cdk-lib/aws-cloudfront');
const origins = require('aws-cdk-lib/aws-cloudfront-origins');
const ec2 = require('aws-cdk-lib/aws-ec2');
const elb = require('aws-cdk-lib/aws-elasticloadbalancingv2');
const iam = require('aws-cdk-lib/aws-iam');
const kms = require('aws-cdk-lib/aws-kms');
const lambda = require('aws-cdk-lib/aws-lambda');
const s3 = require('aws-cdk-lib/aws-s3');
const { AccessLogs, EdgeAuthorizer, EdgeAuthorizerFunction, RateLimit } = require('..');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-authorizer-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

/** A package with these rules, as far as the constructs read it. */
function packageOf(name, rules, more = {}, file = 'index.py') {
  const zip = path.join(folder, `${name}.zip`);
  const script = 'import sys, zipfile; made = zipfile.ZipFile(sys.argv[1], "w"); made.writestr("bundle.json", sys.argv[2]); '
    + 'made.writestr(sys.argv[3], "")';
  const done = spawnSync('python3', ['-c', script, zip, JSON.stringify({ policy: { rules, ...more } }), file]);
  assert.strictEqual(done.status, 0, String(done.stderr));
  return zip;
}

const READS = packageOf('reads', [{ id: 'read', effect: 'allow', methods: ['GET'] }]);
const WRITES = packageOf('writes', [
  { id: 'write', effect: 'allow', methods: ['GET', 'PUT', 'DELETE'], operations: ['ListObjectsV2'] },
]);
const CORS = packageOf('cors', [{ id: 'read', effect: 'allow', methods: ['GET'] }], {
  cors: { origins: ['https://app.example.com'], exposed_headers: ['ETag'], max_age_seconds: 300 },
});

const HERE = { env: { account: '111122223333', region: 'us-east-1' } };

function stackOf(env = HERE) {
  return new Stack(new App(), 'Stack', env);
}

function bucketOf(stack, more = {}, id = 'Bucket') {
  return new s3.Bucket(stack, id, {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    ...more,
  });
}

/** A distribution whose default behavior is guarded, and what else a test says. */
function whole(more = {}, behavior = {}, zip = WRITES) {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: zip });
  const bucket = bucketOf(stack);
  const distribution = new cloudfront.Distribution(stack, 'Distribution', {
    defaultBehavior: { ...authorizer.behaviorOptions(bucket), ...behavior },
    ...(typeof more === 'function' ? more(authorizer, bucket, stack) : more),
  });
  return { stack, authorizer, bucket, distribution, cfn: distribution.node.defaultChild };
}

const synth = (stack) => stack.node.root.synth();
const config = (stack) => Object.values(Template.fromStack(stack).findResources('AWS::CloudFront::Distribution'))[0]
  .Properties.DistributionConfig;

test('a behavior of the options is taken as it is', () => {
  const { stack } = whole();
  const { DefaultCacheBehavior: behavior } = config(stack);
  assert.strictEqual(behavior.ViewerProtocolPolicy, 'https-only');
  assert.strictEqual(behavior.AllowedMethods.length, 7);
  assert.strictEqual(behavior.LambdaFunctionAssociations[0].EventType, 'viewer-request');
});

test('only us-east-1 has functions', () => {
  for (const env of [{}, { env: { region: 'eu-central-1' } }]) {
    assert.throws(() => new EdgeAuthorizer(stackOf(env), 'Authorizer', { package: READS }),
      /accepts only functions in us-east-1.*env: \{ region: 'us-east-1' \}/);
  }
});

test('a distribution of another Region takes the function of a stack in us-east-1', () => {
  const app = new App();
  const there = new Stack(app, 'Function', { ...HERE, crossRegionReferences: true });
  const here = new Stack(app, 'Files', { env: { ...HERE.env, region: 'eu-central-1' }, crossRegionReferences: true });
  const edgeFunction = new EdgeAuthorizerFunction(there, 'Authorizer', { package: READS });
  const authorizer = EdgeAuthorizer.fromFunction(here, 'Authorizer', edgeFunction, { cache: Duration.minutes(1) });
  new cloudfront.Distribution(here, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucketOf(here)) });
  Template.fromStack(there).resourceCountIs('AWS::Lambda::Version', 1);
  Template.fromStack(here).resourceCountIs('AWS::Lambda::Version', 0);
  assert.deepStrictEqual(config(here).DefaultCacheBehavior.AllowedMethods, ['GET', 'HEAD']);
});

test('a function of another account is refused', () => {
  const app = new App();
  const there = new Stack(app, 'Function', HERE);
  const here = new Stack(app, 'Files', { env: { account: '444455556666', region: 'us-east-1' } });
  const edgeFunction = new EdgeAuthorizerFunction(there, 'Authorizer', { package: READS });
  assert.throws(() => EdgeAuthorizer.fromFunction(here, 'Authorizer', edgeFunction), /functions of its own account only/);
});

test('a package that is not there, is no package, or was not reviewed is not deployed', () => {
  const stack = stackOf();
  fs.writeFileSync(path.join(folder, 'text.zip'), 'not a zip');
  const make = (id, props) => () => new EdgeAuthorizer(stack, id, props);
  assert.throws(make('A', { package: path.join(folder, 'none.zip') }), /does not exist; to make it: authorizer package --policy policy.toml \(in a clone: make package/);
  assert.throws(make('B', { package: path.join(folder, 'text.zip') }), /is not a package made by `authorizer package`/);
  assert.throws(make('C', { package: READS, codeSha256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }),
    /not the one that was reviewed/);
  assert.throws(make('D', { package: READS, policy: 'p.toml', authorizerProgram: path.join(folder, 'none') }),
    /needs `.*none`, which cannot be run/);
  const says = path.join(folder, 'says');
  fs.writeFileSync(says, `#!/bin/sh\necho '{"bundle_sha256": "${'0'.repeat(64)}"}'\n`, { mode: 0o755 });
  assert.throws(make('E', { package: READS, policy: 'p.toml', authorizerProgram: says }), /not made from `p.toml` as it is now/);
});

test('a runtime and a name that would not work are refused', () => {
  const stack = stackOf();
  const make = (id, more) => () => new EdgeAuthorizer(stack, id, { package: READS, ...more });
  assert.throws(make('A', { runtime: lambda.Runtime.NODEJS_22_X }), /cannot hand its process over; use one of python3.14, python3.13, nodejs24.x/);
  assert.throws(make('B', { authorizerName: '1-begins-with-a-digit' }), /must be a letter/);
  assert.throws(make('C', { cache: Duration.days(400) }), /longer than a year/);
  make('D', { runtime: lambda.Runtime.PYTHON_3_13, authorizerName: 'files' })();
});

test('a policy that only reads opens only reads', () => {
  const { stack } = whole({}, {}, READS);
  assert.deepStrictEqual(config(stack).DefaultCacheBehavior.AllowedMethods, ['GET', 'HEAD']);
  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::S3::BucketPolicy'));
  assert.deepStrictEqual(policy.Properties.PolicyDocument.Statement.map((one) => [one.Sid, one.Action]), [
    ['AllowCloudFrontServicePrincipalReadWriteDelete', 's3:GetObject'], ['DenyPlainHttp', 's3:*'],
  ]);
});

// Each is a whole distribution with one fault, and what is said of it.
const FAULTS = {
  'a behavior without the function': [
    (authorizer, bucket) => ({ additionalBehaviors: { 'public/*': { origin: authorizer.origin(bucket) } } }), {},
    /the behavior `public\/\*` reaches a guarded bucket without the function: the bucket is open there/,
  ],
  'the same bucket by another origin': [
    (authorizer, bucket) => ({
      additionalBehaviors: { 'public/*': { origin: origins.S3BucketOrigin.withOriginAccessControl(bucket) } },
    }), {}, /without the authorizer's origin access control/,
  ],
  'a CloudFront Function beside it': [{}, (stack) => ({
    functionAssociations: [{
      eventType: cloudfront.FunctionEventType.VIEWER_RESPONSE,
      function: new cloudfront.Function(stack, 'Other', { code: cloudfront.FunctionCode.fromInline('x') }),
    }],
  }), /has a CloudFront Function, beside which CloudFront takes no Lambda function/],
  'trusted key groups': [{}, (stack) => ({
    trustedKeyGroups: [cloudfront.KeyGroup.fromKeyGroupId(stack, 'Group', 'k-1')],
  }), /trusted key groups or signers: CloudFront answers MissingKey/],
  'smooth streaming': [{}, () => ({ smoothStreaming: true }), /Smooth Streaming, for which CloudFront runs no Lambda function/],
  'plain HTTP': [{}, () => ({ viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS }),
    /sent over plain HTTP; set viewerProtocolPolicy to HTTPS_ONLY/],
  'methods that the policy does not have': [{}, () => ({ allowedMethods: cloudfront.AllowedMethods.ALLOW_GET_HEAD }),
    /allows GET, HEAD, and the access policy needs DELETE, GET/],
  'another cache policy': [{}, () => ({ cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED }),
    /another cachePolicy than the access policy needs/],
  'another origin request policy': [{}, () => ({ originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER }),
    /another originRequestPolicy than the access policy needs/],
  'a default root object beside a listing': [{ defaultRootObject: 'index.html' }, {}, /remove defaultRootObject/],
};

for (const [name, [more, behavior, message]] of Object.entries(FAULTS)) {
  test(`${name} stops the synthesis`, () => {
    const stack = stackOf();
    const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: WRITES });
    const bucket = bucketOf(stack);
    new cloudfront.Distribution(stack, 'Distribution', {
      defaultBehavior: { ...authorizer.behaviorOptions(bucket), ...(typeof behavior === 'function' ? behavior(stack) : behavior) },
      ...(typeof more === 'function' ? more(authorizer, bucket) : more),
    });
    assert.throws(() => synth(stack), message);
  });
}

// The same after the fact, by an override that no type holds back.
const OVERRIDES = {
  'a path of the origin': ['Origins.0.OriginPath', '/private', /has a path: S3 would read another object/],
  'an unsigned origin': ['Origins.0.OriginAccessControlId', undefined, /without the authorizer's origin access control/],
  'gRPC': ['DefaultCacheBehavior.GrpcConfig', { Enabled: true }, /takes gRPC requests/],
  'trusted signers': ['DefaultCacheBehavior.TrustedSigners', ['self'], /trusted key groups or signers/],
  'no function': ['DefaultCacheBehavior.LambdaFunctionAssociations', [], /without the function: the bucket is open there/],
  'the origin event': ['DefaultCacheBehavior.LambdaFunctionAssociations.0.EventType', 'origin-request', /without the function/],
  'distribution tenants': ['ConnectionMode', 'tenant-only', /distribution tenants have settings of their own/],
  'HTTP/3 beside a continuous deployment': ['HttpVersion', 'http2and3', /no continuous deployment for a distribution with HTTP\/3/],
};

for (const [name, [place, value, message]] of Object.entries(OVERRIDES)) {
  test(`${name}, by an override, stops the synthesis`, () => {
    const { stack, cfn } = whole();
    cfn.addPropertyOverride('DistributionConfig.ContinuousDeploymentPolicyId', '22222222-3333-4444-5555-666677778888');
    if (value === undefined) cfn.addPropertyDeletionOverride(`DistributionConfig.${place}`);
    else cfn.addPropertyOverride(`DistributionConfig.${place}`, value);
    assert.throws(() => synth(stack), message);
  });
}

test('two buckets of one distribution have one function, and each its own policy', () => {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: WRITES });
  const [files, photos] = [bucketOf(stack, {}, 'Files'), bucketOf(stack, {}, 'Photos')];
  const distribution = new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(files) });
  distribution.addBehavior('photos/*', authorizer.origin(photos), authorizer.addBehaviorOptions());
  synth(stack);
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Version', 1);
  template.resourceCountIs('AWS::CloudFront::OriginAccessControl', 1);
  template.resourceCountIs('AWS::S3::BucketPolicy', 2);
});

test('an origin group with the bucket needs the function too', () => {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS });
  const bucket = bucketOf(stack);
  new cloudfront.Distribution(stack, 'Distribution', {
    defaultBehavior: {
      origin: new origins.OriginGroup({
        primaryOrigin: new origins.HttpOrigin('other.example.com'), fallbackOrigin: authorizer.origin(bucket),
      }),
    },
  });
  assert.throws(() => synth(stack), /reaches a guarded bucket without the function/);
});

test('a bucket that is a way around is no origin', () => {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS });
  const behind = (bucket) => () => new cloudfront.Distribution(stack, `Of${bucket.node.id}`, {
    defaultBehavior: authorizer.behaviorOptions(bucket),
  });
  const open = { blockPublicAccess: new s3.BlockPublicAccess({ blockPublicAcls: true }) };
  assert.throws(behind(bucketOf(stack, open, 'A')), /can become public; set blockPublicAccess/);
  assert.throws(behind(bucketOf(stack, { objectOwnership: s3.ObjectOwnership.OBJECT_WRITER }, 'B')), /may have ACLs/);
  assert.throws(behind(bucketOf(stack, { websiteIndexDocument: 'index.html' }, 'C')), /is a website/);
  assert.throws(behind(bucketOf(stack, { cors: [{ allowedMethods: [s3.HttpMethods.GET], allowedOrigins: ['*'] }] }, 'D')),
    /has CORS rules of its own/);
  assert.throws(behind(bucketOf(stack, { encryption: s3.BucketEncryption.KMS_MANAGED }, 'E')), /AWS's own KMS key/);
  assert.throws(behind(bucketOf(stack, { encryption: s3.BucketEncryption.KMS, bucketKeyEnabled: false }, 'F')),
    /set bucketKeyEnabled to true/);
});

/** A distribution with a behavior for downloads that is made without the authorizer. */
function existing(behavior, zip = WRITES) {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: zip });
  const bucket = bucketOf(stack);
  const distribution = new cloudfront.Distribution(stack, 'Distribution', {
    defaultBehavior: { origin: new origins.HttpOrigin('app.example.com') },
    additionalBehaviors: {
      'api/*': { origin: new origins.HttpOrigin('api.example.com') },
      'files/*': { origin: authorizer.origin(bucket), ...(behavior ? behavior(stack) : {}) },
    },
  });
  return { stack, authorizer, bucket, distribution };
}

test('the function is attached to a behavior that is there, and to no other', () => {
  const { stack, authorizer, distribution } = existing();
  authorizer.attachTo(distribution, 'files/*');
  // Once more changes nothing.
  authorizer.attachTo(distribution, 'files/*');
  const { CacheBehaviors: [api, files], DefaultCacheBehavior: rest } = config(stack);
  assert.strictEqual(files.PathPattern, 'files/*');
  assert.strictEqual(files.LambdaFunctionAssociations.length, 1);
  assert.strictEqual(files.ViewerProtocolPolicy, 'https-only');
  assert.strictEqual(files.AllowedMethods.length, 7);
  assert.strictEqual(files.Compress, false);
  for (const other of [api, rest]) assert.strictEqual(other.LambdaFunctionAssociations, undefined);
});

test('a function on an origin event stays beside it', () => {
  const { stack, authorizer, distribution } = existing((scope) => ({
    edgeLambdas: [{
      eventType: cloudfront.LambdaEdgeEventType.ORIGIN_RESPONSE,
      functionVersion: lambda.Version.fromVersionArn(scope, 'Other', 'arn:aws:lambda:us-east-1:111122223333:function:other:3'),
    }],
  }));
  authorizer.attachTo(distribution, 'files/*');
  const [, files] = config(stack).CacheBehaviors;
  assert.deepStrictEqual(files.LambdaFunctionAssociations.map((one) => one.EventType), ['origin-response', 'viewer-request']);
});

test('a behavior that is not there, or that something else is on, is not attached to', () => {
  const other = (scope) => lambda.Version.fromVersionArn(scope, 'Other', 'arn:aws:lambda:us-east-1:111122223333:function:other:3');
  const attach = (behavior, pattern = 'files/*') => () => {
    const { authorizer, distribution } = existing(behavior);
    authorizer.attachTo(distribution, pattern);
  };
  assert.throws(attach(undefined, 'documents/*'), /has no behavior `documents\/\*`, but `api\/\*`, `files\/\*`, `\*`; to add it/);
  assert.throws(attach((scope) => ({
    edgeLambdas: [{ eventType: cloudfront.LambdaEdgeEventType.VIEWER_REQUEST, functionVersion: other(scope) }],
  })), /has another function on viewer-request/);
  assert.throws(attach((scope) => ({
    edgeLambdas: [{ eventType: cloudfront.LambdaEdgeEventType.VIEWER_RESPONSE, functionVersion: other(scope) }],
  })), /has another function on viewer-response/);
  assert.throws(attach((scope) => ({ trustedKeyGroups: [cloudfront.KeyGroup.fromKeyGroupId(scope, 'Group', 'k-1')] })),
    /trusted key groups/);
  assert.throws(attach(() => ({ enableGrpc: true, allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL })), /takes gRPC requests/);
  assert.throws(attach(undefined, 'api/*'), /has another origin; give it authorizer.origin\(bucket\)/);
  const { stack, authorizer } = existing();
  const imported = cloudfront.Distribution.fromDistributionAttributes(stack, 'Imported', { distributionId: 'E1', domainName: 'd' });
  assert.throws(() => authorizer.attachTo(imported), /not made by this app.*use `infra\/attach`/);
});

test('the key is for the one distribution, when its id is known, and a warning says so before', () => {
  const deployed = (distributionId, stagingDistributionArns) => {
    const stack = stackOf();
    const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS, distributionId, stagingDistributionArns });
    const bucket = bucketOf(stack, { encryptionKey: new kms.Key(stack, 'Key'), bucketKeyEnabled: true });
    new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucket) });
    const [key] = Object.values(Template.fromStack(stack).findResources('AWS::KMS::Key'));
    return [stack, key.Properties.KeyPolicy.Statement.filter((one) => one.Sid === 'AllowCloudFrontServicePrincipalSSE-KMS')];
  };
  const [before, none] = deployed(undefined);
  assert.deepStrictEqual(none, []);
  Annotations.fromStack(before).hasWarning('*', Match.stringLikeRegexp('lets no distribution in: deploy, and deploy again'));
  const [after, [statement]] = deployed('EDFDVBD6EXAMPLE');
  Annotations.fromStack(after).hasNoWarning('*', Match.stringLikeRegexp('lets no distribution in'));
  assert.strictEqual(statement.Action, 'kms:Decrypt');
  assert.match(JSON.stringify(statement.Condition.StringEquals['AWS:SourceArn']), /:distribution\/EDFDVBD6EXAMPLE/);
  const staging = 'arn:aws:cloudfront::111122223333:distribution/ESTAGING1';
  const [, [both]] = deployed('EDFDVBD6EXAMPLE', [staging]);
  assert.strictEqual(both.Condition.StringEquals['AWS:SourceArn'][1], staging);
});

test('of a bucket that the app does not own, the statements are told', () => {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS });
  const bucket = s3.Bucket.fromBucketAttributes(stack, 'Bucket', { bucketName: 'files', region: 'eu-central-1' });
  new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucket) });
  assert.match(JSON.stringify(config(stack).Origins[0].DomainName), /files\.s3\.eu-central-1\./);
  Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('add bucketPolicyStatements'));
  assert.deepStrictEqual(authorizer.bucketPolicyStatements(bucket, ['arn:d']).map((one) => one.sid),
    ['AllowCloudFrontServicePrincipalReadWriteDelete', 'DenyPlainHttp']);
});

test('the answers of S3 get the headers of [cors], the same as from the function', () => {
  const { stack } = whole({}, {}, CORS);
  assert.deepStrictEqual(config(stack).DefaultCacheBehavior.AllowedMethods, ['GET', 'HEAD', 'OPTIONS']);
  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::CloudFront::ResponseHeadersPolicy'));
  const cors = policy.Properties.ResponseHeadersPolicyConfig.CorsConfig;
  assert.deepStrictEqual(cors.AccessControlAllowOrigins.Items, ['https://app.example.com']);
  assert.deepStrictEqual(cors.AccessControlExposeHeaders.Items, ['ETag']);
  assert.strictEqual(cors.OriginOverride, false);
  const { stack: other } = whole({}, { responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS }, CORS);
  assert.throws(() => synth(other), /another responseHeadersPolicy/);
});

/** An app with a guarded bucket, as somebody else's code finds it. */
function guarded(more = {}, zip = READS) {
  const app = new App();
  const other = new Stack(app, 'Other', HERE);
  const stack = new Stack(app, 'Stack', HERE);
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: zip });
  const bucket = bucketOf(stack, more);
  const distribution = new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucket) });
  return { app, other, stack, authorizer, bucket, distribution, cfn: distribution.node.defaultChild };
}

const OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6';
const withControl = (bucket) => origins.S3BucketOrigin.withOriginAccessControl(bucket);

// A bucket that another stack owns, as an app finds it.
const IMPORTED = {
  'its name': (stack, own) => s3.Bucket.fromBucketName(stack, 'Files', own.bucketName),
  'its ARN': (stack, own) => s3.Bucket.fromBucketArn(stack, 'Files', own.bucketArn),
  'its attributes': (stack, own) => s3.Bucket.fromBucketAttributes(stack, 'Files', {
    bucketArn: own.bucketArn, bucketRegionalDomainName: own.bucketRegionalDomainName,
  }),
};

for (const [name, imported] of Object.entries(IMPORTED)) {
  test(`a bucket of another stack, by ${name}, is guarded as one of this stack`, () => {
    const app = new App();
    const own = bucketOf(new Stack(app, 'Other', HERE));
    const stack = new Stack(app, 'Stack', HERE);
    const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS });
    const bucket = imported(stack, own);
    const distribution = new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucket) });
    const cfn = distribution.node.defaultChild;
    app.synth();
    assert.match(JSON.stringify(config(stack).Origins[0].DomainName), /Fn::ImportValue/);
    cfn.addPropertyOverride('DistributionConfig.Origins.0.OriginPath', '/x');
    assert.throws(() => app.synth({ force: true }), /has a path/);
    cfn.addPropertyDeletionOverride('DistributionConfig.Origins.0.OriginPath');
    distribution.addBehavior('public/*', authorizer.origin(bucket));
    assert.throws(() => app.synth({ force: true }), /the behavior `public\/\*` reaches a guarded bucket without the function/);
  });
}

test('a bucket of another stack is judged as it is written', () => {
  const app = new App();
  const own = bucketOf(new Stack(app, 'Other', HERE), { websiteIndexDocument: 'index.html' });
  const stack = new Stack(app, 'Stack', HERE);
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS });
  new cloudfront.Distribution(stack, 'Distribution', {
    defaultBehavior: authorizer.behaviorOptions(s3.Bucket.fromBucketName(stack, 'Files', own.bucketName)),
  });
  assert.throws(() => app.synth(), /the bucket `Other\/Bucket` is a website/);
});

test('a distribution whose guarded origin was taken away stops the synthesis', () => {
  const { app, cfn } = guarded();
  cfn.addPropertyOverride('DistributionConfig.Origins.0.DomainName', 'app.example.com');
  cfn.addPropertyDeletionOverride('DistributionConfig.Origins.0.S3OriginConfig');
  cfn.addPropertyDeletionOverride('DistributionConfig.Origins.0.OriginAccessControlId');
  assert.throws(() => app.synth(), /has no guarded bucket any more/);
});

// Another distribution over the same bucket, of another construct or of none.
const SECONDS = {
  'with its own origin access control': (stack, bucket) => new cloudfront.Distribution(stack, 'Two', {
    defaultBehavior: { origin: withControl(bucket) },
  }),
  'with an origin access identity': (stack, bucket) => new cloudfront.Distribution(stack, 'Two', {
    defaultBehavior: { origin: origins.S3BucketOrigin.withOriginAccessIdentity(bucket) },
  }),
  'of the old construct': (stack, bucket) => new cloudfront.CloudFrontWebDistribution(stack, 'Two', {
    originConfigs: [{
      s3OriginSource: { s3BucketSource: bucket, originAccessIdentity: new cloudfront.OriginAccessIdentity(stack, 'Identity') },
      behaviors: [{ isDefaultBehavior: true }],
    }],
  }),
  "of plain CloudFormation, with the authorizer's origin access control": (stack, bucket, authorizer) => (
    new cloudfront.CfnDistribution(stack, 'Two', {
      distributionConfig: {
        enabled: true,
        origins: [{
          id: 'o', domainName: bucket.bucketRegionalDomainName, originAccessControlId: authorizer.originAccessControlId, s3OriginConfig: {},
        }],
        defaultCacheBehavior: { targetOriginId: 'o', viewerProtocolPolicy: 'https-only', cachePolicyId: OPTIMIZED },
      },
    })),
  'of no type, with the bucket as one of two': (stack, bucket) => new CfnResource(stack, 'Two', {
    type: 'AWS::CloudFront::Distribution',
    properties: {
      DistributionConfig: {
        Origins: [{ Id: 'o', DomainName: Fn.conditionIf('C', 'a.example.com', `${bucket.bucketName}.s3.${Aws.REGION}.amazonaws.com`) }],
      },
    },
  }),
};

for (const [name, second] of Object.entries(SECONDS)) {
  test(`a second distribution over the bucket, ${name}, stops the synthesis`, () => {
    const { app, stack, bucket, authorizer } = guarded();
    second(stack, bucket, authorizer);
    assert.throws(() => app.synth(), /the distribution `Stack\/Two.*` has the guarded bucket `Stack\/Bucket` without the authorizer/);
  });
}

test('a distribution of another stack over the bucket stops the synthesis', () => {
  const { app, other, bucket } = guarded({ bucketName: 'acme-files' });
  new cloudfront.Distribution(other, 'Two', { defaultBehavior: { origin: withControl(s3.Bucket.fromBucketName(other, 'B', 'acme-files')) } });
  assert.throws(() => app.synth(), /the distribution `Other\/Two\/Resource` has the guarded bucket/);
  assert.ok(bucket);
});

test('two distributions with the function, by one authorizer or by two, are allowed', () => {
  const { app, stack, bucket, authorizer } = guarded();
  new cloudfront.Distribution(stack, 'Two', { defaultBehavior: authorizer.behaviorOptions(bucket) });
  const writer = new EdgeAuthorizer(stack, 'Writer', { package: WRITES });
  new cloudfront.Distribution(stack, 'Three', { defaultBehavior: writer.behaviorOptions(bucket) });
  app.synth();
});

// The same bucket on the same distribution, under another name.
const ALIASES = {
  'its name': (stack) => withControl(s3.Bucket.fromBucketName(stack, 'Same', 'acme-files')),
  'the global name': () => new origins.HttpOrigin('acme-files.s3.amazonaws.com'),
  'the dual-stack name': () => new origins.HttpOrigin('ACME-files.s3.dualstack.us-east-1.amazonaws.com.'),
  'the website': () => new origins.HttpOrigin('acme-files.s3-website-us-east-1.amazonaws.com'),
  'a reference': (stack, bucket) => withControl(s3.Bucket.fromBucketName(stack, 'Same', bucket.bucketName)),
  'an attribute': (stack, bucket) => new origins.HttpOrigin(bucket.bucketDomainName),
};

for (const [name, origin] of Object.entries(ALIASES)) {
  test(`the bucket by ${name}, behind an origin of its own, stops the synthesis`, () => {
    const { app, stack, bucket, distribution } = guarded({ bucketName: 'acme-files' });
    distribution.addBehavior('public/*', origin(stack, bucket));
    assert.throws(() => app.synth(), /reaches a guarded bucket without the authorizer's origin access control/);
  });
}

// What may be the bucket: nothing says that it is another one.
const UNKNOWN = {
  'an access point': () => new origins.HttpOrigin('files-111122223333.s3-accesspoint.us-east-1.amazonaws.com'),
  "an access point's alias": (stack) => withControl(s3.Bucket.fromBucketName(stack, 'Alias', 'files-abc-s3alias')),
  'a path-style host': () => new origins.HttpOrigin('s3.us-east-1.amazonaws.com', { originPath: '/files' }),
  'a Multi-Region Access Point': () => new origins.HttpOrigin('abc.mrap.accesspoint.s3-global.amazonaws.com'),
  'a parameter': (stack) => withControl(s3.Bucket.fromBucketName(stack, 'Parameter', new CfnParameter(stack, 'Name').valueAsString)),
  'a host that is a parameter': (stack) => new origins.HttpOrigin(new CfnParameter(stack, 'Host').valueAsString),
  'an import': (stack) => withControl(s3.Bucket.fromBucketName(stack, 'Import', Fn.importValue('name'))),
  'a name, beside a bucket that has none': (stack) => withControl(s3.Bucket.fromBucketName(stack, 'Named', 'stack-bucket-1abc')),
};

for (const [name, origin] of Object.entries(UNKNOWN)) {
  test(`${name} may be the bucket, and stops the synthesis`, () => {
    const { app, stack, bucket, distribution } = guarded();
    distribution.addBehavior('public/*', origin(stack, bucket));
    assert.throws(() => app.synth(), /may be a guarded bucket under another name: its host `.+` is not known to be another/);
  });
}

test('what is provably another bucket, or no bucket, stays on the distribution', () => {
  const { app, stack, distribution } = guarded({ bucketName: 'acme-files' });
  distribution.addBehavior('named/*', withControl(s3.Bucket.fromBucketName(stack, 'Named', 'acme-assets')));
  distribution.addBehavior('own/*', withControl(bucketOf(stack, {}, 'Assets')));
  distribution.addBehavior('app/*', new origins.HttpOrigin('app.example.com'));
  const fn = new lambda.Function(stack, 'Fn', {
    runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', code: lambda.Code.fromInline('x'),
  });
  const url = fn.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM });
  distribution.addBehavior('fn/*', origins.FunctionUrlOrigin.withOriginAccessControl(url));
  app.synth();
});

test('another distribution, with other buckets, is nobody\'s business', () => {
  const { app, stack, other } = guarded();
  for (const [id, scope] of [['Here', stack], ['There', other]]) {
    new cloudfront.Distribution(scope, id, {
      defaultBehavior: { origin: withControl(bucketOf(scope, {}, `Of${id}`)) },
      additionalBehaviors: { 'assets/*': { origin: withControl(s3.Bucket.fromBucketName(scope, `Named${id}`, 'acme-assets')) } },
    });
  }
  app.synth();
});

test('a bucket by its name alone is guarded', () => {
  for (const name of [() => 'acme-files', () => Fn.importValue('files'), (stack) => new CfnParameter(stack, 'Name').valueAsString]) {
    const stack = stackOf();
    const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS });
    const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', name(stack));
    const distribution = new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucket) });
    synth(stack);
    distribution.addBehavior('public/*', authorizer.origin(bucket));
    assert.throws(() => stack.node.root.synth({ force: true }), /`public\/\*` reaches a guarded bucket without the function/);
  }
});

test('a behavior of a distribution of another Region takes the function too', () => {
  const app = new App();
  const there = new Stack(app, 'Function', { ...HERE, crossRegionReferences: true });
  const here = new Stack(app, 'Files', { env: { ...HERE.env, region: 'eu-central-1' }, crossRegionReferences: true });
  const authorizer = EdgeAuthorizer.fromFunction(here, 'Authorizer', new EdgeAuthorizerFunction(there, 'Authorizer', { package: READS }));
  const distribution = new cloudfront.Distribution(here, 'Distribution', { defaultBehavior: { origin: authorizer.origin(bucketOf(here)) } });
  authorizer.attachTo(distribution);
  app.synth();
  const [on] = config(here).DefaultCacheBehavior.LambdaFunctionAssociations;
  assert.match(JSON.stringify(on.LambdaFunctionARN), /ExportsReader/);
});

// What is known only when it is deployed.
const DEPLOYED = {
  'a behavior': ['CacheBehaviors', [{ 'Fn::If': ['C', { PathPattern: 'public/*' }, { Ref: 'AWS::NoValue' }] }], /CacheBehaviors has an item/],
  'all behaviors': ['CacheBehaviors', { 'Fn::If': ['C', [], []] }, /CacheBehaviors has an item/],
  'the default behavior': ['DefaultCacheBehavior', { 'Fn::If': ['C', {}, {}] }, /DefaultCacheBehavior is known only when it is deployed/],
  "a behavior's origin": ['DefaultCacheBehavior.TargetOriginId', { 'Fn::If': ['C', 'a', 'b'] }, /the TargetOriginId of the behavior `\*`/],
  'an origin': ['Origins', [{ 'Fn::If': ['C', {}, {}] }], /Origins has an item/],
  "an origin's id": ['Origins.0.Id', { 'Fn::If': ['C', 'a', 'b'] }, /the Id of the origin 0/],
  "an origin's host": ['Origins.0.DomainName', { 'Fn::If': ['C', 'a.example.com', 'b.example.com'] }, /may be a guarded bucket/],
  'an origin group': ['OriginGroups', { Quantity: 1, Items: [{ 'Fn::If': ['C', {}, {}] }] }, /OriginGroups has an item/],
  'the functions': ['DefaultCacheBehavior.LambdaFunctionAssociations', { 'Fn::If': ['C', [], []] }, /LambdaFunctionAssociations of/],
  'a transform': ['DefaultCacheBehavior.Fn::Transform', { Name: 'x' }, /DefaultCacheBehavior is known only when it is deployed/],
  'an old origin': ['S3Origin', { DNSName: 'a' }, /an old form of an origin/],
};

for (const [name, [place, value, message]] of Object.entries(DEPLOYED)) {
  test(`${name} that is known only when it is deployed stops the synthesis`, () => {
    const { app, cfn } = guarded();
    if (Array.isArray(value) && value[0]['Fn::If']) cfn.addPropertyOverride(`DistributionConfig.${place}`, [...value]);
    else cfn.addPropertyOverride(`DistributionConfig.${place}`, value);
    assert.throws(() => app.synth(), message);
  });
}

test('a bucket that is opened after it became an origin stops the synthesis', () => {
  const opened = (open) => () => {
    const { app, bucket } = guarded();
    open(bucket);
    app.synth();
  };
  assert.throws(opened((bucket) => bucket.node.defaultChild.addPropertyOverride('PublicAccessBlockConfiguration.BlockPublicPolicy', false)),
    /can become public/);
  assert.throws(opened((bucket) => bucket.node.defaultChild.addPropertyDeletionOverride('OwnershipControls')), /may have ACLs/);
  assert.throws(opened((bucket) => bucket.addCorsRule({ allowedMethods: [s3.HttpMethods.GET], allowedOrigins: ['*'] })),
    /CORS rules of its own/);
});

const toCloudFront = (actions, resources, more = {}) => new iam.PolicyStatement({
  principals: [new iam.ServicePrincipal('cloudfront.amazonaws.com')], actions, resources, ...more,
});

test('a bucket policy that lets somebody else in stops the synthesis', () => {
  const opened = (open) => () => {
    const { app, stack, bucket, authorizer } = guarded();
    open(bucket, stack, authorizer);
    app.synth();
  };
  const stranger = /the policy `Stack\/.*` lets somebody into the bucket `Stack\/Bucket` besides the distributions with the function/;
  const distribution = 'arn:aws:cloudfront::111122223333:distribution/EOTHER';
  assert.throws(opened((bucket) => bucket.addToResourcePolicy(toCloudFront(['s3:*'], [bucket.arnForObjects('*')]))), stranger);
  assert.throws(opened((bucket) => bucket.addToResourcePolicy(toCloudFront(['s3:GetObject'], [bucket.arnForObjects('*')], {
    conditions: { StringEquals: { 'AWS:SourceArn': distribution } },
  }))), stranger);
  assert.throws(opened((bucket, stack, authorizer) => (
    bucket.addToResourcePolicy(authorizer.bucketPolicyStatements(bucket, [distribution])[0]))), stranger);
  assert.throws(opened((bucket) => bucket.grantReadWrite(new iam.AccountPrincipal('999999999999'))), stranger);
  assert.throws(opened((bucket) => bucket.grantRead(new iam.ArnPrincipal('arn:aws:iam::999999999999:role/reader'))), stranger);
  assert.throws(opened((bucket) => bucket.addToResourcePolicy(new iam.PolicyStatement({
    principals: [new iam.AnyPrincipal()], actions: ['s3:GetObject'], resources: [bucket.arnForObjects('*')],
  }))), stranger);
  assert.throws(opened((bucket, stack) => new s3.CfnBucketPolicy(stack, 'Plain', {
    bucket: bucket.bucketName, policyDocument: { Statement: { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: '*' } },
  })), stranger);
  assert.throws(opened((bucket, stack) => new s3.CfnBucketPolicy(stack, 'Plain', {
    bucket: bucket.bucketName, policyDocument: { Statement: [{ 'Fn::If': ['C', {}, {}] }] },
  })), stranger);
});

test('a role of the account or another service in the bucket policy is a warning, and a Deny is nothing', () => {
  const { app, stack, bucket } = guarded();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  bucket.addToResourcePolicy(new iam.PolicyStatement({
    sid: 'Scan', principals: [role], actions: ['s3:GetObject'], resources: [bucket.arnForObjects('*')],
  }));
  bucket.addToResourcePolicy(new iam.PolicyStatement({
    sid: 'Logs', principals: [new iam.ServicePrincipal('logging.s3.amazonaws.com')], actions: ['s3:PutObject'],
    resources: [bucket.arnForObjects('logs/*')],
  }));
  bucket.addToResourcePolicy(new iam.PolicyStatement({
    effect: iam.Effect.DENY, principals: [new iam.AnyPrincipal()], actions: ['s3:PutBucketAcl'], resources: [bucket.bucketArn],
  }));
  app.synth();
  for (const sid of ['Scan', 'Logs']) {
    Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp(`lets \`${sid}\` into the bucket`));
  }
});

test('a bucket policy that an app writes itself with the statements is taken', () => {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: WRITES });
  const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'acme-files');
  const { distributionId } = new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucket) });
  const arn = `arn:aws:cloudfront::111122223333:distribution/${distributionId}`;
  new s3.CfnBucketPolicy(stack, 'Policy', {
    bucket: 'acme-files',
    policyDocument: new iam.PolicyDocument({ statements: authorizer.bucketPolicyStatements(bucket, [arn]) }),
  });
  synth(stack);
});

test('a key that lets CloudFront in without the distribution stops the synthesis', () => {
  const made = (open) => {
    const stack = stackOf();
    const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS, distributionId: 'EDFDVBD6EXAMPLE' });
    const key = new kms.Key(stack, 'Key');
    const bucket = bucketOf(stack, { encryptionKey: key, bucketKeyEnabled: true });
    new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucket) });
    open(key);
    synth(stack);
  };
  const stranger = /lets somebody into the key `Stack\/Key\/Resource`/;
  made(() => {});
  assert.throws(() => made((key) => key.addToResourcePolicy(toCloudFront(['kms:*'], ['*']))), stranger);
  assert.throws(() => made((key) => key.grantDecrypt(new iam.AccountPrincipal('999999999999'))), stranger);
});

test("an override of the authorizer's own resources stops the synthesis", () => {
  const changed = (of, place, value, cache) => () => {
    const stack = stackOf();
    const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS, cache });
    new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucketOf(stack)) });
    of(authorizer).addPropertyOverride(place, value);
    synth(stack);
  };
  const own = (id) => (authorizer) => authorizer.node.findChild(id);
  const ofFunction = (id) => (authorizer) => authorizer.edgeFunction.node.findChild(id);
  const message = /is not written as the authorizer made it/;
  assert.throws(changed(own('OriginAccessControl'), 'OriginAccessControlConfig.SigningBehavior', 'never'), message);
  assert.throws(changed(own('OriginRequestPolicy'), 'OriginRequestPolicyConfig.HeadersConfig.Headers', ['Authorization']), message);
  const query = 'CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.QueryStringsConfig.QueryStringBehavior';
  assert.throws(changed(own('CachePolicy'), query, 'none', Duration.minutes(5)), message);
  assert.throws(changed(own('ResponseHeadersPolicy'), 'ResponseHeadersPolicyConfig.CustomHeadersConfig.Items', []), message);
  assert.throws(changed(ofFunction('Function'), 'Handler', 'other.handler'), message);
  assert.throws(changed(ofFunction('Function'), 'Environment', { Variables: { A: 'b' } }), message);
  assert.throws(changed(ofFunction('Version'), 'CodeSha256', 'x'), message);
  assert.throws(changed(ofFunction('Role'), 'ManagedPolicyArns', ['arn:aws:iam::aws:policy/AdministratorAccess']), message);
});

test('tags and a permissions boundary of the whole app are allowed', () => {
  const { app, stack } = guarded();
  Tags.of(app).add('team', 'files');
  iam.PermissionsBoundary.of(app).apply(iam.ManagedPolicy.fromAwsManagedPolicyName('ReadOnlyAccess'));
  app.synth();
  assert.ok(stack);
});

test('an error page in the bucket stops the synthesis, and one of another origin does not', () => {
  const made = (page, behaviors) => () => {
    const stack = stackOf();
    const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS });
    new cloudfront.Distribution(stack, 'Distribution', {
      defaultBehavior: authorizer.behaviorOptions(bucketOf(stack)),
      additionalBehaviors: behaviors ?? { 'errors/*': { origin: new origins.HttpOrigin('app.example.com') } },
      errorResponses: [{ httpStatus: 403, responsePagePath: page, responseHttpStatus: 200 }],
    });
    synth(stack);
  };
  const message = /the error page `.*` of 403 is in a guarded bucket/;
  assert.throws(made('/private/x.html'), message);
  assert.throws(made('/error%73/x.html'), message);
  assert.throws(made(Fn.importValue('page')), message);
  made('/errors/403.html')();
});

test('a function on origin-request, or one that gets the body, stops the synthesis', () => {
  const { app, cfn } = guarded();
  const place = 'DistributionConfig.DefaultCacheBehavior.LambdaFunctionAssociations';
  cfn.addPropertyOverride(`${place}.0.IncludeBody`, true);
  cfn.addPropertyOverride(`${place}.1`, {
    EventType: 'origin-request', LambdaFunctionARN: 'arn:aws:lambda:us-east-1:111122223333:function:other:3',
  });
  assert.throws(() => app.synth(), (error) => /sends the body of uploads to the function/.test(error.message)
    && /has a function on origin-request, which can change the request after the decision/.test(error.message));
});

test('a staging distribution is one of this account', () => {
  const made = (...stagingDistributionArns) => () => (
    new EdgeAuthorizer(stackOf(), 'Authorizer', { package: READS, stagingDistributionArns }));
  made('arn:aws:cloudfront::111122223333:distribution/ESTAGING1', `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/E2`)();
  assert.throws(made('arn:aws:cloudfront::999999999999:distribution/ESTAGING1'), /of the account 999999999999, and the stack is of 111122223333/);
  for (const arn of ['*', 'ESTAGING1', 'arn:aws:cloudfront::111122223333:distribution/*', 'arn:aws:iam::111122223333:root', '']) {
    assert.throws(made(arn), /is not an ARN of one distribution/);
  }
});

test('a package that is a library is for Python only', () => {
  const library = packageOf('library', [{ id: 'read', effect: 'allow', methods: ['GET'] }], {}, 'libauthorizer.so');
  const make = (id, runtime) => () => new EdgeAuthorizer(stackOf(), id, { package: library, runtime });
  assert.throws(make('A', new lambda.Runtime('nodejs24.x', lambda.RuntimeFamily.NODEJS)),
    /has the function as a library, which only Python can call, and the runtime is nodejs24.x/);
  make('B', undefined)();
  make('C', lambda.Runtime.PYTHON_3_13)();
});

test('an aspect, and an override of the whole policy, are judged too', () => {
  const changed = (change) => () => {
    const { app, bucket, cfn } = guarded();
    change(app, bucket.policy.node.defaultChild, cfn);
    app.synth();
  };
  const functions = 'DistributionConfig.DefaultCacheBehavior.LambdaFunctionAssociations';
  assert.throws(changed((app) => Aspects.of(app).add({
    visit: (one) => one instanceof cloudfront.CfnDistribution && one.addPropertyDeletionOverride(functions),
  })), /without the function: the bucket is open there/);
  const stranger = /lets somebody into the bucket/;
  const wider = ['s3:GetObject', 's3:PutObject'];
  assert.throws(changed((app, policy) => policy.addPropertyOverride('PolicyDocument.Statement.0.Action', wider)), stranger);
  assert.throws(changed((app, policy) => policy.addPropertyOverride('PolicyDocument.Statement.0.Condition', {
    StringEquals: { 'AWS:SourceArn': ['*'] },
  })), stranger);
  assert.throws(changed((app, policy) => policy.addPropertyOverride('PolicyDocument.Statement.1.Effect', 'Allow')), stranger);
});

test('stages, nested stacks and load balancers of other stacks are ordinary', () => {
  const app = new App({ context: { '@aws-cdk/aws-iam:minimizePolicies': true } });
  const made = (stack, more = {}) => {
    const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: WRITES });
    return new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: authorizer.behaviorOptions(bucketOf(stack)), ...more });
  };
  for (const name of ['Dev', 'Prod']) made(new Stack(new Stage(app, name, HERE), 'Stack'));
  const stack = new Stack(app, 'Stack', HERE);
  made(new NestedStack(stack, 'Nested'));
  const balancer = new elb.ApplicationLoadBalancer(new Stack(app, 'Other', HERE), 'Balancer', {
    vpc: new ec2.Vpc(app.node.findChild('Other'), 'Vpc'), internetFacing: true,
  });
  made(stack, { additionalBehaviors: { 'app/*': { origin: new origins.LoadBalancerV2Origin(balancer) } } });
  app.synth();
});

test('access logs are delivered to a private bucket of their own', () => {
  const { stack, authorizer, bucket, distribution } = whole();
  new AccessLogs(stack, 'Logs', { authorizer, distribution, buckets: [bucket], retention: Duration.days(30), queryStrings: true });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::Logs::DeliverySource', { LogType: 'ACCESS_LOGS' });
  template.hasResourceProperties('AWS::S3::Bucket', { LoggingConfiguration: { LogFilePrefix: 's3/' } });
  template.hasResource('AWS::S3::Bucket', {
    DeletionPolicy: 'RetainExceptOnCreate',
    Properties: { LifecycleConfiguration: { Rules: [Match.objectLike({ ExpirationInDays: 30 })] } },
  });
  const [delivery] = Object.values(template.findResources('AWS::Logs::Delivery'));
  const fields = delivery.Properties.RecordFields;
  assert.ok(fields.includes('cs-uri-query'));
  // A cookie and a Referer may contain a token.
  assert.deepStrictEqual(fields.filter((field) => /cookie|referer|authorization/i.test(field)), []);
});

test('the query strings of a policy that takes tokens from them are not logged', () => {
  const zip = packageOf('query', [{ id: 'read', effect: 'allow', methods: ['GET'] }], { credentials: { header: 'authorization', query: 'token' } });
  const { stack, authorizer, distribution } = whole({}, {}, zip);
  assert.throws(() => new AccessLogs(stack, 'A', { authorizer, distribution, queryStrings: true }),
    /takes tokens from the query, which `queryStrings` would write into the log/);
  new AccessLogs(stack, 'B', { authorizer, distribution });
  const [delivery] = Object.values(Template.fromStack(stack).findResources('AWS::Logs::Delivery'));
  assert.ok(!delivery.Properties.RecordFields.includes('cs-uri-query'));
});

test('access logs that could not be kept are refused', () => {
  const { stack, authorizer, distribution } = whole();
  const make = (id, more, scope = stack) => () => new AccessLogs(scope, id, { authorizer, distribution, ...more });
  assert.throws(make('A', { retention: Duration.hours(36) }), /whole days, 1 to 3650/);
  assert.throws(make('B', { retention: Duration.days(0) }), /whole days, 1 to 3650/);
  assert.throws(make('C', { retention: Duration.days(4000) }), /whole days, 1 to 3650/);
  assert.throws(make('D', { buckets: [s3.Bucket.fromBucketName(stack, 'Theirs', 'theirs')] }), /is not made by this app/);
  const logged = bucketOf(stack, {}, 'Logged');
  logged.node.defaultChild.loggingConfiguration = { destinationBucketName: 'elsewhere' };
  assert.throws(make('E', { buckets: [logged] }), /has access logs already/);
  const there = new Stack(stack.node.root, 'There', { env: { ...HERE.env, region: 'eu-central-1' } });
  assert.throws(make('F', {}, there), /delivered from us-east-1/);
});

test('a limit stands in front of the function', () => {
  const { stack } = whole((authorizer, bucket, scope) => ({
    webAclId: new RateLimit(scope, 'Limit', { authorizer, requestsPer5Minutes: 2000 }).webAclArn,
  }));
  Template.fromStack(stack).hasResourceProperties('AWS::WAFv2::WebACL', {
    Scope: 'CLOUDFRONT',
    Rules: [Match.objectLike({ Statement: { RateBasedStatement: Match.objectLike({ Limit: 2000, AggregateKeyType: 'IP' }) } })],
  });
  assert.ok(config(stack).WebACLId['Fn::GetAtt'][0].startsWith('Limit'));
});

test('a limit that AWS WAF does not take is refused', () => {
  const { stack, authorizer } = whole();
  for (const [id, requestsPer5Minutes] of [['A', 9], ['B', 10.5], ['C', 1_000_000_000], ['D', NaN]]) {
    assert.throws(() => new RateLimit(stack, id, { authorizer, requestsPer5Minutes }), /whole number, 10 to 999999999/);
  }
  const there = new Stack(stack.node.root, 'There', { env: { ...HERE.env, region: 'eu-central-1' } });
  assert.throws(() => new RateLimit(there, 'E', { authorizer, requestsPer5Minutes: 10 }), /web ACLs for CloudFront are in us-east-1/);
});

const VERSION = 'arn:aws:lambda:us-east-1:111122223333:function:files-0a1b2c3d:7';

test('during a rollout, viewers keep the version before, and the new one is published', () => {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS, authorizerName: 'files', functionVersionArn: VERSION });
  const bucket = bucketOf(stack);
  const distribution = new cloudfront.Distribution(stack, 'Distribution', {
    defaultBehavior: authorizer.behaviorOptions(bucket),
    additionalBehaviors: { 'public/*': { origin: authorizer.origin(bucket) } },
  });
  authorizer.attachTo(distribution, 'public/*');
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Version', 1);
  const { DefaultCacheBehavior: one, CacheBehaviors: [other] } = config(stack);
  for (const behavior of [one, other]) {
    assert.deepStrictEqual(behavior.LambdaFunctionAssociations, [
      { EventType: 'viewer-request', IncludeBody: false, LambdaFunctionARN: VERSION },
    ]);
  }
  Annotations.fromStack(stack).hasWarning('/Stack/Authorizer', Match.stringLikeRegexp('viewers keep arn:aws.*not in force'));
});

test('during a rollout, a behavior with the new version is refused', () => {
  const stack = stackOf();
  const authorizer = new EdgeAuthorizer(stack, 'Authorizer', { package: READS, authorizerName: 'files', functionVersionArn: VERSION });
  const options = authorizer.behaviorOptions(bucketOf(stack));
  const edgeLambdas = [{ ...options.edgeLambdas[0], functionVersion: authorizer.edgeFunction.version }];
  new cloudfront.Distribution(stack, 'Distribution', { defaultBehavior: { ...options, edgeLambdas } });
  assert.throws(() => synth(stack), /another function on viewer-request|without the function/);
});

test('only a numbered version of the own function can be kept', () => {
  const stack = stackOf();
  const keep = (id, functionVersionArn) => () => new EdgeAuthorizer(stack, id, { package: READS, authorizerName: 'files', functionVersionArn });
  for (const [id, arn, message] of [
    ['A', VERSION.replace(/7$/, '$LATEST'), /is not the ARN of a numbered version/],
    ['B', VERSION.replace('us-east-1', 'eu-central-1'), /is not the ARN of a numbered version/],
    ['C', Fn.importValue('version'), /is not the ARN of a numbered version in us-east-1, as text/],
    ['D', VERSION.replace('111122223333', '444455556666'), /of the account 444455556666/],
    ['E', VERSION.replace('files-', 'images-'), /a version of `images-0a1b2c3d`, which is not the function/],
    ['F', VERSION.replace('files-0a1b2c3d', 'files'), /a version of `files`, which is not the function/],
  ]) assert.throws(keep(id, arn), message);
});
