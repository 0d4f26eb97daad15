export * from './edge-authorizer';
export * from './edge-authorizer-function';
