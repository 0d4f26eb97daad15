// A handler that allows every request. It shows the time of the runtime and its client alone, and is not a peer.
export const handler = async (event) => event.Records[0].cf.request;
