// Who a bucket's policy and its key's policy let in, besides the distributions that have the function.
import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { isPlain, listOf, propertiesOf, textOf, written } from './written';

/** What an authorizer lets in. */
export interface LetIn {
  readonly statements: iam.PolicyStatement[];
  /** The distributions, of which a policy may name fewer. */
  readonly distributionArns: string[];
}

/** What a policy says, without what does not count: the order in a list, and a list of one. */
function loose(value: any): any {
  if (Array.isArray(value)) {
    const items = value.map(loose).sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
    return items.length === 1 ? items[0] : items;
  }
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, loose(value[name])]));
}

const itemsOf = (value: any): any[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** An ARN, with what this stack's own partition and account are. */
function arnText(value: any, stack: Stack): string {
  const text = textOf(value).replace(/^arn:aws(-cn|-us-gov)?:/, 'arn:${AWS::Partition}:');
  return Token.isUnresolved(stack.account) ? text : text.replace(/(?<=::)\$\{AWS::AccountId\}(?=:)/, stack.account);
}

/** A statement without its distributions, and they. */
function parted(statement: any, stack: Stack): [string, string[]] {
  const { 'AWS:SourceArn': arns, ...others } = statement.Condition?.StringEquals ?? {};
  const rest = { ...statement, Condition: { ...statement.Condition, StringEquals: others } };
  const text = JSON.stringify(loose(rest)).replace(/arn:aws(-cn|-us-gov)?:s3/g, 'arn:${AWS::Partition}:s3')
    .replace(/\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},"(:s3:::[^"]*)"\]\]\}/g, '"arn:${AWS::Partition}$1"');
  return [text, itemsOf(arns).map((one) => arnText(one, stack))];
}

/** Whether a principal is a role or a user of the stack's own account. */
function isOwn(principal: any, resource: CfnResource): boolean {
  const { stack } = resource;
  const [path, attribute] = principal?.['Fn::GetAtt'] ?? [];
  if (path !== undefined) {
    const target = stack.node.root.node.findAll().find((one) => `/${one.node.path}` === path);
    return attribute === 'Arn' && target !== undefined && CfnResource.isCfnResource(target)
      && ['AWS::IAM::Role', 'AWS::IAM::User'].includes(target.cfnResourceType) && target.stack.account === stack.account;
  }
  const [, account] = /^arn:\$\{AWS::Partition\}:iam::([^:]*):(?:role|user)\/[^*]+$/.exec(arnText(principal, stack)) ?? [];
  return account === '${AWS::AccountId}' || account === stack.account;
}

const isOwnRoot = (principal: any, resource: CfnResource): boolean => {
  const text = arnText(principal, resource.stack);
  const accounts = ['${AWS::AccountId}', resource.stack.account];
  return accounts.some((account) => text === account || text === `arn:\${AWS::Partition}:iam::${account}:root`);
};

/**
 * The statements of a policy that let somebody in who must not be, and those that only deserve a look.
 *
 * @param resource the bucket policy or the key
 * @param document the member that has the policy
 * @param allowed what the authorizers of the app let in
 * @param forRoot whether the account itself may be let in, as a key's policy does by default
 */
export function strangersOf(resource: CfnResource, document: string, allowed: LetIn[], forRoot: boolean): { bad: string[]; look: string[] } {
  const policy = propertiesOf(resource)[document];
  const found = { bad: [] as string[], look: [] as string[] };
  const statements = isPlain(policy) ? listOf(Array.isArray(policy.Statement) ? policy.Statement : itemsOf(policy.Statement)) : undefined;
  if (statements === undefined) {
    if (policy !== undefined) found.bad.push('a statement that is known only when it is deployed');
    return found;
  }
  const ours = allowed.map((one) => ({
    texts: new Set(one.statements.map((each) => parted(written(each.toStatementJson(), resource), resource.stack)[0])),
    arns: new Set(one.distributionArns.map((arn) => arnText(written(arn, resource), resource.stack))),
  }));
  for (const statement of statements) {
    if (statement.Effect === 'Deny') continue;
    const [text, arns] = parted(statement, resource.stack);
    if (arns.length > 0 && ours.some((one) => one.texts.has(text) && arns.every((arn) => one.arns.has(arn)))) continue;
    const name = `\`${statement.Sid ?? textOf(statement.Principal ?? statement.NotPrincipal)}\``;
    const { AWS: accounts, Service: services, ...others } = isPlain(statement.Principal) ? statement.Principal : { all: '*' };
    const own = itemsOf(accounts).every((one) => isOwn(one, resource) || (forRoot && isOwnRoot(one, resource)));
    const service = itemsOf(services).every((one) => typeof one === 'string' && /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(one)
      && !one.startsWith('cloudfront.'));
    if (!own || !service || Object.keys(others).length > 0 || statement.Effect !== 'Allow') found.bad.push(name);
    else found.look.push(name);
  }
  return found;
}
