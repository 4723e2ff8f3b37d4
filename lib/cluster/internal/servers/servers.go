// Package servers configures clients of several NATS servers, of which one may be lost.
package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options returns the options of a connection. If remote is true, the server is another
// process: if a server does not answer for 15 seconds, the client connects to another one.
func Options(remote bool) []nats.Option {
	opts := []nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond), nats.Timeout(5 * time.Second), nats.ErrorHandler(reportError)}
	if remote {
		opts = append(opts, nats.PingInterval(3*time.Second), nats.MaxPingsOutstanding(5))
	}
	return opts
}

// reportError prints an error of the connection, such as a subject that the server forbids.
// It leaves out that messages were dropped because too many came at once, as after an
// interruption: the server delivers them again.
func reportError(_ *nats.Conn, sub *nats.Subscription, err error) {
	switch {
	case errors.Is(err, nats.ErrSlowConsumer):
	case sub != nil:
		fmt.Fprintf(os.Stderr, "cluster: %s: %v\n", sub.Subject, err)
	default:
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
	}
}

// ReadFromLeader makes the leader of a stream answer all reads of the stream. The other servers
// may not have the newest values yet.
func ReadFromLeader(ctx context.Context, js jetstream.JetStream, stream string) error {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	if !config.AllowDirect {
		return nil
	}
	config.AllowDirect = false
	_, err = js.UpdateStream(ctx, config)
	return err
}
