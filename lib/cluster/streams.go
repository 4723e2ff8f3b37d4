package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/begins"
	"github.com/perijove/perijove/lib/cluster/internal/jobs"
	"github.com/perijove/perijove/lib/cluster/internal/keyvalue"
	"github.com/perijove/perijove/lib/cluster/internal/objects"
	"github.com/perijove/perijove/lib/cluster/internal/servers"
)

const (
	// ackWait is how long the server waits for a heartbeat of a batch before it gives the
	// batch to another worker; heartbeatInterval is the interval of the heartbeats.
	ackWait           = 1200 * time.Millisecond
	heartbeatInterval = 400 * time.Millisecond
	// duplicateWindow is how long the server recognizes a message that was sent again.
	duplicateWindow = 2 * time.Minute
	// taskAge is how long the server keeps a task if no worker takes it.
	taskAge = 7 * 24 * time.Hour
)

// The subjects begin with the cluster's name. Messages to the subjects of tasks, results
// and dead letters are stored in streams; other messages are not stored.
func (c *Cluster) taskSubject(build, pool string) string {
	return c.o.name + ".tasks." + build + "." + pool
}

// resultSubject returns the subject of the results of a batch, or of output if batch is 0,
// as no batch has that id. So the batch is known even if the message is damaged.
func (c *Cluster) resultSubject(pool string, batch uint64) string {
	if jobs.Is(pool) {
		return fmt.Sprintf("%s.jobs.%s.%d", c.o.name, pool, batch)
	}
	return fmt.Sprintf("%s.results.%s.%d", c.o.name, pool, batch)
}
func (c *Cluster) resultSubjects(pool string) string { return c.o.name + ".results." + pool + ".*" }
func (c *Cluster) deadSubject(pool string) string    { return c.o.name + ".dead." + pool }
func (c *Cluster) objectSubject() string             { return c.o.name + ".objects" }
func (c *Cluster) begunSubject() string              { return c.o.name + ".begun" }
func (c *Cluster) workerSubject() string             { return c.o.name + ".worker" }
func (c *Cluster) helloSubject() string              { return c.o.name + ".hello" }
func (c *Cluster) poolSubject() string               { return c.o.name + ".pool" }
func (c *Cluster) heldSubject() string               { return c.o.name + ".held" }
func (c *Cluster) cancelSubject() string             { return c.o.name + ".cancel" }

// openStreams opens the streams and the key-value store, and makes those that are missing.
func (c *Cluster) openStreams(ctx context.Context) (err error) {
	storage := jetstream.FileStorage
	if c.embedded != nil && c.o.folder == "" {
		storage = jetstream.MemoryStorage
	}
	var stored, begun jetstream.Stream
	for _, s := range []struct {
		stream *jetstream.Stream
		config jetstream.StreamConfig
	}{
		{&c.tasks, jetstream.StreamConfig{Name: c.o.name + "-tasks", Subjects: []string{c.o.name + ".tasks.>"},
			Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, MaxAge: taskAge, Duplicates: duplicateWindow}},
		{&c.results, jetstream.StreamConfig{Name: c.o.name + "-results", Subjects: []string{c.o.name + ".results.>"},
			Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, MaxAge: time.Hour, Duplicates: duplicateWindow}},
		{&c.dead, jetstream.StreamConfig{Name: c.o.name + "-dead", Subjects: []string{c.o.name + ".dead.>"},
			Discard: jetstream.DiscardOld, MaxMsgs: 10_000, MaxAge: 7 * 24 * time.Hour}},
		{&stored, objects.Config(c.o.name+"-objects", c.objectSubject())},
		{&begun, begins.Config(c.o.name+"-begun", c.begunSubject(), taskAge)},
	} {
		s.config.Storage, s.config.Replicas = storage, c.o.replicas
		err = servers.Open(ctx, func(ctx context.Context) (err error) { *s.stream, err = c.openStream(ctx, s.config); return err })
		if err != nil {
			return c.streamError(s.config.Name, err)
		}
	}
	c.objects = objects.New(c.js, stored, c.objectSubject())
	c.begins = begins.New(begun, c.begunSubject(), func(ctx context.Context, subject string, msg []byte) error {
		_, err := c.publish(ctx, subject, "", msg)
		return err
	})
	name := c.o.name + "-values"
	err = servers.Open(ctx, func(ctx context.Context) (err error) {
		c.values, err = keyvalue.Open(ctx, c.js, name, storage, c.o.replicas, c.o.name+".changed")
		return err
	})
	return c.streamError(name, err)
}

// openStream returns the stream of that name, whatever its storage, or makes it.
func (c *Cluster) openStream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := c.js.Stream(ctx, config.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return c.js.CreateOrUpdateStream(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	if have := s.CachedInfo().Config; have.Retention != config.Retention || !slices.Equal(have.Subjects, config.Subjects) {
		return nil, fmt.Errorf("a stream of the name %s exists that does not belong to a cluster of package cluster; choose another name with cluster.Name", config.Name)
	}
	return s, nil
}

// makeConsumer makes or updates a consumer of a stream; see servers.Create.
func makeConsumer(ctx context.Context, s jetstream.Stream, config jetstream.ConsumerConfig) (consumer jetstream.Consumer, err error) {
	err = servers.Create(ctx, func(ctx context.Context) (err error) {
		consumer, err = s.CreateOrUpdateConsumer(ctx, config)
		return err
	})
	return consumer, err
}

// streamError says what to do about a stream that cannot be opened.
func (c *Cluster) streamError(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("cluster: the server at %s does not offer JetStream, which package cluster needs: start nats-server with -js: %w", c.URL(), err)
	}
	return fmt.Errorf("cluster: cannot open the stream %s at %s: %w", name, c.URL(), err)
}

// publish stores a message in a stream; see servers.Publish.
func (c *Cluster) publish(ctx context.Context, subject, id string, msg []byte) (seq uint64, err error) {
	return servers.Publish(ctx, c.js, c.URL(), subject, id, msg)
}
