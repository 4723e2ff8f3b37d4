package servers

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// Timeout is how long Retry tries again while no server answers.
	Timeout = time.Minute
	// firstTry is how long the first try takes at most. After a try that reached its limit, the
	// limit of the next try is half as long again, up to maxTry.
	firstTry = 2 * time.Second
	maxTry   = 15 * time.Second
)

// Retry calls f until it returns nil or an error that is not transient. It gives up when ctx
// ends, or after Timeout. The context that f gets ends earlier than ctx, because a lost server
// does not answer, but another one answers a later try. lost is true if an earlier try may have
// had an effect although it failed.
func Retry(ctx context.Context, f func(ctx context.Context, lost bool) error) error {
	return retry(ctx, IsTransient, f)
}

// retry is Retry for errors that isTransient reports.
func retry(ctx context.Context, isTransient func(error) bool, f func(ctx context.Context, lost bool) error) error {
	last, timeout, lost := time.Now().Add(Timeout), firstTry, false
	for delay := 10 * time.Millisecond; ; delay = min(2*delay, 500*time.Millisecond) {
		try, cancel := context.WithTimeout(ctx, timeout)
		err := f(try, lost)
		late := try.Err() != nil
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !isTransient(err) || time.Now().After(last):
			return err
		}
		if lost = true; late {
			timeout = min(timeout+timeout/2, maxTry)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// IsTransient reports whether a request to JetStream that failed with err may succeed later
// without a change, for example because a stream has no leader for a moment.
func IsTransient(err error) bool {
	for _, e := range []error{nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded,
		jetstream.ErrNoHeartbeat, jetstream.ErrNoStreamResponse, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.Code >= 500
}
