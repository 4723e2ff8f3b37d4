// Package objects stores large arguments and results on the server. It tries again while a
// server is lost.
package objects

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Store keeps objects in a bucket of the server. Its methods may be called concurrently.
type Store struct {
	conn    *nats.Conn
	objects jetstream.ObjectStore
	chunks  jetstream.Stream // the bucket's
}

// Open opens the bucket, and makes it if it is missing.
func Open(ctx context.Context, js jetstream.JetStream, config jetstream.ObjectStoreConfig) (*Store, error) {
	s := &Store{conn: js.Conn()}
	var err error
	if s.objects, err = js.ObjectStore(ctx, config.Bucket); errors.Is(err, jetstream.ErrBucketNotFound) {
		s.objects, err = js.CreateOrUpdateObjectStore(ctx, config)
	}
	if err == nil {
		s.chunks, err = js.Stream(ctx, "OBJ_"+config.Bucket)
	}
	return s, err
}

// ArgumentName returns the name of an argument: the id of its pool and the hash of b.
func ArgumentName(pool string, b []byte) string { return pool + "." + contentHash(b) }

// ResultName returns the name of a result: that of an argument, and a random part.
func ResultName(pool string, b []byte) string { return ArgumentName(pool, b) + "." + rand.Text() }

func contentHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

const (
	// Timeout is how long a Store tries again while the server does not answer, in addition to
	// the time that the bytes of an object need at slowRate.
	Timeout = time.Minute
	// FirstTry is how long the first try takes at most, also in addition to that time. The try
	// after one that took so long has half as much time again.
	FirstTry = 3 * time.Second
	slowRate = 256 << 10 // bytes per second
	// chunkSize is how large the parts of an object are that are read at once.
	chunkSize = 128 << 10
	// missingTimeout is how long retry looks for an object that the server does not find,
	// as a server that was cut off from the others gets it late.
	missingTimeout = 30 * time.Second
	// deleteTimeout is how long Delete waits for the server.
	deleteTimeout = 5 * time.Second
)

// Put stores b.
func (s *Store) Put(ctx context.Context, name string, b []byte) error {
	err := s.retry(ctx, len(b), func(ctx context.Context) error {
		_, err := s.objects.PutBytes(ctx, name, b)
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("cluster: cannot store a value of %d bytes: %w", len(b), err)
	}
	return err
}

// Get returns the content of an object of at most max bytes. It checks the size
// before it fetches the object, and the hash afterwards.
func (s *Store) Get(ctx context.Context, name string, max int) (b []byte, err error) {
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return nil, fmt.Errorf("cluster: malformed object name %q", name)
	}
	var info *jetstream.ObjectInfo
	err = s.retry(ctx, 0, func(ctx context.Context) (err error) {
		info, err = s.objects.GetInfo(ctx, name)
		return err
	})
	if err == nil && info.Size > uint64(max) {
		return nil, fmt.Errorf("cluster: the object %s takes %d bytes, more than the limit of %d", name, info.Size, max)
	}
	if err == nil {
		b, err = s.getChunks(ctx, info)
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot read the object %s: %w", name, err)
	}
	if contentHash(b) != parts[1] {
		return nil, fmt.Errorf("cluster: the object %s is damaged: its hash differs from its name", name)
	}
	return b, nil
}

// getChunks returns the content of an object. It asks for one message after the other, which
// any server that has the stream answers. GetBytes would make a consumer, which for half a
// minute after the loss of a server may be assigned to that server.
func (s *Store) getChunks(ctx context.Context, info *jetstream.ObjectInfo) ([]byte, error) {
	subject := jetstream.WithGetMsgSubject("$O." + info.Bucket + ".C." + info.NUID)
	b := make([]byte, 0, info.Size)
	for next := uint64(1); uint64(len(b)) < info.Size; {
		err := s.retry(ctx, chunkSize, func(ctx context.Context) error {
			m, err := s.chunks.GetMsg(ctx, next, subject)
			if err == nil {
				b, next = append(b, m.Data...), m.Sequence+1
			}
			return err
		})
		if err != nil || uint64(len(b)) > info.Size {
			return nil, cmp.Or(err, errors.New("it has more bytes than its description says"))
		}
	}
	return b, nil
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
		case errors.Is(err, jetstream.ErrObjectNotFound), errors.Is(err, jetstream.ErrMsgNotFound):
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

// Delete deletes an object. If that fails, the object ages out.
func (s *Store) Delete(name string) {
	if !s.conn.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	_ = s.objects.Delete(ctx, name)
}
