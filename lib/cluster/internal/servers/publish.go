package servers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/objects"
)

const (
	// publishTimeout is how long Publish tries again while the server does not answer or its
	// stream is full.
	publishTimeout = time.Minute
	// maxPublishTry is how long one try of Publish takes at most.
	maxPublishTry = 5 * time.Second
)

// Publish stores a message in a stream of the server at url. If the server does not answer or
// the stream is full, Publish tries again until ctx ends or publishTimeout has passed. If id is
// not empty, it identifies the message, so that the server stores the message only once.
func Publish(ctx context.Context, js jetstream.JetStream, url, subject, id string, msg []byte) (seq uint64, err error) {
	last := time.Now().Add(publishTimeout)
	timeout := objects.FirstTry
	for delay := 5 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		var opts []jetstream.PublishOpt
		if id != "" {
			opts = append(opts, jetstream.WithMsgID(id))
		}
		try, cancel := context.WithTimeout(ctx, timeout)
		ack, err := js.Publish(try, subject, msg, opts...)
		late := try.Err() != nil
		cancel()
		switch {
		case err == nil:
			return ack.Sequence, nil
		case ctx.Err() != nil:
			return 0, context.Cause(ctx)
		case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrConnectionClosed), time.Now().After(last):
			return 0, fmt.Errorf("cluster: the server at %s cannot store a message: %w", url, err)
		}
		if late {
			timeout = min(timeout+timeout/2, maxPublishTry)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}
