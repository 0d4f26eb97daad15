# shellcheck shell=sh
# What to do about an error of AWS. `deploy` and `attach` read this file; `say` is theirs. tests/README.md lists the failures.

# The AWS CLI. An error is shown, with what to do; the status is that of the CLI.
call() { # ARGUMENTS
    failed=0
    { said=$(aws "$@" 2>&1 >&3) || failed=$?; } 3>&1
    [ -z "$said" ] || printf '%s\n' "$said" >&2
    [ "$failed" = 0 ] || advise "$said"
    return "$failed"
}

# Says what to do about an error, by its text. The first that fits counts; nothing is said of others.
advise() { # TEXT
    case $1 in
        *'larger than the maximum allowed size'*)
            say "CloudFront takes 1,048,576 bytes, and this zip has more; to make a smaller one: authorizer package --policy policy.toml --build small (in a clone: make package POLICY=policy.toml BUILD=small)" ;;
        *'replicated function'*)
            say "CloudFront still has replicas of the function; run this again some hours later" ;;
        *EnableReplication*)
            say "you need lambda:GetFunction, lambda:EnableReplication* and lambda:DisableReplication* on the function; the first time iam:CreateServiceLinkedRole, too" ;;
        *'not in Active state'* | *'state is Pending'*)
            say "the version was not Active yet; run this again" ;;
        *PreconditionFailed* | *InvalidIfMatchVersion*)
            say "somebody else has changed the distribution since it was read, and nothing of this was written; run this again" ;;
        *NoSuchDistribution*)
            say "there is no such distribution in this account; to list them: aws cloudfront list-distributions --query 'DistributionList.Items[].[Id, DomainName]'" ;;
        *CNAMEAlreadyExists* | *'CNAMEs you provided are already associated'*)
            say "another distribution has this domain name: remove it there, or deploy with another PARAMETERS=Alias=..." ;;
        *InvalidViewerCertificate*)
            say "the certificate must be in us-east-1, issued, and for the domain name: see PARAMETERS=CertificateArn=..." ;;
        *PermanentRedirect* | *IllegalLocationConstraint* | *AuthorizationHeaderMalformed* | *'is in this region'*)
            say "the bucket CODE_BUCKET is in another Region: Lambda takes a zip for us-east-1 only from a bucket there" ;;
        *NoSuchBucket*)
            say "there is no bucket CODE_BUCKET; to create it: see docs/deploy.md, Before the first deployment" ;;
        *TooManyRequests* | *Throttling* | *Throttled* | *'Rate exceeded'* | *SlowDown*)
            say "AWS throttles this account; run this again in some minutes" ;;
        *ResourceConflict* | *'update is in progress'* | *OperationInProgress*)
            say "another change of the same thing is going on; run this again when it has ended" ;;
        *TooMany* | *'maximum number'* | *LimitExceeded*)
            say "a quota of AWS is reached: see docs/deploy.md, Quotas" ;;
        *'already exists'*)
            say "a name is taken, perhaps by another stack; to use other names: STACK=ANOTHER" ;;
        # Not by the name of a resource, which each of its failures has.
        *AllowVendedLogDeliveryForResource* | *logs:CreateDelivery* | *logs:PutDeliverySource* | *logs:PutDeliveryDestination*)
            say "the delivery of access logs failed; you need cloudfront:AllowVendedLogDeliveryForResource and logs:CreateDelivery; to deploy without it: PARAMETERS=AccessLogs=no" ;;
        *ExpiredToken* | *'is expired'* | *RequestExpired*)
            say "the credentials have expired: sign in, and run this again" ;;
        *UnrecognizedClient* | *InvalidClientTokenId* | *InvalidAccessKeyId* | *SignatureDoesNotMatch* | *IncompleteSignature*)
            say "the credentials are not valid, or this machine's clock is wrong: sign in again" ;;
        *'Unable to locate credentials'* | *NoCredentials*)
            say "there are no credentials: run aws configure, or set AWS_PROFILE" ;;
        *AccessDenied* | *'not authorized to perform'* | *'Access Denied'*)
            say "these credentials lack a permission; the error names it, and docs/deploy.md lists all that are needed" ;;
        *'Could not connect'* | *'Connect timeout'* | *'Read timeout'*)
            say "AWS cannot be reached: look at the network and its proxy, and run this again" ;;
        *InvalidArgument* | *InvalidLambdaFunctionAssociation* | *'Model validation failed'* | *ValidationError* | *IllegalUpdate* | *InvalidRequest*)
            say "AWS does not take a value; the error says which. Change it in PARAMETERS=..., or in the distribution" ;;
    esac
}
