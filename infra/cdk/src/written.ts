// What is written into the template, after all overrides, in a form that can be compared across stacks: a reference names
// the path of its construct, whether the template has a logical id, an import or a parameter in its place.
import {
  CfnElement, CfnResource, DefaultTokenResolver, IFragmentConcatenator, IPostProcessor, IResolvable, IResolveContext, Reference, Stack,
  Tokenization,
} from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Text with references in it, as `Fn::Join` of its parts. */
function joined(parts: any[]): any {
  const flat: any[] = [];
  for (const part of parts.flatMap((one) => (isJoin(one) ? one['Fn::Join'][1] : [one]))) {
    if (part === undefined) continue;
    if (typeof part === 'string' && typeof flat[flat.length - 1] === 'string') flat[flat.length - 1] += part;
    else flat.push(part);
  }
  return flat.length === 1 ? flat[0] : { 'Fn::Join': ['', flat] };
}

const isJoin = (value: any): boolean => {
  const join = value?.['Fn::Join'];
  return Array.isArray(join) && join[0] === '' && Array.isArray(join[1]);
};

class Concat implements IFragmentConcatenator {
  public join(left: any | undefined, right: any | undefined): any {
    return joined([left, right]);
  }
}

/** Leaves references as the paths of their constructs. */
class ByPath extends DefaultTokenResolver {
  constructor() {
    super(new Concat());
  }

  public resolveToken(token: IResolvable, context: IResolveContext, postProcessor: IPostProcessor): any {
    if (!Reference.isReference(token)) return super.resolveToken(token, context, postProcessor);
    return token.displayName.startsWith('AWS::')
      ? { Ref: token.displayName } : { 'Fn::GetAtt': [`/${token.target.node.path}`, token.displayName] };
  }
}

/** The one form of a value of a stack. */
function canonical(value: any, stack: Stack): any {
  let ids: Map<string, string> | undefined;
  const pathOf = (id: any): string | undefined => {
    if (typeof id !== 'string' || id.startsWith('/')) return undefined;
    ids ??= new Map(stack.node.findAll().filter((one): one is CfnElement => CfnElement.isCfnElement(one) && one.stack === stack)
      .map((one) => [String(stack.resolve(one.logicalId)), `/${one.node.path}`]));
    return ids.get(id);
  };
  const referred = (id: any, attribute: any, otherwise: any): any => {
    const path = pathOf(id);
    return path === undefined ? otherwise : { 'Fn::GetAtt': [path, attribute] };
  };
  const substituted = (text: string): any => joined(text.split(/(\$\{[^}]*\})/).filter((part) => part !== '').map((part) => {
    const [, name] = /^\$\{([A-Za-z0-9:.]+)\}$/.exec(part) ?? [];
    if (name === undefined) return part;
    if (name.startsWith('AWS::')) return { Ref: name };
    const [id, ...attribute] = name.split('.');
    return referred(id, attribute.length === 0 ? 'Ref' : attribute.join('.'), { 'Fn::Sub': part });
  }));
  const of = (one: any): any => {
    if (Array.isArray(one)) return one.map(of).filter((item) => item !== undefined);
    if (typeof one !== 'object' || one === null) return one;
    const [name, ...others] = Object.keys(one);
    if (others.length === 0) {
      const inside = one[name];
      if (name === 'Ref') return inside === 'AWS::NoValue' ? undefined : referred(inside, 'Ref', one);
      if (name === 'Fn::GetAtt') {
        const [id, ...attribute] = typeof inside === 'string' ? inside.split('.') : inside;
        return referred(id, attribute.length === 1 ? attribute[0] : attribute.join('.'), one);
      }
      if (name === 'Fn::Sub' && typeof inside === 'string' && !inside.includes('${!')) return substituted(inside);
      if (name === 'Fn::Join' && Array.isArray(inside?.[1]) && typeof inside[0] === 'string') {
        const parts = inside[1].map(of);
        return joined(inside[0] === '' ? parts : parts.flatMap((part: any, at: number) => (at === 0 ? [part] : [inside[0], part])));
      }
    }
    return Object.fromEntries(Object.entries(one).map(([member, inside]) => [member, of(inside)])
      .filter(([, inside]) => inside !== undefined));
  };
  return of(value);
}

/** A value, as it would be written into the stack of a construct. */
export function written(value: any, scope: IConstruct): any {
  return canonical(Tokenization.resolve(value, { scope, resolver: new ByPath(), preparing: false }), Stack.of(scope));
}

/** The same, with references as the template has them: an override is written so. */
function writtenByOverride(value: any, scope: IConstruct): any {
  return canonical(Stack.of(scope).resolve(value), Stack.of(scope));
}

/** The properties of a resource as they are written, overrides included. */
export function propertiesOf(resource: CfnResource): any {
  const rendered = Tokenization.resolve((resource as any)._toCloudFormation(), {
    scope: resource, resolver: new ByPath(), preparing: false,
  });
  const [one] = Object.values(rendered?.Resources ?? {}) as any[];
  return canonical(one?.Properties ?? {}, Stack.of(resource)) ?? {};
}

/** Whether what is written is this value. */
export function isWritten(found: any, value: any, scope: IConstruct): boolean {
  const text = JSON.stringify(found);
  return text === JSON.stringify(written(value, scope)) || text === JSON.stringify(writtenByOverride(value, scope));
}

/** An object that is no function of CloudFormation, whose value is known only when it is deployed. */
export function isPlain(value: any): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    && !Object.keys(value).some((name) => name === 'Ref' || name.startsWith('Fn::'));
}

/** The items of a list, or nothing if they are not decided. */
export function listOf(value: any): any[] | undefined {
  if (value === undefined) return [];
  return Array.isArray(value) && value.every(isPlain) ? value : undefined;
}

/** All resources of a type in the app. */
export function resourcesOf(scope: IConstruct, type: string): CfnResource[] {
  return scope.node.root.node.findAll().filter((one): one is CfnResource => (
    CfnResource.isCfnResource(one) && one.cfnResourceType === type));
}

/** Text, with the paths of references in braces. */
export function textOf(value: any): string {
  if (typeof value === 'string') return value;
  if (isJoin(value)) return value['Fn::Join'][1].map(textOf).join('');
  if (typeof value?.Ref === 'string') return `\${${value.Ref}}`;
  if (Array.isArray(value?.['Fn::GetAtt'])) return `\${${value['Fn::GetAtt'].join('#')}}`;
  return JSON.stringify(value) ?? '';
}
