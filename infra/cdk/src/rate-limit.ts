import * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { EdgeAuthorizer } from './edge-authorizer';
import { wrong } from './facts';

/** The properties of a limit. */
export interface RateLimitProps {
  /** The authorizer behind it. */
  readonly authorizer: EdgeAuthorizer;

  /** How many requests one IP address may send in 5 minutes: 10 to 999,999,999. */
  readonly requestsPer5Minutes: number;
}

/**
 * A web ACL of AWS WAF that limits the requests of one IP address. More get 403, and the function does not run: a flood
 * of refused requests cannot use up the Region's concurrency. Allowed requests count too.
 *
 * Give `webAclArn` to the distribution, as `webAclId`. Use it in a stack in us-east-1.
 */
export class RateLimit extends Construct {
  /** The ARN of the web ACL. */
  public readonly webAclArn: string;

  constructor(scope: Construct, id: string, props: RateLimitProps) {
    super(scope, id);
    const stack = Stack.of(this);
    if (Token.isUnresolved(stack.region) || stack.region !== 'us-east-1') {
      throw wrong("web ACLs for CloudFront are in us-east-1; put RateLimit into a stack with `env: { region: 'us-east-1' }`");
    }
    const limit = props.requestsPer5Minutes;
    // AWS WAF accepts 10 and more.
    if (!Number.isInteger(limit) || limit < 10 || limit > 999_999_999) {
      throw wrong('`requestsPer5Minutes` must be a whole number, 10 to 999999999');
    }
    const name = props.authorizer.edgeFunction.authorizerName;
    // Samples contain whole requests, with their tokens.
    const seen = (metricName: string) => ({ cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false });
    this.webAclArn = new wafv2.CfnWebACL(this, 'WebAcl', {
      name: `${name}-rate`,
      description: `Limits the requests of one IP address to ${name}.`,
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      rules: [{
        name: 'one-address',
        priority: 0,
        action: { block: {} },
        statement: { rateBasedStatement: { aggregateKeyType: 'IP', evaluationWindowSec: 300, limit } },
        visibilityConfig: seen(`${name}-one-address`),
      }],
      visibilityConfig: seen(`${name}-rate`),
    }).attrArn;
  }
}
