package replay

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// silent is a server that does not answer the first request of each kind, as one that is lost.
// Then it answers that the stream does not exist.
type silent struct {
	jetstream.JetStream
	creates, lookups int
}

func (s *silent) CreateConsumer(ctx context.Context, _ string, _ jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	s.creates++
	return nil, answer(ctx, s.creates)
}

func (s *silent) Stream(ctx context.Context, _ string) (jetstream.Stream, error) {
	s.lookups++
	return nil, answer(ctx, s.lookups)
}

func answer(ctx context.Context, request int) error {
	if request == 1 {
		<-ctx.Done()
		return ctx.Err()
	}
	return jetstream.ErrStreamNotFound
}

// TestServerThatDoesNotAnswer checks that Stream sends a request again if no answer comes, long
// before its context ends.
func TestServerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begun := time.Now()
		err := Stream(ctx, &silent{}, "results", func(string, []byte, uint64) bool { return true })
		if !errors.Is(err, jetstream.ErrStreamNotFound) || time.Since(begun) > time.Minute {
			t.Errorf("got %v after %v", err, time.Since(begun))
		}
	})
}
