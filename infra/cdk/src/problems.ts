// What of a distribution or a bucket would leave a way around the function, or would be refused by CloudFront. Judged on
// what is written into the template, after all overrides.
import { Stack } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Facts } from './facts';

/** What behaviors and origins must have. */
export interface Guarded {
  readonly versionArn: string;
  readonly originAccessControlId: string;
  readonly originRequestPolicyId: string;
  readonly cachePolicyId: string;
  readonly responseHeadersPolicyId: string;
  readonly facts: Facts;
  /** The domain names of the guarded buckets, as JSON. */
  readonly domainNames: Set<string>;
}

/** A behavior, and its place in the configuration. */
export interface Behavior {
  readonly pathPattern: string;
  readonly place: string;
  readonly behavior: any;
}

/** The properties of a resource as they are written, overrides included. */
function propertiesOf(resource: any): any {
  const rendered = Stack.of(resource).resolve(resource._toCloudFormation());
  const [one] = Object.values(rendered.Resources ?? {}) as any[];
  return one?.Properties ?? {};
}

/** The configuration of a distribution as it is written. */
export function configOf(distribution: cloudfront.CfnDistribution): any {
  return propertiesOf(distribution).DistributionConfig ?? {};
}

/** All behaviors, the default one as `*`. */
export function behaviorsOf(config: any): Behavior[] {
  const others = (config.CacheBehaviors ?? []).map((behavior: any, index: number) => (
    { pathPattern: String(behavior.PathPattern), place: `CacheBehaviors.${index}`, behavior }));
  return [...others, { pathPattern: '*', place: 'DefaultCacheBehavior', behavior: config.DefaultCacheBehavior ?? {} }];
}

const isSet = (list: any): boolean => Array.isArray(list) ? list.length > 0 : list !== undefined;

/** The ids of the origins and origin groups that reach a guarded bucket. */
function reaching(config: any, guarded: Guarded): Set<string> {
  const origins = (config.Origins ?? []).filter((one: any) => guarded.domainNames.has(JSON.stringify(one.DomainName)));
  const ids = new Set<string>(origins.map((one: any) => one.Id));
  for (const group of config.OriginGroups?.Items ?? []) {
    if ((group.Members?.Items ?? []).some((one: any) => ids.has(one.OriginId))) ids.add(group.Id);
  }
  return ids;
}

/** Why the function cannot be put on a behavior. */
export function obstacles(one: Behavior, distribution: cloudfront.CfnDistribution, guarded: Guarded): string[] {
  const { behavior } = one;
  const name = `the behavior \`${one.pathPattern}\``;
  const found: string[] = [];
  const ours = JSON.stringify(Stack.of(distribution).resolve(guarded.versionArn));
  for (const other of behavior.LambdaFunctionAssociations ?? []) {
    if (String(other.EventType).startsWith('viewer-') && JSON.stringify(other.LambdaFunctionARN) !== ours) {
      found.push(`${name} has another function on ${other.EventType}, beside which this one cannot run; remove it`);
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
  if (!reaching(configOf(distribution), guarded).has(behavior.TargetOriginId)) {
    found.push(`${name} has another origin; give it authorizer.origin(bucket), which is signed and guarded`);
  }
  return found;
}

/** The methods that a behavior must allow. */
function methodsFor(facts: Facts): string[] {
  if (facts.writes) return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
  return facts.cors ? ['GET', 'HEAD', 'OPTIONS'] : ['GET', 'HEAD'];
}

/** What is wrong with a distribution that has a guarded bucket. */
export function problemsOf(distribution: cloudfront.CfnDistribution, guarded: Guarded): string[] {
  const config = configOf(distribution);
  const as = (value: string): string => JSON.stringify(Stack.of(distribution).resolve(value));
  const same = (value: any, ours: string): boolean => JSON.stringify(value) === as(ours);
  const reached = reaching(config, guarded);
  const found: string[] = [];

  for (const origin of config.Origins ?? []) {
    if (!reached.has(origin.Id)) continue;
    const name = `the origin \`${origin.Id}\``;
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
    const inTheWay = obstacles(one, distribution, guarded);
    found.push(...inTheWay);
    const on = (behavior.LambdaFunctionAssociations ?? []).filter((each: any) => each.EventType === 'viewer-request');
    if (on.length !== 1 || !same(on[0].LambdaFunctionARN, guarded.versionArn)) {
      if (inTheWay.length === 0) {
        found.push(`${name} reaches a guarded bucket without the function: the bucket is open there; use `
          + 'authorizer.behaviorOptions(bucket), or authorizer.attachTo(distribution, pattern)');
      }
      continue;
    }
    if (behavior.ViewerProtocolPolicy !== 'https-only') {
      found.push(`${name} lets a token be sent over plain HTTP; set viewerProtocolPolicy to HTTPS_ONLY`);
    }
    const methods = [...(behavior.AllowedMethods ?? ['GET', 'HEAD'])].sort();
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
  if (config.ConnectionMode !== undefined && config.ConnectionMode !== 'direct') {
    found.push(`ConnectionMode is ${config.ConnectionMode}: distribution tenants have settings of their own, which nobody judges `
      + 'here; use a distribution without tenants');
  }
  if (guarded.facts.listing && config.DefaultRootObject) {
    found.push('the access policy allows a listing, which is a request for /: CloudFront would fetch the default root object '
      + 'instead; remove defaultRootObject');
  }
  if (config.ContinuousDeploymentPolicyId && /3/.test(String(config.HttpVersion))) {
    found.push('CloudFront has no continuous deployment for a distribution with HTTP/3; set httpVersion to HTTP2');
  }
  return found;
}

/** What is wrong with a bucket, as far as this app makes it. */
export function bucketProblems(bucket: s3.IBucket): string[] {
  const cfn = bucket.node.defaultChild;
  if (!(cfn instanceof s3.CfnBucket)) return [];
  const properties = propertiesOf(cfn);
  const name = `the bucket \`${bucket.node.path}\``;
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
