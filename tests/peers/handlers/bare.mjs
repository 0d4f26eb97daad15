// A handler that lets everything through. It is measured for what the runtime and its client take by themselves,
// and is no peer.
export const handler = async (event) => event.Records[0].cf.request;
