// What follows from the policy in the package, and the published policies of bucket and key. Each fact stays in the one
// place that the CloudFormation templates and the Terraform module use too: `infra/parameters` and `infra/policies`.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';

/** What the policy needs of the distribution, the bucket and the key. */
export interface Facts {
  readonly codeSha256: string;
  readonly bytes: number;
  /** Made with `--hand-over library`. */
  readonly isLibrary: boolean;
  /** The `query` of `[credentials]`. */
  readonly takesTokensFromQuery: boolean;
  readonly uploads: boolean;
  readonly deletes: boolean;
  readonly multipart: boolean;
  readonly versions: boolean;
  readonly listing: boolean;
  /** Whether anything is written, for which CloudFront has only the set of all seven methods. */
  readonly writes: boolean;
  /** Whether people sign in here, and so renew a session and sign out by POST. */
  readonly signsIn: boolean;
  readonly forwardedHeaders: string[];
  readonly cors?: {
    readonly origins: string[];
    readonly credentials: boolean;
    readonly exposedHeaders: string[];
    readonly maxAgeSeconds: number;
  };
}

/** Makes an error that begins with the construct's name. */
export function wrong(message: string): Error {
  return new Error(`EdgeAuthorizer: ${message}`);
}

/** A file of `infra`: in a published package beside `lib`, in the repository one folder above. */
function ofInfra(name: string): string {
  const places = ['..', path.join('..', '..')].map((up) => path.join(__dirname, up, name));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw wrong(`\`${name}\` is not in this installation: install edge-authorizer-cdk again`);
  return found;
}

/** Prints what `infra/parameters` does not: the names in the zip, and whether a token may be in the query. */
const INSIDE = [
  'import json, sys, zipfile',
  'zip = zipfile.ZipFile(sys.argv[1])',
  'credentials = json.loads(zip.read("bundle.json"))["policy"].get("credentials", {})',
  'print(json.dumps({"names": zip.namelist(), "query": credentials.get("query") is not None}))',
].join('\n');

const read = new Map<string, Facts>();

/** What a package needs. Reads it once for each content. */
export function factsOf(packageFile: string): Facts {
  const zip = path.resolve(packageFile);
  if (!existsSync(zip) || !statSync(zip).isFile()) {
    throw wrong(`the package \`${packageFile}\` does not exist; to make it: `
      + 'authorizer package --policy policy.toml (in a clone: make package POLICY=policy.toml)');
  }
  const content = readFileSync(zip);
  const codeSha256 = createHash('sha256').update(content).digest('base64');
  const known = read.get(codeSha256);
  if (known) return known;
  const lines = run('python3', [ofInfra('parameters'), zip], 'Python 3').split('\n');
  const values = new Map(lines.filter((line) => line.includes('=')).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1).trimEnd()] as const;
  }));
  const value = (name: string): string => {
    const text = values.get(name);
    if (text === undefined) throw wrong(`infra/parameters did not print ${name}: install edge-authorizer-cdk again`);
    return text;
  };
  const list = (name: string): string[] => (value(name) === '' ? [] : value(name).split(','));
  const is = (name: string): boolean => value(name) === 'yes';
  const inside = JSON.parse(run('python3', ['-c', INSIDE, zip], 'Python 3'));
  const facts: Facts = {
    codeSha256,
    bytes: content.length,
    isLibrary: inside.names.includes('libauthorizer.so'),
    takesTokensFromQuery: inside.query,
    uploads: is('Uploads'),
    deletes: is('Deletes'),
    multipart: is('Multipart'),
    versions: is('Versions'),
    listing: is('Listing'),
    writes: is('Uploads') || is('Deletes') || is('Multipart'),
    signsIn: is('SignIn'),
    forwardedHeaders: list('ForwardedHeaders'),
    cors: list('CorsOrigins').length === 0 ? undefined : {
      origins: list('CorsOrigins'),
      credentials: is('CorsCredentials'),
      exposedHeaders: list('CorsExposedHeaders'),
      maxAgeSeconds: Number(value('CorsMaxAgeSeconds')),
    },
  };
  read.set(codeSha256, facts);
  return facts;
}

/** Fails unless the package was made from this policy. */
export function mustBeOf(packageFile: string, policy: string, authorizer: string): void {
  const bundle = (arguments_: string[]): string => {
    const said = JSON.parse(run(authorizer, [...arguments_, '--format', 'json'], `\`${authorizer}\``));
    return said.bundle_sha256;
  };
  const script = 'import hashlib, sys, zipfile; '
    + 'print(hashlib.sha256(zipfile.ZipFile(sys.argv[1]).read("bundle.json")).hexdigest())';
  const inPackage = run('python3', ['-c', script, path.resolve(packageFile)], 'Python 3').trim();
  if (bundle(['check', policy]) !== inPackage) {
    throw wrong(`the package \`${packageFile}\` is not made from \`${policy}\` as it is now; `
      + `to make it again: authorizer package --policy ${policy} (in a clone: make package POLICY=${policy})`);
  }
}

function run(program: string, arguments_: string[], name: string): string {
  const done = spawnSync(program, arguments_, { encoding: 'utf8', maxBuffer: 16 << 20 });
  if (done.error) throw wrong(`needs ${name}, which cannot be run: ${done.error.message}`);
  if (done.status !== 0) throw wrong((done.stderr || done.stdout || `${name} failed`).trim());
  return done.stdout;
}

/** The one statement of a published policy, with the names filled in. */
export function published(name: string, names: { readonly bucketArn?: string; readonly distributions?: string[] }): any {
  const statement = JSON.parse(readFileSync(path.join(ofInfra('policies'), `${name}-policy.json`), 'utf8')).Statement[0];
  const filled = (value: any): any => {
    if (Array.isArray(value)) return value.map(filled);
    if (typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([member, inside]) => [member, filled(inside)]));
    }
    switch (value) {
      case 'arn:aws:s3:::BUCKET': return names.bucketArn;
      case 'arn:aws:s3:::BUCKET/*': return `${names.bucketArn}/*`;
      case 'arn:aws:cloudfront::ACCOUNT_ID:distribution/DISTRIBUTION_ID':
        return names.distributions?.length === 1 ? names.distributions[0] : names.distributions;
      default: return value;
    }
  };
  return filled(statement);
}
