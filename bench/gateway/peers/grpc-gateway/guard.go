package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/redis/go-redis/v9"
)

type callerKey struct{}

type caller struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid"`
}

type guards struct {
	redis    *redis.Client
	script   *redis.Script
	key      ed25519.PublicKey
	parser   *jwt.Parser
	verified sync.Map
}

func openGuard(redisURL, script, jwks, issuer, audience string) *guards {
	options, err := redis.ParseURL(redisURL)
	check(err)
	text, err := os.ReadFile(script)
	check(err)
	return &guards{
		redis:  redis.NewClient(options),
		script: redis.NewScript(string(text)),
		key:    fetchKey(jwks),
		parser: jwt.NewParser(jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithValidMethods([]string{"EdDSA"})),
	}
}

func fetchKey(url string) ed25519.PublicKey {
	response, err := http.Get(url)
	check(err)
	defer response.Body.Close()
	var set struct {
		Keys []struct{ X string } `json:"keys"`
	}
	check(json.NewDecoder(response.Body).Decode(&set))
	key, err := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	check(err)
	return key
}

func (g *guards) identify(header string) (caller, error) {
	token := strings.TrimPrefix(header, "Bearer ")
	if known, ok := g.verified.Load(token); ok {
		claims := known.(caller)
		if claims.ExpiresAt.After(time.Now()) {
			return claims, nil
		}
	}
	var claims caller
	_, err := g.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return g.key, nil })
	if err == nil {
		g.verified.Store(token, claims)
	}
	return claims, err
}

// guard lets in who is signed in and within three limits: of the address, of the user, of the user on the route.
func guard(next http.Handler, g *guards) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		claims, err := g.identify(request.Header.Get("Authorization"))
		if err != nil {
			http.Error(response, `{"code":16,"message":"sign in first"}`, http.StatusUnauthorized)
			return
		}
		address, _, _ := net.SplitHostPort(request.RemoteAddr)
		user := "rate:{user:" + claims.Subject + "}:grpc-gateway"
		ctx := request.Context()
		commands, err := g.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			g.script.EvalSha(ctx, pipe, []string{"rate:{ip:" + address + "}:grpc-gateway"}, 1, 100_000_000, 60_000, 100_000_000)
			g.script.EvalSha(ctx, pipe, []string{user, user + ":" + request.URL.Path}, 1, 10_000_000, 60_000, 10_000_000, 1_000_000, 60_000, 1_000_000)
			return nil
		})
		if err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
			err = g.script.Load(ctx, g.redis).Err()
		}
		if err != nil {
			http.Error(response, `{"code":14,"message":"unavailable"}`, http.StatusServiceUnavailable)
			return
		}
		for i, command := range commands {
			taken, err := command.(*redis.Cmd).Int64Slice()
			if err == nil && len(taken) > 1 && taken[1] > 0 {
				http.Error(response, `{"code":8,"message":"too many requests"}`, http.StatusTooManyRequests)
				return
			}
			if i == 1 && err == nil {
				response.Header().Set("RateLimit", fmt.Sprintf(`"user";r=%d;t=1`, taken[0]))
			}
		}
		next.ServeHTTP(response, request.WithContext(context.WithValue(ctx, callerKey{}, claims)))
	})
}
