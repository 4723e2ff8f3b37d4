package servers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// TestAwaitPeers checks which errors are tried again, and for how long.
func TestAwaitPeers(t *testing.T) {
	missing := fmt.Errorf("cannot create: %w", &jetstream.APIError{Code: 400, ErrorCode: noSuitablePeers})
	leaderless := &jetstream.APIError{Code: 503, ErrorCode: unavailable}
	other := &jetstream.APIError{Code: 500, ErrorCode: jetstream.JSErrCodeStreamNotFound}
	for _, test := range []struct {
		name      string
		errs      []error // of the calls; the last one is that of all further calls
		want      error
		calls     int // at least
		atMost    time.Duration
		cancelled bool
	}{
		{"servers that start", []error{missing, leaderless, missing, nil}, nil, 4, time.Second, false},
		{"another cause", []error{other}, other, 1, 0, false},
		{"another cause later", []error{leaderless, other}, other, 2, time.Second, false},
		{"too few servers", []error{missing}, missing, 10, peersTimeout + time.Second, false},
		{"the context ends", []error{missing}, missing, 1, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.cancelled {
					cancel()
				}
				calls, begun := 0, time.Now()
				err := AwaitPeers(ctx, func() error {
					calls++
					return test.errs[min(calls, len(test.errs))-1]
				})
				if !errors.Is(err, test.want) || calls < test.calls || time.Since(begun) > test.atMost {
					t.Errorf("got %v after %d calls and %v", err, calls, time.Since(begun))
				}
			})
		})
	}
}
