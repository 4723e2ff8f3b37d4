package servers

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// noSuitablePeers is the error code of JetStream for a stream with more copies than servers are
// there. Package jetstream has no name for it.
const noSuitablePeers jetstream.ErrorCode = 10005

// Create calls f, which makes or changes a stream or a consumer, as Retry does. It also tries
// again while the servers are too few for the copies of a stream, because a server is lost or
// because servers that have just started do not know each other yet.
func Create(ctx context.Context, f func(ctx context.Context) error) error {
	return create(ctx, func(err error) bool { return isMissingPeers(err) || IsTransient(err) }, f)
}

// CreateStream makes a stream, and tries again as Create does. No other process may use the name
// of the stream.
func CreateStream(ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig) error {
	return Create(ctx, func(ctx context.Context) error {
		_, err := js.CreateStream(ctx, config)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			err = nil // an earlier try has made it, and its answer was lost
		}
		return err
	})
}

// Open is Create for the first stream of a connection. Unlike Create, it returns an error at once
// if the server has no JetStream.
func Open(ctx context.Context, f func(ctx context.Context) error) error {
	return create(ctx, func(err error) bool {
		return isMissingPeers(err) || IsTransient(err) && !hasNoJetStream(err)
	}, f)
}

func create(ctx context.Context, isTransient func(error) bool, f func(ctx context.Context) error) error {
	err := retry(ctx, isTransient, func(ctx context.Context, _ bool) error { return f(ctx) })
	if isMissingPeers(err) {
		err = fmt.Errorf("for %v, fewer servers ran than the number of copies that cluster.Replicas sets; start the missing servers and try again: %w", Timeout, err)
	}
	return err
}

func isMissingPeers(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.ErrorCode == noSuitablePeers
}

func hasNoJetStream(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount)
}
