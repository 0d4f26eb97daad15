# A handler that allows every request. It shows the time of Python and the client alone, and is not a peer.
def handler(event, context):
    return event["Records"][0]["cf"]["request"]
