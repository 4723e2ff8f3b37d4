// Package objects stores large arguments and results on the server. It tries again while a
// server is lost.
package objects

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Store keeps objects in a stream. An object is divided into parts, and each part is the
// only message of its subject, which consists of the object's name and the number of the part.
// The name contains a hash of the content, so a part that is sent twice replaces itself. The
// methods of a Store may be called concurrently.
//
// (JetStream's object store gives the parts of each try a new random name. If the answer to
// the first try is lost with a server, the description that this try stored can replace the
// description of the second try. It then refers to parts that were deleted.)
type Store struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	prefix string // of the subjects
}

// Config returns the configuration of the stream of a Store whose subjects begin with prefix.
func Config(name, prefix string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Subjects: []string{prefix + ".>"}, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, MaxAge: time.Hour,
	}
}

// New returns the Store in stream, whose configuration must be the result of Config for the same
// prefix.
func New(js jetstream.JetStream, stream jetstream.Stream, prefix string) *Store {
	return &Store{js, stream, prefix}
}

// ArgumentName returns the name of an argument: the id of its pool and the hash of b.
func ArgumentName(pool string, b []byte) string { return pool + "." + contentHash(b) }

// ResultName returns the name of a result: the name that an argument would have, and a
// random part.
func ResultName(pool string, b []byte) string { return ArgumentName(pool, b) + "." + rand.Text() }

func contentHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

const (
	// Timeout is how long a Store tries again while the server does not answer. The time that
	// the transfer of the bytes takes at slowRate is added.
	Timeout = time.Minute
	// FirstTry is the time limit of the first try. The time of the transfer is added as for
	// Timeout. After a try that reached its limit, the next limit is 1.5 times as long.
	FirstTry = 3 * time.Second
	slowRate = 256 << 10 // bytes per second
	// maxPart is how many bytes a part has at most.
	maxPart = 512 << 10
	// maxHeader is an upper bound of the size of a message's headers.
	maxHeader = 1 << 10
	// sizeHeader is the header of each part that has the size of the object.
	sizeHeader = "Perijove-Size"
	// missingTimeout is how long retry looks for an object that the server does not find,
	// since a server that was cut off from the others receives it late.
	missingTimeout = 30 * time.Second
	// deleteTimeout is how long Delete waits for the server.
	deleteTimeout = 5 * time.Second
)

func (s *Store) subject(name string, part int) string {
	return fmt.Sprintf("%s.%s.%d", s.prefix, name, part)
}

// Put stores the object b under a name that ArgumentName or ResultName has returned for b.
func (s *Store) Put(ctx context.Context, name string, b []byte) error {
	size := strconv.Itoa(len(b))
	partSize := min(maxPart, max(1, int(s.js.Conn().MaxPayload())-maxHeader))
	for i, rest := 0, b; i == 0 || len(rest) > 0; i++ {
		n := min(len(rest), partSize)
		m := &nats.Msg{Subject: s.subject(name, i), Header: nats.Header{sizeHeader: {size}}, Data: rest[:n]}
		err := s.retry(ctx, n, func(ctx context.Context) error {
			_, err := s.js.PublishMsg(ctx, m)
			return err
		})
		if err != nil {
			if ctx.Err() == nil {
				err = fmt.Errorf("cluster: cannot store a value of %d bytes at the server: %w", len(b), err)
			}
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// Get returns the content of an object. It checks before the transfer that the object has at
// most max bytes, and checks the hash after the transfer.
func (s *Store) Get(ctx context.Context, name string, max int) (b []byte, err error) {
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return nil, fmt.Errorf("cluster: cannot read a stored value: %q is not the name of an object that package cluster stores", name)
	}
	for i, size := 0, 0; i == 0 || len(b) < size; i++ {
		m, err := s.part(ctx, name, i)
		if err != nil {
			return nil, fmt.Errorf("cluster: cannot read the stored value %s: %w", name, err)
		}
		if i == 0 {
			if size, err = strconv.Atoi(m.Header.Get(sizeHeader)); err != nil || size < 0 {
				return nil, fmt.Errorf("cluster: the stored value %s is damaged: its first message does not give its size", name)
			}
			if size > max {
				return nil, fmt.Errorf("cluster: the stored value %s takes %d bytes, more than the limit of %d: raise the limit with cluster.MaxValue", name, size, max)
			}
			b = make([]byte, 0, size)
		}
		if len(m.Data) > size-len(b) || len(m.Data) == 0 && size > 0 {
			return nil, fmt.Errorf("cluster: the stored value %s is damaged: its part %d has %d bytes, but must have 1 to %d", name, i, len(m.Data), size-len(b))
		}
		b = append(b, m.Data...)
	}
	if contentHash(b) != parts[1] {
		return nil, fmt.Errorf("cluster: the stored value %s is damaged: its content does not have the hash that is part of its name", name)
	}
	return b, nil
}

// part reads a part. It asks the server that leads the stream. It uses no consumer: for half
// a minute after the loss of a server, a consumer may be assigned to the lost server.
func (s *Store) part(ctx context.Context, name string, i int) (m *jetstream.RawStreamMsg, err error) {
	err = s.retry(ctx, maxPart, func(ctx context.Context) (err error) {
		m, err = s.stream.GetLastMsgForSubject(ctx, s.subject(name, i))
		return err
	})
	return m, err
}

// retry calls f, which stores or fetches size bytes, until it succeeds or ctx ends,
// for Timeout and the time that the bytes need. A server that is lost does not
// answer; another one answers a later try.
func (s *Store) retry(ctx context.Context, size int, f func(context.Context) error) error {
	transfer := time.Duration(size) * time.Second / slowRate
	begin := time.Now()
	last := begin.Add(Timeout + transfer)
	timeout := FirstTry + transfer
	for delay := 10 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		try, cancel := context.WithTimeout(ctx, timeout)
		err := f(try)
		late := try.Err() != nil
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, nats.ErrConnectionClosed), time.Now().After(last):
			return err
		case errors.Is(err, jetstream.ErrMsgNotFound):
			if time.Since(begin) > missingTimeout {
				return err
			}
		}
		if late {
			timeout += timeout / 2
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Delete deletes an object. If Delete fails, the server deletes the object an hour after Put.
func (s *Store) Delete(name string) {
	if !s.js.Conn().IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	_ = s.stream.Purge(ctx, jetstream.WithPurgeSubject(s.prefix+"."+name+".*"))
}
