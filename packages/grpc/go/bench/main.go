// Command bench is grpc-go as a peer of `npm run bench -- grpc`: a server or a client in a process of its own, which
// is asked by lines of JSON and answers by them, as packages/grpc/bench/worker.ts does by messages.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
)

// The same shapes as bench.Load: a number is asked for, a text of as many letters answers.
const (
	askPath  = "/grpc.testing.BenchmarkService/UnaryCall"
	pourPath = "/grpc.testing.BenchmarkService/StreamingFromServer"
)

type server struct {
	pb.UnimplementedBenchmarkServiceServer
	mu      sync.RWMutex
	answers map[int32]*pb.SimpleResponse
}

// The same object each time, for it is the transport that is measured.
func (s *server) answerOf(letters int32) *pb.SimpleResponse {
	s.mu.RLock()
	answer := s.answers[letters]
	s.mu.RUnlock()
	if answer == nil {
		answer = &pb.SimpleResponse{Username: strings.Repeat("x", int(letters))}
		s.mu.Lock()
		s.answers[letters] = answer
		s.mu.Unlock()
	}
	return answer
}

func (s *server) UnaryCall(_ context.Context, request *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return s.answerOf(request.GetResponseSize()), nil
}

func (s *server) StreamingFromServer(request *pb.SimpleRequest, stream grpc.ServerStreamingServer[pb.SimpleResponse]) error {
	message := s.answerOf(30)
	for range request.GetResponseSize() {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	return nil
}

// octets carries bytes, as the clients of the other peers do.
type octets struct{}

func (octets) Name() string { return "proto" }

func (octets) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (octets) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = slices.Clone(data)
	return nil
}

type work struct {
	Kind        string `json:"kind"`
	Calls       int    `json:"calls"`
	Concurrency int    `json:"concurrency"`
	Letters     int    `json:"letters"`
	Messages    int    `json:"messages"`
}

type measured struct {
	Ms    float64 `json:"ms"`
	CPUUs int64   `json:"cpuUs"`
	P99Ms float64 `json:"p99Ms"`
}

func requestOf(count int) []byte {
	encoded, err := proto.Marshal(&pb.SimpleRequest{ResponseSize: int32(count)})
	if err != nil {
		log.Fatal(err)
	}
	return encoded
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func ask(conn *grpc.ClientConn, w work) float64 {
	request := requestOf(w.Letters)
	times := make([]time.Duration, w.Calls)
	var next atomic.Int64
	var callers sync.WaitGroup
	for range w.Concurrency {
		callers.Go(func() {
			for at := next.Add(1) - 1; at < int64(w.Calls); at = next.Add(1) - 1 {
				started := time.Now()
				var answer []byte
				if err := conn.Invoke(context.Background(), askPath, &request, &answer); err != nil {
					log.Fatal(err)
				}
				times[at] = time.Since(started)
				if len(answer) < w.Letters {
					log.Fatalf("an answer of %d bytes", len(answer))
				}
			}
		})
	}
	callers.Wait()
	slices.Sort(times)
	return ms(times[w.Calls*99/100])
}

func pour(conn *grpc.ClientConn, messages int) {
	request := requestOf(messages)
	stream, err := conn.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true}, pourPath)
	if err != nil {
		log.Fatal(err)
	}
	if err := stream.SendMsg(&request); err != nil {
		log.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		log.Fatal(err)
	}
	received := 0
	for ; ; received++ {
		var answer []byte
		if err := stream.RecvMsg(&answer); err != nil {
			break
		}
	}
	if received != messages {
		log.Fatalf("%d messages of %d", received, messages)
	}
}

func cpuUs() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
}

func tell(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func serve(lines *bufio.Scanner) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	grpcServer := grpc.NewServer()
	pb.RegisterBenchmarkServiceServer(grpcServer, &server{answers: map[int32]*pb.SimpleResponse{}})
	go func() { log.Fatal(grpcServer.Serve(listener)) }()
	tell(listener.Addr().(*net.TCPAddr).Port)
	for lines.Scan() {
		tell(cpuUs())
	}
}

func call(lines *bufio.Scanner, port string) {
	conn, err := grpc.NewClient("127.0.0.1:"+port,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(octets{})))
	if err != nil {
		log.Fatal(err)
	}
	tell("ready")
	for lines.Scan() {
		var w work
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			log.Fatal(err)
		}
		before, started := cpuUs(), time.Now()
		p99 := 0.0
		if w.Kind == "ask" {
			p99 = ask(conn, w)
		} else {
			pour(conn, w.Messages)
		}
		tell(measured{Ms: ms(time.Since(started)), CPUUs: cpuUs() - before, P99Ms: p99})
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	if os.Args[1] == "server" {
		serve(lines)
	} else {
		call(lines, os.Args[2])
	}
}
