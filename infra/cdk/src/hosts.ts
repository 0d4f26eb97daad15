// Which bucket an origin reaches. A host that is not provably another bucket, or no bucket, is not decided.
import { CfnResource } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { IConstruct } from 'constructs';
import { isPlain, propertiesOf, textOf, written } from './written';

/** What is known of a bucket. */
export interface KnownBucket {
  /** The path of its resource in this app. */
  readonly path?: string;
  readonly name?: string;
  /** The same text is the same bucket. */
  readonly text: string;
}

/** A host: a bucket, no bucket, or not decided. */
interface Host {
  readonly kind: 'bucket' | 'other' | 'undecided';
  readonly bucket: KnownBucket;
}

/** What has hosts of its own, which are never a bucket's. */
const OTHER_SERVICES = new RegExp('^AWS::(ApiGateway|ApiGatewayV2|AppRunner|AppSync|Cognito|EC2|ElasticBeanstalk|'
  + 'ElasticLoadBalancing|ElasticLoadBalancingV2|GlobalAccelerator|Lambda|Lightsail|MediaPackage|MediaPackageV2|MediaStore|'
  + 'MediaTailor)::');

/** A bucket's own hosts in S3: Regional, global, dual-stack, FIPS, accelerated, website. */
const BUCKET_HOST = new RegExp('^(.+)\\.s3(?:-accelerate|-fips|-website)?(?:\\.dualstack)?'
  + '(?:[.-](?:[a-z]{2}(?:-[a-z]+)+-[0-9]+|\\$\\{aws::region\\}))?\\.(?:amazonaws\\.com(?:\\.cn)?|\\$\\{aws::urlsuffix\\})$');

/** Aliases of access points and names of directory buckets, which hide or are another bucket's name. */
const ALIAS = /(-s3alias|--ol-s3|--x-s3|--xa-s3)$/;

/** Functions whose result has only what is inside of them. */
const TRANSPARENT = ['Fn::Join', 'Fn::Select', 'Fn::Split'];

/** Fixed when it is deployed, and never a bucket's name. */
const PSEUDO = ['AWS::Region', 'AWS::URLSuffix', 'AWS::Partition', 'AWS::AccountId'];

function at(scope: IConstruct, path: string): IConstruct | undefined {
  const root: IConstruct = scope.node.root;
  return path.slice(1).split('/').reduce<IConstruct | undefined>((one, id) => one?.node.tryFindChild(id), root);
}

function ofResource(path: string, resource: CfnResource): KnownBucket {
  const name = propertiesOf(resource).BucketName;
  return { path, name: typeof name === 'string' ? name : undefined, text: path };
}

/** The resources that a value refers to, and whether anything else is in it whose result is not known. */
function referred(value: any, scope: IConstruct): { resources: Map<string, CfnResource>; known: boolean } {
  const resources = new Map<string, CfnResource>();
  let known = true;
  const look = (one: any): void => {
    if (Array.isArray(one)) return one.forEach(look);
    if (typeof one !== 'object' || one === null) return;
    for (const [name, inside] of Object.entries(one) as [string, any][]) {
      if (name === 'Fn::GetAtt' && Array.isArray(inside)) {
        const target = at(scope, String(inside[0]));
        if (target !== undefined && CfnResource.isCfnResource(target)) resources.set(String(inside[0]), target);
        else known = false;
      } else if (name === 'Ref') {
        known &&= PSEUDO.includes(inside);
      } else {
        known &&= TRANSPARENT.includes(name);
        look(inside);
      }
    }
  };
  look(value);
  return { resources, known };
}

const isBucket = (resource: CfnResource): boolean => resource.cfnResourceType === 'AWS::S3::Bucket';

function hostOf(domain: any, scope: IConstruct): Host {
  const text = textOf(domain);
  const undecided: Host = { kind: 'undecided', bucket: { text } };
  const { resources, known } = referred(domain, scope);
  if (!known || text === '') return undecided;
  if (resources.size > 0) {
    const [[path, first], ...others] = resources;
    if (isBucket(first) && others.length === 0) return { kind: 'bucket', bucket: ofResource(path, first) };
    const own = [...resources.values()].every((one) => OTHER_SERVICES.test(one.cfnResourceType));
    return own && !/(^|[.-])s3([.-]|$)/i.test(text.replace(/\$\{[^}]*\}/g, '')) ? { kind: 'other', bucket: { text } } : undecided;
  }
  if (typeof domain !== 'string' && !('Fn::Join' in domain)) return undecided;
  const host = text.toLowerCase().replace(/\.+$/, '');
  const [, name] = BUCKET_HOST.exec(host) ?? [];
  if (name !== undefined) {
    if (ALIAS.test(name)) return undecided;
    return { kind: 'bucket', bucket: { name: name.includes('${') ? undefined : name, text: `name ${name}` } };
  }
  // Path-style, access points, Multi-Region Access Points, and what S3 will have next.
  if (/(^|[.-])(s3|mrap)([.-]|$)/.test(host)) return undecided;
  return { kind: 'other', bucket: { name: host, text: `name ${host}` } };
}

/** What is known of a bucket that an authorizer guards. */
export function known(bucket: s3.IBucket, scope: IConstruct): KnownBucket {
  const { bucket: found } = hostOf(written(bucket.bucketRegionalDomainName, scope), scope);
  if (found.name !== undefined) return found;
  const name = written(bucket.bucketName, scope);
  return { ...found, name: typeof name === 'string' ? name : undefined };
}

const same = (one: KnownBucket, other: KnownBucket): boolean => one.text === other.text
  || (one.path !== undefined && one.path === other.path) || (one.name !== undefined && one.name === other.name);

/** Two resources of this app are two buckets, and so are two names. */
const differ = (one: KnownBucket, other: KnownBucket): boolean => !same(one, other)
  && ((one.path !== undefined && other.path !== undefined) || (one.name !== undefined && other.name !== undefined));

/** Whether a value, such as the bucket of a bucket policy, names one of the buckets. */
export function names(value: any, bucket: KnownBucket, scope: IConstruct): boolean {
  const { resources } = referred(value, scope);
  return (bucket.path !== undefined && resources.has(bucket.path)) || (bucket.name !== undefined && value === bucket.name)
    || [...resources].some(([path, one]) => isBucket(one) && same(ofResource(path, one), bucket));
}

/** Whether CloudFront may sign for S3. */
function mayBeSigned(origin: any, scope: IConstruct): boolean {
  if (origin.S3OriginConfig !== undefined) return true;
  const id = origin.OriginAccessControlId;
  if (id === undefined || id === '') return false;
  const resources = [...referred(id, scope).resources.values()];
  return resources.length !== 1 || !['lambda', 'mediapackagev2', 'mediastore'].includes(
    propertiesOf(resources[0]).OriginAccessControlConfig?.OriginAccessControlOriginType);
}

/** Whether an origin reaches one of the buckets. Only what is proven is another one. */
export function reaches(origin: any, buckets: KnownBucket[], scope: IConstruct): 'guarded' | 'other' | 'undecided' {
  const { kind, bucket } = hostOf(origin.DomainName, scope);
  if (buckets.some((one) => same(one, bucket))) return 'guarded';
  if (kind === 'undecided') return 'undecided';
  if (kind === 'bucket') return buckets.every((one) => differ(one, bucket)) ? 'other' : 'undecided';
  return mayBeSigned(origin, scope) ? 'undecided' : 'other';
}

/** Whether anything in a value, each alternative included, is a host of one of the buckets. */
export function mentions(value: any, buckets: KnownBucket[], scope: IConstruct): boolean {
  if (buckets.some((bucket) => names(value, bucket, scope))) return true;
  if (reaches({ DomainName: value }, buckets, scope) === 'guarded') return true;
  if (Array.isArray(value)) return value.some((one) => mentions(one, buckets, scope));
  if (typeof value !== 'object' || value === null) return false;
  return (isPlain(value) || 'Fn::If' in value) && Object.values(value).some((one) => mentions(one, buckets, scope));
}
