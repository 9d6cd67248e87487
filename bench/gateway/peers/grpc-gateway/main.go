// A gateway made by grpc-gateway, as its own documentation has it: handlers that are generated from the protos. Beside
// them what every gateway of the comparison does, when it is told a Redis: verify and keep tokens, and limit by the same
// script and the same three rules.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net/http"
	"os"

	feed "chirrup.example/grpc-gateway/gen/chirrup/feed/v1"
	post "chirrup.example/grpc-gateway/gen/chirrup/post/v1"
	library "chirrup.example/grpc-gateway/gen/library/v1"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

func main() {
	listen := flag.String("listen", "", "address")
	upstream := flag.String("upstream", "", "address of every service")
	redisURL := flag.String("redis", "", "buckets; without it anybody may call, without limits")
	script := flag.String("script", "", "file of the bucket's script")
	jwks := flag.String("jwks", "", "key set of the issuer")
	issuer := flag.String("issuer", "", "")
	audience := flag.String("audience", "", "")
	flag.Parse()

	connection, err := grpc.NewClient(*upstream, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	mux := runtime.NewServeMux(runtime.WithMetadata(func(_ context.Context, request *http.Request) metadata.MD {
		caller, ok := request.Context().Value(callerKey{}).(caller)
		if !ok {
			return nil
		}
		return metadata.Pairs("chirrup-user-id", caller.Subject, "chirrup-session-id", caller.SessionID)
	}))
	ctx := context.Background()
	check(library.RegisterLibraryServiceHandler(ctx, mux, connection))
	check(post.RegisterPostServiceHandler(ctx, mux, connection))
	check(feed.RegisterFeedServiceHandler(ctx, mux, connection))

	var handler http.Handler = mux
	if *redisURL != "" {
		handler = guard(mux, openGuard(*redisURL, *script, *jwks, *issuer, *audience))
	}
	go func() {
		// It ends with whoever started it.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	check(http.ListenAndServe(*listen, handler))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
