package servers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestCreate checks which errors are tried again, and for how long.
func TestCreate(t *testing.T) {
	missing := fmt.Errorf("cannot create: %w", &jetstream.APIError{Code: 400, ErrorCode: noSuitablePeers})
	leaderless := &jetstream.APIError{Code: 503, ErrorCode: 10008}
	other := &jetstream.APIError{Code: 404, ErrorCode: jetstream.JSErrCodeStreamNotFound}
	const limit = Timeout + time.Second
	for _, test := range []struct {
		name     string
		errs     []error // of the calls; the last one is that of all further calls
		want     error
		calls    int // at least
		atMost   time.Duration
		canceled bool
	}{
		{"servers that start", []error{missing, leaderless, nats.ErrTimeout, missing, nil}, nil, 5, 2 * time.Second, false},
		{"another cause", []error{other}, other, 1, 0, false},
		{"another cause later", []error{leaderless, other}, other, 2, time.Second, false},
		{"no server answers", []error{nats.ErrNoResponders, nats.ErrNoResponders, nil}, nil, 3, time.Second, false},
		{"too few servers", []error{missing}, missing, 100, limit, false},
		{"no leader", []error{leaderless}, leaderless, 100, limit, false},
		{"the context ends", []error{missing}, context.Canceled, 1, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.canceled {
					cancel()
				}
				calls, begun := 0, time.Now()
				err := Create(ctx, func(context.Context) error {
					calls++
					return test.errs[min(calls, len(test.errs))-1]
				})
				if !errors.Is(err, test.want) || calls < test.calls || time.Since(begun) > test.atMost {
					t.Errorf("got %v after %d calls and %v", err, calls, time.Since(begun))
				}
				if isMissing := errors.Is(test.want, missing); isMissing != (err != nil && strings.Contains(err.Error(), "start the missing servers")) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// TestOpenOfAServerWithoutJetStream checks that Open does not wait for a server that has no
// JetStream.
func TestOpenOfAServerWithoutJetStream(t *testing.T) {
	for _, without := range []error{nats.ErrNoResponders, jetstream.ErrJetStreamNotEnabled, jetstream.ErrJetStreamNotEnabledForAccount} {
		calls := 0
		err := Open(t.Context(), func(context.Context) error {
			calls++
			return without
		})
		if !errors.Is(err, without) || calls != 1 {
			t.Errorf("got %v after %d calls", err, calls)
		}
	}
}

// TestCreateStreamWhoseAnswerIsLost makes a stream that an earlier try has made.
func TestCreateStreamWhoseAnswerIsLost(t *testing.T) {
	for _, c := range []struct{ err, want error }{{jetstream.ErrStreamNameAlreadyInUse, nil}, {jetstream.ErrInvalidStreamName, jetstream.ErrInvalidStreamName}} {
		if err := CreateStream(t.Context(), creator{err: c.err}, jetstream.StreamConfig{}); !errors.Is(err, c.want) {
			t.Errorf("%v: got %v", c.err, err)
		}
	}
}

type creator struct {
	jetstream.JetStream
	err error
}

func (c creator) CreateStream(context.Context, jetstream.StreamConfig) (jetstream.Stream, error) {
	return nil, c.err
}
