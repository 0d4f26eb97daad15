import { existsSync, readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { FilesStack } from './files-stack';

const app = new App();

// `npm run deploy` deploys twice: the first time tells the distribution's id, which the bucket's key must name. Keep the
// file beside your code, so that later deployments know it too.
const outputs = existsSync('outputs.json') ? JSON.parse(readFileSync('outputs.json', 'utf8')) : {};

// The SHA-256 of the reviewed package, in base64. Take it from the review, not from the machine that deploys.
const codeSha256 = process.env.CODE_SHA256;
if (!codeSha256) throw new Error('set CODE_SHA256 to the SHA-256 of the reviewed package, as the review names it');

new FilesStack(app, 'Files', {
  // CloudFront takes functions from us-east-1 only.
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: 'us-east-1' },
  package: process.env.PACKAGE ?? '../../dist/authorizer.zip',
  codeSha256,
  distributionId: process.env.DISTRIBUTION_ID ?? outputs.Files?.DistributionId,
  rateLimit: process.env.RATE_LIMIT === undefined ? undefined : Number(process.env.RATE_LIMIT),
  accessLogs: process.env.ACCESS_LOGS !== 'no',
  // During a rollout in stages only: see the README.
  functionVersionArn: process.env.FUNCTION_VERSION_ARN || undefined,
  stagingDistributionArn: process.env.STAGING_DISTRIBUTION_ARN || undefined,
  continuousDeploymentPolicyId: process.env.CONTINUOUS_DEPLOYMENT_POLICY_ID || undefined,
});
