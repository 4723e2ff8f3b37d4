package servers

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// peersTimeout is how long AwaitPeers waits for servers.
const peersTimeout = 10 * time.Second

// Error codes of JetStream, for which package jetstream has no names.
const (
	noSuitablePeers jetstream.ErrorCode = 10005 // too few servers are there for the copies of a stream
	unavailable     jetstream.ErrorCode = 10008 // the servers have no leader
)

// AwaitPeers calls f, which makes a stream. It calls f again while f fails because too few
// servers are connected: servers that have just started do not know each other yet. After ten
// seconds, or when ctx ends, AwaitPeers returns the last error of f. It returns other errors
// at once.
func AwaitPeers(ctx context.Context, f func() error) error {
	last := time.Now().Add(peersTimeout)
	for delay := 10 * time.Millisecond; ; delay = min(2*delay, 500*time.Millisecond) {
		err := f()
		api, ok := errors.AsType[*jetstream.APIError](err)
		if !ok || api.ErrorCode != noSuitablePeers && api.ErrorCode != unavailable || time.Now().After(last) {
			return err
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return err
		}
	}
}
