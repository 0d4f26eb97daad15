export * from './access-logs';
export * from './edge-authorizer';
export * from './edge-authorizer-function';
export * from './rate-limit';
