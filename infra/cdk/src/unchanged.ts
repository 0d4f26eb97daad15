// Whether the authorizer's own resources are written as the constructs made them.
import { CfnResource } from 'aws-cdk-lib';
import { propertiesOf } from './written';

/** What an organization sets on everything, and what can only take away. */
const FREE = ['Tags', 'PermissionsBoundary'];

function textOf(resource: CfnResource): string {
  const properties = Object.entries(propertiesOf(resource)).filter(([name]) => !FREE.includes(name));
  return JSON.stringify(properties.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Resources as they are when the construct is made. */
export class Unchanged {
  private readonly before: Map<CfnResource, string>;

  constructor(private readonly resources: CfnResource[]) {
    this.before = new Map(resources.map((one) => [one, textOf(one)]));
  }

  /** Those that were changed since. */
  public problems(): string[] {
    return this.resources.filter((one) => textOf(one) !== this.before.get(one) || one.node.scope?.node.tryFindChild(one.node.id) !== one)
      .map((one) => `\`${one.node.path}\` is not written as the authorizer made it, so nobody knows what it lets through; remove `
        + 'the override');
  }
}
