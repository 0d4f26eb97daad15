// What of a distribution or a bucket would leave a way around the function, or would be refused by CloudFront. Judged on
// what is written into the template, after all overrides.
import { CfnResource } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Facts } from './facts';
import { KnownBucket, reaches } from './hosts';
import { isPlain, isWritten, listOf, propertiesOf, textOf } from './written';

/** What behaviors and origins must have. */
export interface Guarded {
  readonly versionArn: string;
  readonly originAccessControlId: string;
  readonly originRequestPolicyId: string;
  readonly cachePolicyId: string;
  readonly responseHeadersPolicyId: string;
  readonly facts: Facts;
}

/** A behavior, and its place in the configuration. */
export interface Behavior {
  readonly pathPattern: string;
  readonly place: string;
  readonly behavior: any;
}

/** The configuration of a distribution as it is written. */
export function configOf(distribution: CfnResource): any {
  return propertiesOf(distribution).DistributionConfig ?? {};
}

/** All behaviors, the default one as `*`. */
export function behaviorsOf(config: any): Behavior[] {
  const others = (listOf(config.CacheBehaviors) ?? []).map((behavior: any, index: number) => (
    { pathPattern: textOf(behavior.PathPattern), place: `CacheBehaviors.${index}`, behavior }));
  return [...others, { pathPattern: '*', place: 'DefaultCacheBehavior', behavior: config.DefaultCacheBehavior ?? {} }];
}

const isSet = (list: any): boolean => Array.isArray(list) ? list.length > 0 : list !== undefined;

/** The ids of the origins and origin groups that reach a guarded bucket, or may. */
function reaching(config: any, buckets: KnownBucket[], distribution: CfnResource): Set<string> {
  const origins = (listOf(config.Origins) ?? []).filter((one: any) => reaches(one, buckets, distribution) !== 'other');
  const ids = new Set<string>(origins.map((one: any) => one.Id));
  for (const group of listOf(config.OriginGroups?.Items) ?? []) {
    if ((listOf(group.Members?.Items) ?? []).some((one: any) => ids.has(one.OriginId))) ids.add(group.Id);
  }
  return ids;
}

/** What is known only when it is deployed, so that nobody can judge here where a request goes. */
function undecided(config: any): string[] {
  const found: string[] = [];
  const decided = (value: any, name: string): void => {
    if (typeof value !== 'string') found.push(`${name} is known only when it is deployed, so nobody can judge it here; write it as text`);
  };
  const items = (value: any, name: string): any[] => {
    const list = listOf(value);
    if (list === undefined) {
      found.push(`${name} has an item that is known only when it is deployed, such as Fn::If, so nobody can judge it here; `
        + 'decide it while the app is synthesized');
    }
    return list ?? [];
  };
  const plain = (value: any, name: string): any => {
    if (value === undefined || isPlain(value)) return value ?? {};
    found.push(`${name} is known only when it is deployed, so nobody can judge it here; decide it while the app is synthesized`);
    return {};
  };
  const inside = plain(config, 'the configuration of the distribution');
  for (const old of ['S3Origin', 'CustomOrigin']) {
    if (inside[old] !== undefined) found.push(`the configuration has ${old}, an old form of an origin that nobody judges here; use Origins`);
  }
  items(inside.Origins, 'Origins').forEach((one, index) => decided(one.Id, `the Id of the origin ${index}`));
  for (const group of items(plain(inside.OriginGroups, 'OriginGroups').Items, 'OriginGroups')) {
    decided(group.Id, 'the Id of an origin group');
    const members = items(plain(group.Members, 'Members of an origin group').Items, 'Members of an origin group');
    members.forEach((one) => decided(one.OriginId, 'the OriginId of an origin group'));
  }
  const behaviors = items(inside.CacheBehaviors, 'CacheBehaviors').map((one) => [one.PathPattern, one]);
  for (const [pattern, one] of [...behaviors, ['*', plain(inside.DefaultCacheBehavior, 'DefaultCacheBehavior')]]) {
    const name = `the behavior \`${textOf(pattern)}\``;
    decided(one.TargetOriginId, `the TargetOriginId of ${name}`);
    items(one.LambdaFunctionAssociations, `LambdaFunctionAssociations of ${name}`);
  }
  items(inside.CustomErrorResponses, 'CustomErrorResponses');
  return found;
}

/** Whether a path may be of a pattern. What is known only when it is deployed may be. */
function mayMatch(pattern: any, path: any): boolean {
  if (typeof pattern !== 'string' || typeof path !== 'string' || /%/.test(pattern + path)) return true;
  const expression = pattern.replace(/^\//, '').replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${expression}$`, 's').test(path.replace(/^\//, ''));
}

/** Error pages that CloudFront would take out of a guarded bucket. */
function errorPages(config: any, reached: Set<string>): string[] {
  const found: string[] = [];
  for (const { ErrorCode: code, ResponsePagePath: page } of listOf(config.CustomErrorResponses) ?? []) {
    if (page === undefined || page === '') continue;
    for (const one of behaviorsOf(config)) {
      if (!mayMatch(one.behavior.PathPattern ?? one.pathPattern, page)) continue;
      if (reached.has(one.behavior.TargetOriginId)) {
        found.push(`the error page \`${textOf(page)}\` of ${textOf(String(code))} is in a guarded bucket, from which CloudFront takes it `
          + 'without a decision; remove responsePagePath, or take the page from another origin');
        break;
      }
      // The first behavior that matches is the one; with an escape, any may be.
      if (typeof page === 'string' && !/%/.test(page + textOf(one.behavior.PathPattern ?? '')) ) break;
    }
  }
  return found;
}

/** Why the function cannot be put on a behavior. */
export function obstacles(one: Behavior, distribution: CfnResource, guarded: Guarded, buckets: KnownBucket[]): string[] {
  const { behavior } = one;
  const name = `the behavior \`${one.pathPattern}\``;
  const found: string[] = [];
  for (const other of listOf(behavior.LambdaFunctionAssociations) ?? []) {
    if (other.EventType === 'origin-response') continue;
    if (other.EventType === 'origin-request') {
      found.push(`${name} has a function on origin-request, which can change the request after the decision; remove it`);
    } else if (!isWritten(other.LambdaFunctionARN, guarded.versionArn, distribution)) {
      found.push(`${name} has another function on ${textOf(other.EventType)}, beside which this one cannot run; remove it`);
    }
  }
  if (isSet(behavior.FunctionAssociations)) {
    found.push(`${name} has a CloudFront Function, beside which CloudFront takes no Lambda function; remove it`);
  }
  if (behavior.GrpcConfig?.Enabled) {
    found.push(`${name} takes gRPC requests, for which CloudFront runs no Lambda function; set enableGrpc to false`);
  }
  if (behavior.SmoothStreaming) {
    found.push(`${name} has Smooth Streaming, for which CloudFront runs no Lambda function; set smoothStreaming to false`);
  }
  if (isSet(behavior.TrustedKeyGroups) || isSet(behavior.TrustedSigners)) {
    found.push(`${name} has trusted key groups or signers: CloudFront answers MissingKey to whoever brings only a token; `
      + 'remove them');
  }
  if (!reaching(configOf(distribution), buckets, distribution).has(behavior.TargetOriginId)) {
    found.push(`${name} has another origin; give it authorizer.origin(bucket), which is signed and guarded`);
  }
  return found;
}

/** The methods that a behavior must allow. */
function methodsFor(facts: Facts): string[] {
  if (facts.writes || facts.signsIn) return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
  return facts.cors ? ['GET', 'HEAD', 'OPTIONS'] : ['GET', 'HEAD'];
}

/** What is wrong with a distribution that has guarded buckets. */
export function problemsOf(distribution: CfnResource, guarded: Guarded, buckets: KnownBucket[]): string[] {
  const config = configOf(distribution);
  const found = undecided(config);
  if (found.length > 0) return found;
  const same = (value: any, ours: string): boolean => isWritten(value, ours, distribution);
  const reached = reaching(config, buckets, distribution);
  if (buckets.length === 0 || !config.Origins.some((one: any) => reaches(one, buckets, distribution) === 'guarded')) {
    found.push(`the distribution \`${distribution.node.path}\` has no guarded bucket any more, so nothing of it is judged; `
      + 'give it authorizer.origin(bucket)');
  }

  for (const origin of config.Origins) {
    const verdict = reaches(origin, buckets, distribution);
    if (verdict === 'other') continue;
    const name = `the origin \`${origin.Id}\``;
    if (verdict === 'undecided') {
      found.push(`${name} may be a guarded bucket under another name: its host \`${textOf(origin.DomainName)}\` is not known to be `
        + 'another; use authorizer.origin(bucket), or show that it is another: write the host as text, give both buckets a '
        + 'bucketName, or make both in this app');
      continue;
    }
    if (!same(origin.OriginAccessControlId, guarded.originAccessControlId) || origin.S3OriginConfig?.OriginAccessIdentity) {
      found.push(`${name} reaches a guarded bucket without the authorizer's origin access control; use authorizer.origin(bucket)`);
    }
    if (origin.OriginPath) {
      found.push(`${name} has a path: S3 would read another object than the one that the rules checked; remove it`);
    }
  }
  for (const one of behaviorsOf(config)) {
    if (!reached.has(one.behavior.TargetOriginId)) continue;
    const { behavior } = one;
    const name = `the behavior \`${one.pathPattern}\``;
    const inTheWay = obstacles(one, distribution, guarded, buckets);
    found.push(...inTheWay);
    const on = (listOf(behavior.LambdaFunctionAssociations) ?? []).filter((each: any) => each.EventType === 'viewer-request');
    if (on.length !== 1 || !same(on[0].LambdaFunctionARN, guarded.versionArn)) {
      if (inTheWay.length === 0 || on.length === 0) {
        found.push(`${name} reaches a guarded bucket without the function: the bucket is open there; use `
          + 'authorizer.behaviorOptions(bucket), or authorizer.attachTo(distribution, pattern)');
      }
      continue;
    }
    if (on[0].IncludeBody !== undefined && on[0].IncludeBody !== false) {
      found.push(`${name} sends the body of uploads to the function, which does not need it; set includeBody to false`);
    }
    if (behavior.ViewerProtocolPolicy !== 'https-only') {
      found.push(`${name} lets a token be sent over plain HTTP; set viewerProtocolPolicy to HTTPS_ONLY`);
    }
    const allowed = behavior.AllowedMethods ?? ['GET', 'HEAD'];
    const methods = Array.isArray(allowed) ? allowed.map(textOf).sort() : [textOf(allowed)];
    if (JSON.stringify(methods) !== JSON.stringify(methodsFor(guarded.facts))) {
      found.push(`${name} allows ${methods.join(', ')}, and the access policy needs ${methodsFor(guarded.facts).join(', ')}; `
        + 'take allowedMethods from authorizer.addBehaviorOptions()');
    }
    const policies: [string, string, string][] = [
      ['CachePolicyId', guarded.cachePolicyId, 'cachePolicy'],
      ['OriginRequestPolicyId', guarded.originRequestPolicyId, 'originRequestPolicy'],
    ];
    // Another response headers policy may be wanted, such as one for keys that everybody may read; with [cors] it must be
    // one of our own, which has the same origins.
    if (guarded.facts.cors) policies.push(['ResponseHeadersPolicyId', guarded.responseHeadersPolicyId, 'responseHeadersPolicy']);
    for (const [member, ours, property] of policies) {
      if (!same(behavior[member], ours)) {
        found.push(`${name} has another ${property} than the access policy needs; take it from authorizer.addBehaviorOptions()`);
      }
    }
  }
  found.push(...errorPages(config, reached));
  if (config.ConnectionMode !== undefined && config.ConnectionMode !== 'direct') {
    found.push(`ConnectionMode is ${textOf(config.ConnectionMode)}: distribution tenants have settings of their own, which nobody judges `
      + 'here; use a distribution without tenants');
  }
  if (guarded.facts.listing && config.DefaultRootObject) {
    found.push('the access policy allows a listing, which is a request for /: CloudFront would fetch the default root object '
      + 'instead; remove defaultRootObject');
  }
  if (config.ContinuousDeploymentPolicyId && /3/.test(textOf(config.HttpVersion))) {
    found.push('CloudFront has no continuous deployment for a distribution with HTTP/3; set httpVersion to HTTP2');
  }
  return found;
}

/** The resource of a bucket that this app makes. */
export function resourceOf(bucket: s3.IBucket): CfnResource | undefined {
  const cfn = bucket.node.defaultChild;
  return cfn !== undefined && CfnResource.isCfnResource(cfn) && cfn.cfnResourceType === 'AWS::S3::Bucket' ? cfn : undefined;
}

/** What is wrong with a bucket that this app makes. */
export function bucketProblems(cfn: CfnResource): string[] {
  const properties = propertiesOf(cfn);
  const name = `the bucket \`${cfn.node.path.replace(/\/Resource$/, '')}\``;
  const found: string[] = [];
  const block = properties.PublicAccessBlockConfiguration ?? {};
  if (!['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'].every((each) => block[each] === true)) {
    found.push(`${name} can become public; set blockPublicAccess to s3.BlockPublicAccess.BLOCK_ALL`);
  }
  const rules = properties.OwnershipControls?.Rules ?? [];
  if (rules.length !== 1 || rules[0].ObjectOwnership !== 'BucketOwnerEnforced') {
    found.push(`${name} may have ACLs; set objectOwnership to s3.ObjectOwnership.BUCKET_OWNER_ENFORCED`);
  }
  if (properties.WebsiteConfiguration) found.push(`${name} is a website, which supports no origin access control; remove websiteIndexDocument`);
  if (properties.CorsConfiguration) {
    found.push(`${name} has CORS rules of its own, which contradict the access policy's [cors]; remove cors`);
  }
  const encryption = properties.BucketEncryption?.ServerSideEncryptionConfiguration?.[0] ?? {};
  const settings = encryption.ServerSideEncryptionByDefault ?? {};
  if (settings.SSEAlgorithm === 'aws:kms' && !settings.KMSMasterKeyID) {
    found.push(`${name} has AWS's own KMS key, whose policy lets no distribution in; use s3.BucketEncryption.KMS or S3_MANAGED`);
  }
  if (settings.SSEAlgorithm === 'aws:kms' && encryption.BucketKeyEnabled !== true) {
    found.push(`${name} sends a request to KMS for each request; set bucketKeyEnabled to true`);
  }
  return found;
}
