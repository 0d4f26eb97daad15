// What the constructs refuse while an app is synthesized, and what they let through. Run by `npm test` after `npm run build`,
// and by the end-to-end tests.
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { App, Duration, Stack } = require('aws-cdk-lib');
const { Annotations, Match, Template } = require('aws-cdk-lib/assertions');
const cloudfront = require('aws-cdk-lib/aws-cloudfront');
const origins = require('aws-cdk-lib/aws-cloudfront-origins');
const kms = require('aws-cdk-lib/aws-kms');
const lambda = require('aws-cdk-lib/aws-lambda');
const s3 = require('aws-cdk-lib/aws-s3');
const { EdgeAuthorizer, EdgeAuthorizerFunction } = require('..');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-authorizer-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

/** A package with these rules, as far as the constructs read it. */
function packageOf(name, rules, more = {}) {
  const zip = path.join(folder, `${name}.zip`);
  const script = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("bundle.json", sys.argv[2])';
  const done = spawnSync('python3', ['-c', script, zip, JSON.stringify({ policy: { rules, ...more } })]);
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
  assert.throws(make('A', { package: path.join(folder, 'none.zip') }), /does not exist; to make it: make package/);
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
