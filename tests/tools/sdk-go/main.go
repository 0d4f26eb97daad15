// Makes calls with AWS's SDK for Go, version 2, for the tests, and prints their results.
//
//	driver DISTRIBUTION TOKEN
//
// Each line of standard input is a call and each line of standard output its answer, both JSON:
//
//	{"call": "GetObject", "key": "users/alice/a"}
//	{"body": "..."} or {"error": {"code": "AccessDenied", "status": 403, "message": "..."}}
//
// The client is set as docs/clients.md says, for the bucket `files` at `example.com`. Its requests go to this machine.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

type call struct{ Call, Key, Prefix, Body, Source string }

// viewer sends each request to this machine, with the token.
type viewer struct{ distribution, token string }

func (v viewer) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+v.token)
	request.Host = request.URL.Host
	request.URL.Scheme, request.URL.Host = "http", v.distribution
	return http.DefaultTransport.RoundTrip(request)
}

func main() {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx,
		config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(aws.AnonymousCredentials{}),
		config.WithHTTPClient(&http.Client{Transport: viewer{os.Args[1], os.Args[2]}}),
		// A retry would hide an answer that a test checks.
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
	)
	if err != nil {
		panic(err)
	}
	client := s3.NewFromConfig(settings, func(options *s3.Options) {
		options.EndpointResolver = s3.EndpointResolverFromURL("https://example.com")
	})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked call
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		answer, err := asked.make(ctx, client)
		if err != nil {
			answer = map[string]any{"error": failure(err)}
		}
		text, _ := json.Marshal(answer)
		fmt.Println(string(text))
	}
}

func (asked call) make(ctx context.Context, client *s3.Client) (map[string]any, error) {
	bucket, key := aws.String("files"), aws.String(asked.Key)
	answer := map[string]any{}
	var err error
	switch asked.Call {
	case "PutObject":
		_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(asked.Body)})
	case "Upload":
		// Larger than one part.
		body := strings.NewReader(strings.Repeat(asked.Body, 6<<20/len(asked.Body)))
		_, err = manager.NewUploader(client).Upload(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: body})
	case "GetObject":
		var got *s3.GetObjectOutput
		if got, err = client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}); err == nil {
			var body []byte
			body, err = io.ReadAll(got.Body)
			answer["body"] = string(body)
		}
	case "HeadObject":
		_, err = client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	case "ListObjectsV2":
		var got *s3.ListObjectsV2Output
		input := &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String(asked.Prefix)}
		if got, err = client.ListObjectsV2(ctx, input); err == nil {
			keys := []string{}
			for _, object := range got.Contents {
				keys = append(keys, *object.Key)
			}
			answer["keys"] = keys
		}
	case "CopyObject":
		_, err = client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: aws.String(asked.Source)})
	case "PutObjectAcl":
		_, err = client.PutObjectAcl(ctx, &s3.PutObjectAclInput{Bucket: bucket, Key: key, ACL: "public-read"})
	case "DeleteObject":
		_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key})
	default:
		panic(asked.Call)
	}
	return answer, err
}

func failure(err error) map[string]any {
	said := map[string]any{"text": err.Error()}
	var refused smithy.APIError
	if errors.As(err, &refused) {
		said["code"], said["message"] = refused.ErrorCode(), refused.ErrorMessage()
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		said["status"] = response.HTTPStatusCode()
	}
	return said
}
